#pragma once
// Prompts from a text file.

#include <QString>
#include <string>
#include <vector>

namespace plumbline::ui {

/// Each line that is not blank, trimmed, once. On failure nothing, and `problem` says what and what to do.
/// Refuses files over 4 MB, files that are not UTF-8, and files without a prompt.
std::vector<std::string> read_prompt_file(const QString& path, QString& problem);

}  // namespace plumbline::ui
