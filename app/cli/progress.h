#pragma once
// Progress on stderr: one updated line on a terminal, plain lines elsewhere, nothing when quiet.

#include <chrono>
#include <optional>
#include <string>

namespace plumbline::cli {

enum class ProgressStyle { none, bar, lines };

/// The style for this program's stderr.
ProgressStyle progress_style(bool quiet);

/// One thread.
class Progress {
  public:
    explicit Progress(ProgressStyle style) : style_(style) {}
    ~Progress() { clear(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `fraction` 0..1. Shown at most ten times a second as a bar, once a second as lines.
    void show(double fraction, const std::string& what);
    /// Takes the bar off the screen, before other output.
    void clear();

  private:
    const ProgressStyle style_;
    bool on_screen_ = false;
    std::optional<std::chrono::steady_clock::time_point> shown_at_;
};

/// "[######..............]  30% loading", no wider than `columns`.
std::string progress_bar(double fraction, const std::string& what, int columns);

}  // namespace plumbline::cli
