#pragma once
// Rows of a training file as token sequences.

#include <filesystem>
#include <string>
#include <vector>

#include "core/formats/preferences.h"
#include "core/formats/prompts.h"
#include "core/lab/opened_model.h"

namespace plumbline {

/// A prompt as the model expects it: text goes in as it is, messages through the chat template.
std::vector<int> prompt_ids(const LanguageModel& model, const PromptPart& prompt);

/// Prompt and reply, which gets an EOS when it has none. Throws Error for what has over max_length tokens.
Sequence row_sequence(const OpenedModel& opened, const PromptPart& prompt, const std::string& reply,
                      int max_length);

/// Calls `use` with each row; one that it refuses with Error is added to `skipped`, once for the rows of a line.
/// Throws Error when no row is left.
template <class Rows, class Use>
void use_rows(const Rows& rows, const std::filesystem::path& file, std::vector<std::string>& skipped,
              const Use& use);

[[noreturn]] void no_usable_row(const std::filesystem::path& file, const std::vector<std::string>& skipped);

template <class Rows, class Use>
void use_rows(const Rows& rows, const std::filesystem::path& file, std::vector<std::string>& skipped,
              const Use& use) {
    bool any = false;
    int last_skipped = 0;
    for (const auto& row : rows) {
        try {
            use(row);
            any = true;
        } catch (const Error& error) {
            if (row.line != last_skipped) {
                skipped.push_back("line " + std::to_string(row.line) + ": " + error.what());
            }
            last_skipped = row.line;
        }
    }
    if (!any) {
        no_usable_row(file, skipped);
    }
}

}  // namespace plumbline
