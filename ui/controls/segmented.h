#pragma once
// A few exclusive choices side by side.

#include <QStringList>
#include <QWidget>
#include <vector>

#include "ui/theme/theme.h"

class QButtonGroup;

namespace plumbline::ui {

/// Arrow keys move within it, Tab leaves it. The theme must outlive it.
class Segmented : public QWidget {
    Q_OBJECT
  public:
    Segmented(const Theme& theme, const QStringList& texts, QWidget* parent = nullptr);

    int current() const;
    void set_current(int index);  // does not emit

  Q_SIGNALS:
    void chosen(int index);  // by the person

  protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

  private:
    const Theme& theme_;
    QButtonGroup* group_;
};

}  // namespace plumbline::ui
