#pragma once
// A button that shows the keys which do the same.

#include <QPushButton>
#include <QStringList>

#include "ui/theme/style.h"
#include "ui/theme/theme.h"

namespace plumbline::ui {

/// Never a default button. The theme must outlive it.
class KeyButton : public QPushButton {
    Q_OBJECT
  public:
    KeyButton(const Theme& theme, const QString& text, const QStringList& keys, QWidget* parent = nullptr);

    void set_keys(const QStringList& keys);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }
    /// 600 for a choice, 400 otherwise.
    void set_weight(int weight);
    /// Text and keys at the two ends rather than together in the middle.
    void set_spread(bool spread);
    void set_text_tone(Tone tone);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    int padding() const;
    int keys_width() const;

    const Theme& theme_;
    QStringList keys_;
    int weight_ = 400;
    bool spread_ = false;
    Tone text_tone_ = Tone::text;
};

}  // namespace plumbline::ui
