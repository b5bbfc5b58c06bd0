#include <gtest/gtest.h>

#include <QApplication>
#include <QDir>
#include <QFontInfo>
#include <QGlyphRun>
#include <QImage>
#include <QTextLayout>
#include <cmath>

#include "tests/ui/stage.h"
#include "ui/theme/palette.h"

namespace plumbline::ui {
namespace {

// WCAG 2.1: relative luminance, and the ratio of two of them.
double luminance(const QColor& color) {
    const auto linear = [](double c) {
        return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

double contrast(const QColor& a, const QColor& b) {
    const double x = luminance(a);
    const double y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

class PaletteContrast : public testing::TestWithParam<Scheme> {};

TEST_P(PaletteContrast, EnabledTextReachesFourAndAHalf) {
    for (const Tone ground : {Tone::canvas, Tone::chrome, Tone::panel, Tone::card}) {
        for (const Tone text : {Tone::text, Tone::secondary, Tone::tertiary, Tone::accent, Tone::warning}) {
            EXPECT_GE(contrast(tone_color(GetParam(), text), tone_color(GetParam(), ground)), 4.5)
                << "tone " << int(text) << " on " << int(ground);
        }
    }
    EXPECT_GE(contrast(tone_color(GetParam(), Tone::on_accent), tone_color(GetParam(), Tone::accent)), 4.5);
    EXPECT_GE(contrast(tone_color(GetParam(), Tone::text), tone_color(GetParam(), Tone::selection)), 4.5);
}

TEST_P(PaletteContrast, CurvesAndInputBordersReachThree) {
    for (const Tone ground : {Tone::panel, Tone::card}) {
        for (const Tone line :
             {Tone::run1, Tone::run2, Tone::run3, Tone::run4, Tone::axis, Tone::input_border}) {
            EXPECT_GE(contrast(tone_color(GetParam(), line), tone_color(GetParam(), ground)), 3.0)
                << "tone " << int(line) << " on " << int(ground);
        }
    }
}

// The measure itself: black on white is 21 to 1 by definition, and a text a little too light is told.
TEST(Contrast, TellsTooLittle) {
    EXPECT_NEAR(contrast(Qt::black, Qt::white), 21.0, 1e-9);
    EXPECT_LT(contrast(QColor(0x78, 0x78, 0x78), Qt::white), 4.5);  // #767676 is the limit on white
    EXPECT_GE(contrast(QColor(0x76, 0x76, 0x76), Qt::white), 4.5);
    EXPECT_LT(contrast(tone_color(Scheme::light, Tone::disabled), Qt::white), 4.5);
}

INSTANTIATE_TEST_SUITE_P(Schemes, PaletteContrast, testing::Values(Scheme::light, Scheme::dark));

/// What a text is drawn with.
QList<quint32> glyphs(const QString& text, const QFont& font) {
    QTextLayout layout(text, font);
    layout.beginLayout();
    layout.createLine();
    layout.endLayout();
    QList<quint32> out;
    for (const QGlyphRun& run : layout.glyphRuns()) {
        out.append(run.glyphIndexes());
    }
    return out;
}

TEST(Theme, BundlesItsFonts) {
    const PanelStage stage;
    for (const int weight : {400, 500, 600}) {
        EXPECT_EQ(QFontInfo(stage.theme.font(TextSize::reply, weight)).family(), "Inter");
        EXPECT_EQ(QFontInfo(stage.theme.font(TextSize::reply, weight)).pixelSize(), 16);
        EXPECT_EQ(QFontInfo(stage.theme.font(TextSize::reply, weight)).weight(), weight);
    }
    EXPECT_EQ(QFontInfo(stage.theme.mono(TextSize::interface)).family(), "JetBrains Mono");
    EXPECT_EQ(QFontInfo(stage.theme.mono(TextSize::interface)).pixelSize(), 12);  // one less than Inter
    // Every character of code stands for itself: no ligature makes one sign of two.
    QFont mono = stage.theme.mono(TextSize::interface);
    const auto one_by_one = [&] {
        return glyphs("!", mono) + glyphs("=", mono) + glyphs("<", mono) + glyphs("|", mono);
    };
    EXPECT_EQ(glyphs("!=<|", mono), one_by_one());
    mono.setStyleStrategy(QFont::PreferDefault);
    EXPECT_NE(glyphs("!=<|", mono), one_by_one()) << "the twin: as the font has it";
    // The twin: a family that nobody has is answered with another one.
    EXPECT_NE(QFontInfo(QFont(QStringLiteral("No Such Family"))).family(), "No Such Family");
}

int painted(const QImage& image, const QColor& color) {
    int count = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            count += image.pixelColor(x, y).rgb() == color.rgb() && image.pixelColor(x, y).alpha() == 255;
        }
    }
    return count;
}

TEST(Theme, IconsTakeTheTone) {
    PanelStage stage;
    const QStringList files = QDir(QStringLiteral(":/icons")).entryList({QStringLiteral("*.svg")});
    ASSERT_GE(files.size(), 20);
    for (const QString& file : files) {
        const QIcon icon = stage.theme.icon(QString(file).chopped(4), Tone::accent);
        const QImage image = icon.pixmap(QSize(64, 64)).toImage();
        EXPECT_GT(painted(image, stage.theme.color(Tone::accent)), 20) << file.toStdString();
        EXPECT_EQ(painted(image, stage.theme.color(Tone::warning)), 0) << file.toStdString();
    }
}

TEST(Theme, IconsFollowTheSchemeAndGreyOut) {
    PanelStage stage;
    const QIcon icon = stage.theme.icon(QStringLiteral("stop"), Tone::text);
    const QColor light = stage.theme.color(Tone::text);
    EXPECT_GT(painted(icon.pixmap(QSize(32, 32)).toImage(), light), 20);
    stage.theme.set_scheme(Scheme::dark);
    EXPECT_EQ(painted(icon.pixmap(QSize(32, 32)).toImage(), light), 0);
    EXPECT_GT(painted(icon.pixmap(QSize(32, 32)).toImage(), stage.theme.color(Tone::text)), 20);
    EXPECT_GT(
        painted(icon.pixmap(QSize(32, 32), QIcon::Disabled).toImage(), stage.theme.color(Tone::disabled)),
        20);
}

TEST(Theme, TellsAChangeOnce) {
    PanelStage stage;
    int changes = 0;
    QObject::connect(&stage.theme, &Theme::changed, [&] { ++changes; });
    stage.theme.set_scheme(Scheme::dark);
    stage.theme.set_scheme(Scheme::dark);
    EXPECT_EQ(changes, 1);
    EXPECT_EQ(QApplication::palette().color(QPalette::Window), QColor(0x1B, 0x1F, 0x23));  // chrome, dark
}

}  // namespace
}  // namespace plumbline::ui
