#include "ui/controls/chooser.h"

#include <QKeyEvent>
#include <QWheelEvent>

namespace plumbline::ui {

Chooser::Chooser(QWidget* parent) : QComboBox(parent) {
    setFocusPolicy(Qt::TabFocus);
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
}

void Chooser::add(const QString& text, const QString& tip) {
    addItem(text);
    setItemData(count() - 1, tip, Qt::ToolTipRole);
    setMaxVisibleItems(count());
}

void Chooser::wheelEvent(QWheelEvent* event) {
    event->ignore();
}

void Chooser::keyPressEvent(QKeyEvent* event) {
    const bool opens = event->key() == Qt::Key_Down || event->key() == Qt::Key_Up ||
                       event->key() == Qt::Key_Space || event->key() == Qt::Key_F4;
    if (opens) {
        showPopup();
    } else {
        event->ignore();
    }
}

}  // namespace plumbline::ui
