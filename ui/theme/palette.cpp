#include "ui/theme/palette.h"

#include <array>

namespace plumbline::ui {

namespace {

struct Pair {
    QRgb light, dark;
};

// In the order of Tone. Enabled text reaches 4.5:1 on its ground, curves and input borders 3:1.
constexpr std::array<Pair, 29> colors = {{
    {0xFFEBEEF2, 0xFF14171A},  // canvas
    {0xFFF3F5F7, 0xFF1B1F23},  // chrome
    {0xFFFAFBFC, 0xFF1E2226},  // panel
    {0xFFFFFFFF, 0xFF24292E},  // card
    {0xFFE7EBF0, 0xFF2C3238},  // hover
    {0xFF171C22, 0xFFE8EBEE},  // text
    {0xFF47515D, 0xFFB3BCC6},  // secondary
    {0xFF5C6673, 0xFF98A3AF},  // tertiary
    {0xFF9AA3AE, 0xFF67717C},  // disabled
    {0xFFDDE2E8, 0xFF30363C},  // line
    {0xFFC6CDD6, 0xFF434B54},  // button_border
    {0xFF87919E, 0xFF76818D},  // input_border
    {0xFF00639C, 0xFF56B4E9},  // accent
    {0xFFFFFFFF, 0xFF0B1820},  // on_accent
    {0xFFE3EFF8, 0xFF1C3444},  // selection
    {0xFF9CC4E2, 0xFF2F617F},  // selection_border
    {0xFFA84300, 0xFFF0965A},  // warning
    {0xFFDCEBF6, 0xFF213846},  // up1
    {0xFFB9D8EE, 0xFF234C66},  // up2
    {0xFF8FC1E4, 0xFF256489},  // up3
    {0xFFFBE9D6, 0xFF3B2F22},  // down1
    {0xFFF6CFA6, 0xFF5A4020},  // down2
    {0xFFF0B476, 0xFF7F541B},  // down3
    {0xFF0072B2, 0xFF56B4E9},  // run1
    {0xFFD55E00, 0xFFF0823C},  // run2
    {0xFF008A64, 0xFF2DB88F},  // run3
    {0xFFB5588C, 0xFFD98BB5},  // run4
    {0xFFE8ECF0, 0xFF2C3238},  // grid
    {0xFF8791A0, 0xFF76818D},  // axis
}};

}  // namespace

QColor tone_color(Scheme scheme, Tone tone) {
    const Pair& pair = colors.at(static_cast<std::size_t>(tone));
    return QColor::fromRgb(scheme == Scheme::light ? pair.light : pair.dark);
}

}  // namespace plumbline::ui
