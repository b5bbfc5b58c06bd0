#pragma once
// Keeps single-key commands out of text fields and lists.

#include <QObject>

class QKeyEvent;
class QWidget;

namespace plumbline::ui {

/// Installed on the application. A plain letter, digit or arrow belongs to the widget with the focus where
/// that widget has a use for it: text fields, numbers, lists, sliders, tabs.
class KeyGuard : public QObject {
    Q_OBJECT
  public:
    using QObject::QObject;
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    static bool belongs_to(const QWidget* widget, const QKeyEvent& key);
};

}  // namespace plumbline::ui
