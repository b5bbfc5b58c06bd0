#pragma once
// The colour of each tone, light and dark.

#include <QColor>

#include "ui/theme/theme.h"

namespace plumbline::ui {

QColor tone_color(Scheme scheme, Tone tone);

}  // namespace plumbline::ui
