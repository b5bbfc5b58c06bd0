#include "ui/controls/key_button.h"

#include <QStyleOptionButton>
#include <QStylePainter>

namespace plumbline::ui {

namespace {

constexpr int gap = 8;
constexpr int cap_gap = 6;
constexpr int cap_padding = 5;
constexpr int cap_height = 18;
constexpr int icon_size = 16;

}  // namespace

KeyButton::KeyButton(const Theme& theme, const QString& text, const QStringList& keys, QWidget* parent)
    : QPushButton(text, parent), theme_(theme), keys_(keys) {
    setAutoDefault(false);
    setDefault(false);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setFont(theme.font(TextSize::interface));
}

void KeyButton::set_keys(const QStringList& keys) {
    keys_ = keys;
    updateGeometry();
    update();
}

void KeyButton::set_weight(int weight) {
    weight_ = weight;
    setFont(theme_.font(TextSize::interface, weight));
}

void KeyButton::set_spread(bool spread) {
    spread_ = spread;
    update();
}

void KeyButton::set_text_tone(Tone tone) {
    text_tone_ = tone;
    update();
}

int KeyButton::padding() const {
    return is_compact(this) || button_kind(this) == ButtonKind::flat ? 8 : 12;
}

int KeyButton::keys_width() const {
    const QFontMetrics metrics(theme_.mono(TextSize::secondary));
    int width = 0;
    for (const QString& key : keys_) {
        width += std::max(cap_height, metrics.horizontalAdvance(key) + 2 * cap_padding) + cap_gap;
    }
    return width;
}

QSize KeyButton::sizeHint() const {
    const int icon_width = icon().isNull() ? 0 : icon_size + (text().isEmpty() ? 0 : gap);
    const int text_width = fontMetrics().size(Qt::TextShowMnemonic, text()).width();
    const int keys = keys_.isEmpty() ? 0 : keys_width() - cap_gap + gap + 2;
    return {icon_width + text_width + keys + 2 * padding(), is_compact(this) ? 24 : 32};
}

void KeyButton::paintEvent(QPaintEvent*) {
    QStylePainter painter(this);
    QStyleOptionButton option;
    initStyleOption(&option);
    painter.drawControl(QStyle::CE_PushButtonBevel, option);

    const bool primary = button_kind(this) == ButtonKind::primary;
    const QColor ink = theme_.color(!isEnabled() ? Tone::disabled : primary ? Tone::on_accent : text_tone_);
    const int content = sizeHint().width() - 2 * padding();
    int x = spread_ ? padding() : (width() - content) / 2;
    if (!icon().isNull()) {
        icon().paint(&painter, QRect(x, (height() - icon_size) / 2, icon_size, icon_size), Qt::AlignCenter,
                     isEnabled() ? QIcon::Normal : QIcon::Disabled);
        x += icon_size + gap;
    }
    painter.setFont(font());
    painter.setPen(ink);
    const int text_width = fontMetrics().size(Qt::TextShowMnemonic, text()).width();
    painter.drawText(QRect(x, 0, text_width + 1, height()),
                     Qt::AlignVCenter | Qt::AlignLeft | Qt::TextShowMnemonic | Qt::TextSingleLine, text());
    if (keys_.isEmpty()) {
        return;
    }
    x = spread_ ? width() - padding() - (keys_width() - cap_gap) : x + text_width + gap + 2;
    painter.setRenderHint(QPainter::Antialiasing);
    const QFont key_font = theme_.mono(TextSize::secondary);
    painter.setFont(key_font);
    const QFontMetrics metrics(key_font);
    for (const QString& key : keys_) {
        const int cap = std::max(cap_height, metrics.horizontalAdvance(key) + 2 * cap_padding);
        const QRectF r(x + 0.5, (height() - cap_height) / 2 + 0.5, cap - 1, cap_height - 1);
        const bool lit = isEnabled() && primary;
        painter.setPen(theme_.color(lit ? Tone::on_accent : isEnabled() ? Tone::button_border : Tone::line));
        painter.setBrush(isEnabled() && !primary ? QBrush(theme_.color(Tone::panel)) : QBrush(Qt::NoBrush));
        painter.drawRoundedRect(r, 3, 3);
        painter.setPen(theme_.color(lit ? Tone::on_accent : isEnabled() ? Tone::secondary : Tone::disabled));
        painter.drawText(r, Qt::AlignCenter, key);
        x += cap + cap_gap;
    }
}

}  // namespace plumbline::ui
