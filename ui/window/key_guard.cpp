#include "ui/window/key_guard.h"

#include <QAbstractItemView>
#include <QAbstractSlider>
#include <QAbstractSpinBox>
#include <QComboBox>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QTabBar>
#include <QTextEdit>

namespace plumbline::ui {

bool KeyGuard::belongs_to(const QWidget* widget, const QKeyEvent& key) {
    if (key.modifiers() & ~(Qt::ShiftModifier | Qt::KeypadModifier)) {
        return false;
    }
    const bool arrow = key.key() >= Qt::Key_Left && key.key() <= Qt::Key_Down;
    const bool letter = !key.text().isEmpty() && key.text().front().isPrint();
    const bool edits =
        key.key() == Qt::Key_Return || key.key() == Qt::Key_Enter || key.key() == Qt::Key_Backspace;
    if (edits && qobject_cast<const QAbstractItemView*>(widget)) {
        return false;
    }
    if (!arrow && !letter && !edits) {
        return false;
    }
    if (qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QTextEdit*>(widget) ||
        qobject_cast<const QPlainTextEdit*>(widget) || qobject_cast<const QAbstractSpinBox*>(widget) ||
        qobject_cast<const QComboBox*>(widget) || qobject_cast<const QAbstractItemView*>(widget)) {
        return true;
    }
    return arrow && (qobject_cast<const QAbstractSlider*>(widget) || qobject_cast<const QTabBar*>(widget) ||
                     widget->inherits("QCustomPlot"));
}

bool KeyGuard::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride) {
        const auto* widget = qobject_cast<QWidget*>(watched);
        const int key = static_cast<QKeyEvent*>(event)->key();
        const bool closes = key == Qt::Key_Escape || key == Qt::Key_Return || key == Qt::Key_Enter;
        if (widget && closes && widget->window()->windowType() == Qt::Popup) {
            event->accept();  // no shortcut; an opened list closes by this very event
            return false;
        }
        if (widget && belongs_to(widget, *static_cast<QKeyEvent*>(event))) {
            event->accept();  // comes back as an ordinary key press
            return true;
        }
    }
    return QObject::eventFilter(watched, event);
}

}  // namespace plumbline::ui
