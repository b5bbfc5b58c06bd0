#pragma once
// Text of models and files as people may safely see it on a terminal.

#include <string>
#include <string_view>

namespace plumbline::cli {

/// UTF-8 with control characters (newline and tab apart) and invalid bytes replaced by U+FFFD: a reply must
/// not be able to move the cursor or retitle the terminal.
std::string printable(std::string_view text);
/// The same on one line: newlines and tabs become spaces.
std::string one_line(std::string_view text);
/// Code points of UTF-8 text, the width that columns count with.
int width_of(std::string_view text);
/// The text's first `columns` code points.
std::string first_columns(std::string_view text, int columns);

}  // namespace plumbline::cli
