#include "core/formats/prompts.h"

#include <functional>

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/data_rows.h"
#include "core/formats/feedback_rows.h"
#include "core/formats/messages.h"

namespace plumbline {
namespace {

/// The first bad row ends it.
void for_each_prompt(const std::filesystem::path& file, const std::function<void(PromptPart)>& use) {
    const std::string operation = "read prompts";
    bool any = false;
    for_each_row(
        file, operation,
        [&](const DataRow& row) {
            use(prompt_of(row.value));
            any = true;
        },
        [&](int line, const std::string& fault) {
            throw Error(operation, file.string() + ": line " + std::to_string(line) + ": " + fault +
                                       "; correct the line or remove it");
        },
        PlainLines::as_prompts);
    if (!any) throw Error(operation, file.string() + ": no prompts; write one a line");
}

}  // namespace

std::vector<PromptPart> read_prompts(const std::filesystem::path& file) {
    std::vector<PromptPart> out;
    for_each_prompt(file, [&](PromptPart prompt) { out.push_back(std::move(prompt)); });
    return out;
}

std::vector<std::string> read_prompt_texts(const std::filesystem::path& file) {
    std::vector<std::string> out;
    for_each_prompt(file, [&](PromptPart prompt) {
        auto* text = std::get_if<std::string>(&prompt);
        if (text == nullptr) throw RowError("prompt is a list of messages; write it as a text");
        out.push_back(std::move(*text));
    });
    return out;
}

}  // namespace plumbline
