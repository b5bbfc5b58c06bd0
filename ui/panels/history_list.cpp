#include "ui/panels/history_list.h"

#include <QPainter>
#include <algorithm>

#include "ui/controls/figures.h"

namespace plumbline::ui {

HistoryModel::HistoryModel(SessionState& state, QObject* parent) : QAbstractListModel(parent), state_(state) {
    connect(&state, &SessionState::history_changed, this, &HistoryModel::refresh);
    connect(&state, &SessionState::closed, this, &HistoryModel::refresh);
    refresh();
}

int HistoryModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(rows_.size());
}

QVariant HistoryModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= int(rows_.size())) {
        return {};
    }
    const HistoryRow& row = rows_[rows_.size() - 1 - std::size_t(index.row())];
    switch (role) {
        case Qt::DisplayRole:
            return QString::fromStdString(row.text);
        case Qt::AccessibleTextRole:
            return row.undone ? tr("%1, taken back").arg(QString::fromStdString(row.text))
                              : QString::fromStdString(row.text);
        case Qt::ToolTipRole: {
            QStringList lines = {row.undone ? tr("Label %1, taken back").arg(row.label_id)
                                            : tr("Label %1").arg(row.label_id)};
            if (row.unix_time > 0) {
                lines[0] += QStringLiteral(", ") + clock_time(row.unix_time);
            }
            if (!row.prompt.empty()) {
                lines.append(QString::fromStdString(row.prompt));
            }
            return lines.join(QLatin1Char('\n'));
        }
        case step_role:
            return row.policy_step;
        case undone_role:
            return row.undone;
        case latest_role: {
            const auto standing =
                std::find_if(rows_.rbegin(), rows_.rend(), [](const HistoryRow& r) { return !r.undone; });
            return standing != rows_.rend() && standing - rows_.rbegin() == index.row();
        }
        default:
            return {};
    }
}

void HistoryModel::refresh() {
    const std::vector<HistoryRow>& now = state_.history();
    if (now.size() == rows_.size() + 1) {
        // The common case, one more answer, keeps the scroll position.
        beginInsertRows({}, 0, 0);
        rows_ = now;
        endInsertRows();
    } else if (now.size() == rows_.size()) {
        rows_ = now;
    } else {
        beginResetModel();
        rows_ = now;
        endResetModel();
    }
    if (!rows_.empty()) {
        Q_EMIT dataChanged(index(0), index(int(rows_.size()) - 1));
    }
}

HistoryDelegate::HistoryDelegate(const Theme& theme, QObject* parent)
    : QStyledItemDelegate(parent), theme_(theme) {}

QSize HistoryDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const {
    return {100, 24};
}

void HistoryDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                            const QModelIndex& index) const {
    const QRect r = option.rect;
    const bool undone = index.data(HistoryModel::undone_role).toBool();
    const bool latest = index.data(HistoryModel::latest_role).toBool();
    if (option.state & (QStyle::State_Selected | QStyle::State_MouseOver)) {
        painter->fillRect(r, theme_.color(Tone::hover));
    }
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const QPointF dot(r.left() + 26, r.center().y() + 0.5);
    painter->setPen(QPen(theme_.color(Tone::button_border), 1));
    painter->drawLine(
        QPointF(dot.x(), index.row() == 0 ? dot.y() : r.top()),
        QPointF(dot.x(), index.row() + 1 == index.model()->rowCount() ? dot.y() : r.bottom() + 1));
    painter->setPen(Qt::NoPen);
    painter->setBrush(theme_.color(latest ? Tone::accent : undone ? Tone::line : Tone::button_border));
    painter->drawEllipse(dot, latest ? 4.5 : 4.0, latest ? 4.5 : 4.0);

    const QFont mono = theme_.mono(TextSize::secondary);
    const QString step = index.data(HistoryModel::step_role).toString();
    const int step_width = QFontMetrics(mono).horizontalAdvance(step);
    QFont font = theme_.font(TextSize::interface, latest ? 600 : 400);
    font.setStrikeOut(undone);
    painter->setFont(font);
    painter->setPen(theme_.color(undone ? Tone::disabled : latest ? Tone::text : Tone::secondary));
    const QRect words = r.adjusted(40, 0, -16 - step_width - 8, 0);
    painter->drawText(
        words, Qt::AlignVCenter | Qt::AlignLeft,
        painter->fontMetrics().elidedText(index.data().toString(), Qt::ElideRight, words.width()));
    painter->setFont(mono);
    painter->setPen(theme_.color(undone ? Tone::disabled : Tone::secondary));
    painter->drawText(r.adjusted(0, 0, -16, 0), Qt::AlignVCenter | Qt::AlignRight, step);
    painter->restore();
}

}  // namespace plumbline::ui
