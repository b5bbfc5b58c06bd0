#pragma once
// One reply, read-only, growing while it streams.

#include <QTextEdit>

#include "ui/theme/theme.h"

namespace plumbline::ui {

/// Text can be selected and copied with the mouse; the keyboard stays with the verdict keys. Scrolls along
/// with a growing reply unless the person has scrolled up. The theme must outlive it.
class ReplyView : public QTextEdit {
    Q_OBJECT
  public:
    explicit ReplyView(const Theme& theme, QWidget* parent = nullptr);

    void set_size(TextSize size);  // reply or reply_small
    void set_reply(const QString& text);
    void append_reply(const QString& text);
    void set_caret(bool shown);  // a block after the last character
    void set_greyed(bool greyed);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    void apply_format();
    void apply_colors();

    const Theme& theme_;
    int line_height_ = 26;
    bool caret_ = false;
    bool greyed_ = false;
};

}  // namespace plumbline::ui
