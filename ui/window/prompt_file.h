#pragma once
// Prompts from a file: text, or JSON lines and CSV with a "prompt".

#include <QString>
#include <string>
#include <vector>

namespace plumbline::ui {

/// What a dialog shows of such files.
QString prompt_patterns();

/// Each prompt that is not blank, trimmed, once: one a line, or by its name (.jsonl, .csv, .gz) one a row. On failure
/// nothing, and `problem` says what and what to do. Refuses files over 4 MB, files that are not UTF-8, and files
/// without a prompt.
std::vector<std::string> read_prompt_file(const QString& path, QString& problem);

}  // namespace plumbline::ui
