#pragma once
// Finds any action of the menus by its words.

#include <QDialog>
#include <QPointer>
#include <vector>

#include "ui/theme/theme.h"

class QAction;
class QLineEdit;
class QListWidget;
class QMenuBar;

namespace plumbline::ui {

/// Opened under the top edge of its parent; closes itself. The theme must outlive it.
class CommandPalette : public QDialog {
    Q_OBJECT
  public:
    CommandPalette(const Theme& theme, const QMenuBar& menus, QWidget* parent);

    QLineEdit& line() const { return *line_; }
    QListWidget& list() const { return *list_; }

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

  private:
    struct Entry {
        QString words;
        QPointer<QAction> action;
    };
    void fill();
    void run();

    const Theme& theme_;
    std::vector<Entry> entries_;
    QLineEdit* line_;
    QListWidget* list_;
};

}  // namespace plumbline::ui
