#include "app/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "app/cli/plain_text.h"

namespace plumbline::cli {
namespace {

constexpr auto bar_interval = std::chrono::milliseconds(100);
constexpr auto line_interval = std::chrono::seconds(1);
constexpr const char* erase_line = "\r\x1b[K";

int terminal_columns() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int percent(double fraction) {
    return std::isfinite(fraction) ? static_cast<int>(std::clamp(fraction, 0.0, 1.0) * 100) : 0;
}

void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

}  // namespace

ProgressStyle progress_style(bool quiet) {
    if (quiet) {
        return ProgressStyle::none;
    }
    const char* terminal = std::getenv("TERM");
    const bool can_erase = isatty(STDERR_FILENO) == 1 && !(terminal && std::string_view(terminal) == "dumb");
    return can_erase ? ProgressStyle::bar : ProgressStyle::lines;
}

std::string progress_bar(double fraction, const std::string& what, int columns) {
    constexpr int cells = 20;
    const int filled = percent(fraction) * cells / 100;
    char number[8];
    std::snprintf(number, sizeof number, "%3d%%", percent(fraction));
    const std::string bar = "[" + std::string(filled, '#') + std::string(cells - filled, '.') + "] " + number;
    return first_columns(bar + " " + one_line(what), columns);
}

void Progress::show(double fraction, const std::string& what) {
    if (style_ == ProgressStyle::none) {
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    const bool bar = style_ == ProgressStyle::bar;
    if (shown_at_ &&
        now - *shown_at_ < (bar ? std::chrono::steady_clock::duration(bar_interval) : line_interval)) {
        return;
    }
    shown_at_ = now;
    if (bar) {
        // The last column stays free: writing it would scroll some terminals.
        put(erase_line + progress_bar(fraction, what, terminal_columns() - 1));
        on_screen_ = true;
    } else {
        put("progress: " + std::to_string(percent(fraction)) + "% " + one_line(what) + "\n");
    }
}

void Progress::clear() {
    if (on_screen_) {
        put(erase_line);
        on_screen_ = false;
    }
}

}  // namespace plumbline::cli
