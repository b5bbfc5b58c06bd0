#pragma once
// What the help menu tells.

class QWidget;

namespace plumbline::ui {

class Theme;

void show_keys(const Theme& theme, QWidget* window);
void show_about(const Theme& theme, QWidget* window);

}  // namespace plumbline::ui
