#include "core/formats/prompts.h"

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/data_rows.h"
#include "core/formats/feedback_rows.h"
#include "core/formats/messages.h"

namespace plumbline {
namespace {

constexpr const char* operation = "read prompts";

}  // namespace

PromptFile read_prompts(const std::filesystem::path& file) {
    PromptFile out;
    for_each_row(
        file, operation, [&](const DataRow& row) { out.rows.push_back({row.line, prompt_of(row.value)}); },
        [&](int line, const std::string& fault) {
            out.skipped.push_back("line " + std::to_string(line) + ": " + fault);
        },
        PlainLines::as_prompts);
    if (out.rows.empty()) {
        throw Error(operation, file.string() + ": no prompts" +
                                   (out.skipped.empty() ? std::string() : " (" + out.skipped.front() + ")") +
                                   "; write one a line");
    }
    return out;
}

// A person's own list: the first bad row ends it, to be mended.
std::vector<std::string> read_prompt_texts(const std::filesystem::path& file) {
    std::vector<std::string> out;
    for_each_row(
        file, operation,
        [&](const DataRow& row) {
            PromptPart prompt = prompt_of(row.value);
            auto* text = std::get_if<std::string>(&prompt);
            if (text == nullptr) throw RowError("prompt is a list of messages; write it as a text");
            out.push_back(std::move(*text));
        },
        first_bad_row_ends(file, operation),
        PlainLines::as_prompts);
    if (out.empty()) throw Error(operation, file.string() + ": no prompts; write one a line");
    return out;
}

}  // namespace plumbline
