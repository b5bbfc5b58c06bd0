#include "ui/controls/flow_layout.h"

#include <QWidget>

namespace plumbline::ui {

FlowLayout::FlowLayout(int horizontal, int vertical, QWidget* parent)
    : QLayout(parent), horizontal_(horizontal), vertical_(vertical) {
    setContentsMargins(0, 0, 0, 0);
}

FlowLayout::~FlowLayout() {
    while (QLayoutItem* item = takeAt(0)) {
        delete item;
    }
}

void FlowLayout::addItem(QLayoutItem* item) {
    items_.append(item);
}

QLayoutItem* FlowLayout::takeAt(int index) {
    return index >= 0 && index < items_.size() ? items_.takeAt(index) : nullptr;
}

int FlowLayout::heightForWidth(int width) const {
    return place(QRect(0, 0, width, 0), false);
}

void FlowLayout::setGeometry(const QRect& rect) {
    QLayout::setGeometry(rect);
    place(rect, true);
}

QSize FlowLayout::sizeHint() const {
    int width = 0;
    int height = 0;
    for (const QLayoutItem* item : items_) {
        const QSize size = item->sizeHint();
        width += size.width() + horizontal_;
        height = std::max(height, size.height());
    }
    return {std::max(0, width - horizontal_), height};
}

QSize FlowLayout::minimumSize() const {
    QSize size;
    for (const QLayoutItem* item : items_) {
        size = size.expandedTo(item->minimumSize());
    }
    return size;
}

int FlowLayout::place(const QRect& rect, bool apply) const {
    int y = rect.y();
    qsizetype at = 0;
    while (at < items_.size()) {
        // One line: as many items as fit, at least one, centred on its height.
        qsizetype end = at;
        int used = 0;
        int line_height = 0;
        while (end < items_.size()) {
            const QSize size = items_[end]->sizeHint();
            const int with = used + (end > at ? horizontal_ : 0) + size.width();
            if (end > at && with > rect.width()) {
                break;
            }
            used = with;
            line_height = std::max(line_height, size.height());
            ++end;
        }
        int x = rect.x();
        for (qsizetype i = at; apply && i < end; ++i) {
            const QSize size = items_[i]->sizeHint();
            if (last_right_ && i + 1 == items_.size()) {
                x = rect.right() + 1 - size.width();
            }
            items_[i]->setGeometry(QRect(QPoint(x, y + (line_height - size.height()) / 2), size));
            x += size.width() + horizontal_;
        }
        y += line_height + vertical_;
        at = end;
    }
    return items_.isEmpty() ? 0 : y - vertical_ - rect.y();
}

}  // namespace plumbline::ui
