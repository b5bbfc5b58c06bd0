#include "ui/controls/label.h"

#include <QPainter>

namespace plumbline::ui {

Label::Label(const Theme& theme, const QString& text, TextSize size, Tone tone, int weight, Face face,
             QWidget* parent)
    : QLabel(text, parent), theme_(theme), tone_(tone) {
    setTextFormat(Qt::PlainText);
    setForegroundRole(QPalette::WindowText);  // also within bars, which hand down another role
    setFont(face == Face::mono ? theme.mono(size, weight) : theme.font(size, weight));
    apply();
    connect(&theme, &Theme::changed, this, &Label::apply);
}

void Label::set_tone(Tone tone) {
    tone_ = tone;
    apply();
}

void Label::set_elided(Qt::TextElideMode mode) {
    elide_ = mode;
    updateGeometry();
}

QSize Label::minimumSizeHint() const {
    const QSize size = QLabel::minimumSizeHint();
    return elide_ == Qt::ElideNone ? size : QSize(24, size.height());
}

void Label::paintEvent(QPaintEvent* event) {
    if (elide_ == Qt::ElideNone) {
        QLabel::paintEvent(event);
        return;
    }
    QPainter painter(this);
    painter.setPen(palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, foregroundRole()));
    const QString shown = fontMetrics().elidedText(text(), elide_, contentsRect().width());
    painter.drawText(contentsRect(), int(alignment() | Qt::AlignVCenter | Qt::TextSingleLine), shown);
    if (shown != text() && toolTip() != text()) {
        setToolTip(text());
    }
}

void Label::apply() {
    QPalette colors = palette();
    colors.setColor(QPalette::WindowText, theme_.color(tone_));
    colors.setColor(QPalette::Disabled, QPalette::WindowText, theme_.color(Tone::disabled));
    setPalette(colors);
}

}  // namespace plumbline::ui
