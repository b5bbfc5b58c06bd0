#include "ui/theme/theme.h"

#include <QApplication>
#include <QFontDatabase>
#include <QPalette>

#include "ui/theme/icon_engine.h"
#include "ui/theme/palette.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

int pixels(TextSize size) {
    switch (size) {
        case TextSize::axis:
            return 11;
        case TextSize::secondary:
            return 12;
        case TextSize::interface:
            return 13;
        case TextSize::lesson:
            return 14;
        case TextSize::reply:
            return 16;
        case TextSize::reply_small:
            return 14;
        case TextSize::lesson_title:
            return 20;
        case TextSize::start_title:
            return 24;
    }
    return 13;
}

QFont make_font(const QString& family, int px, int weight) {
    QFont font(family);
    font.setPixelSize(px);
    font.setWeight(static_cast<QFont::Weight>(weight));
    font.setHintingPreference(QFont::PreferNoHinting);
    return font;
}

}  // namespace

Theme::Theme(QApplication& application) : application_(application) {
    system_scheme_ =
        application.palette().color(QPalette::Window).lightness() < 128 ? Scheme::dark : Scheme::light;
    for (const char* file : {"Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf",
                             "JetBrainsMono-Regular.ttf", "JetBrainsMono-Medium.ttf"}) {
        if (QFontDatabase::addApplicationFont(QStringLiteral(":/fonts/") + QLatin1String(file)) < 0) {
            qWarning("theme: the bundled font %s does not load", file);
        }
    }
    application.setStyle(new Style(*this));
    apply();
}

void Theme::set_scheme(Scheme scheme) {
    if (scheme == scheme_) {
        return;
    }
    scheme_ = scheme;
    apply();
    Q_EMIT changed();
}

QColor Theme::color(Tone tone) const {
    return tone_color(scheme_, tone);
}

QFont Theme::font(TextSize size, int weight) const {
    return make_font(QStringLiteral("Inter"), pixels(size), weight);
}

QFont Theme::mono(TextSize size, int weight) const {
    QFont font = make_font(QStringLiteral("JetBrains Mono"), pixels(size) - 1, weight);
    font.setStyleStrategy(QFont::PreferNoShaping);  // no ligatures: "!=" and "<|" stand as they are written
    return font;
}

QIcon Theme::icon(const QString& name, Tone tone) const {
    return QIcon(new IconEngine(*this, name, tone));
}

void Theme::apply() {
    application_.setFont(font(TextSize::interface));
    QPalette palette;
    const auto set = [&](QPalette::ColorRole role, Tone tone) { palette.setColor(role, color(tone)); };
    set(QPalette::Window, Tone::chrome);
    set(QPalette::WindowText, Tone::text);
    set(QPalette::Base, Tone::card);
    set(QPalette::AlternateBase, Tone::panel);
    set(QPalette::Text, Tone::text);
    set(QPalette::PlaceholderText, Tone::tertiary);
    set(QPalette::Button, Tone::card);
    set(QPalette::ButtonText, Tone::text);
    set(QPalette::BrightText, Tone::text);
    set(QPalette::ToolTipBase, Tone::card);
    set(QPalette::ToolTipText, Tone::text);
    set(QPalette::Highlight, Tone::selection);
    set(QPalette::HighlightedText, Tone::text);
    set(QPalette::Link, Tone::accent);
    set(QPalette::LinkVisited, Tone::accent);
    set(QPalette::Light, Tone::hover);
    set(QPalette::Midlight, Tone::line);
    set(QPalette::Mid, Tone::button_border);
    set(QPalette::Dark, Tone::input_border);
    set(QPalette::Shadow, Tone::line);
    for (const QPalette::ColorRole role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        palette.setColor(QPalette::Disabled, role, color(Tone::disabled));
    }
    application_.setPalette(palette);
}

}  // namespace plumbline::ui
