#pragma once
// An editor for text whose lines are spoken of by number.

#include <QPlainTextEdit>

#include "ui/theme/theme.h"

namespace plumbline::ui {

/// Line numbers at the left; long lines are wrapped. Tab leaves it. The theme must outlive it.
class CodeEdit : public QPlainTextEdit {
    Q_OBJECT
  public:
    explicit CodeEdit(const Theme& theme, QWidget* parent = nullptr);

    /// As it stands in a file: toPlainText() would make plain spaces of those that do not break.
    QString text() const;
    /// Tints a line, from 1 on; 0: none.
    void mark_line(int line);
    int marked_line() const { return marked_; }

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    class Numbers;
    void fit();
    void tint();
    void paint_numbers(QPainter& painter, const QRect& dirty) const;

    const Theme& theme_;
    Numbers* numbers_;
    int marked_ = 0;
};

}  // namespace plumbline::ui
