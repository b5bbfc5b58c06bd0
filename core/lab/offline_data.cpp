#include "core/lab/offline_data.h"

namespace plumbline {

std::vector<int> prompt_ids(const LanguageModel& model, const PromptPart& prompt) {
    const auto* text = std::get_if<std::string>(&prompt);
    return text ? model.plain_prompt(*text) : model.render(std::get<std::vector<Message>>(prompt));
}

Sequence row_sequence(const OpenedModel& opened, const PromptPart& prompt, const std::string& reply,
                      int max_length) {
    std::vector<int> ids = opened.model->tokenizer().encode(reply, SpecialTokens::parse);
    const ReplyEnds& ends = opened.model->ends();
    if (ends.written >= 0 && (ids.empty() || !ends.contains(ids.back()))) {
        ids.push_back(ends.written);
    }
    return opened.sequence(prompt_ids(*opened.model, prompt), ids, max_length);
}

void no_usable_row(const std::filesystem::path& file, const std::vector<std::string>& skipped) {
    throw Error("train", file.string() + ": no row can be used (" +
                             (skipped.empty() ? "the file is empty" : skipped.front()) + ")");
}

}  // namespace plumbline
