#include "core/formats/preferences.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "core/api/errors.h"
#include "core/formats/messages.h"
#include "core/formats/text_lines.h"
#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr std::string_view hh_reply = "\n\nAssistant:";  // what a reply of the HH-RLHF set follows

bool same(const std::vector<Message>& a, const std::vector<Message>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Message& x, const Message& y) {
        return x.role == y.role && x.content == y.content;
    });
}

/// A dialogue whose last message is the reply.
struct Dialogue {
    std::vector<Message> before;
    std::string reply;
};

Dialogue dialogue_of(const json& value, const std::string& field) {
    Dialogue out{messages_of(value, field), ""};
    if (out.before.back().role != "assistant") {
        throw RowError("the last message of " + field + " is of role \"" + out.before.back().role +
                       "\", not \"assistant\"");
    }
    out.reply = out.before.back().content;
    out.before.pop_back();
    return out;
}

/// chosen and rejected as message lists: the reply alone, or the dialogue with or instead of the prompt.
PreferenceRow row_of_dialogues(const json& row) {
    const Dialogue chosen = dialogue_of(member(row, "chosen"), "chosen");
    const Dialogue rejected = dialogue_of(member(row, "rejected"), "rejected");
    if (!same(chosen.before, rejected.before))
        throw RowError("chosen and rejected do not answer the same messages");
    PreferenceRow out;
    out.chosen = chosen.reply;
    out.rejected = rejected.reply;
    std::optional<std::vector<Message>> prompt;
    if (row.contains("prompt") && !row["prompt"].is_null()) {
        if (row["prompt"].is_string()) {
            if (chosen.before.empty()) throw RowError("prompt is a text where chosen is a list of messages");
            // The text repeats the last question of the dialogue, which is the whole prompt.
            if (chosen.before.back().content != row["prompt"].get<std::string>()) {
                throw RowError("chosen does not answer prompt");
            }
        } else {
            prompt = messages_of(row["prompt"], "prompt");
            if (!chosen.before.empty() && !same(chosen.before, *prompt))
                throw RowError("chosen does not answer prompt");
        }
    }
    if (!prompt) prompt = chosen.before;
    if (prompt->empty()) throw RowError("prompt is missing");
    out.prompt = *prompt;
    return out;
}

/// Whole dialogues as text: the prompt is what both share up to the last reply.
PreferenceRow row_of_whole_texts(const std::string& chosen, const std::string& rejected) {
    const auto split = [](const std::string& text, const char* field) {
        const std::size_t at = text.rfind(hh_reply);
        if (at == std::string::npos)
            throw RowError(std::string("prompt is missing, and ") + field + " has no \"Assistant:\"");
        return at + hh_reply.size();
    };
    const std::size_t end = split(chosen, "chosen");
    if (split(rejected, "rejected") != end || chosen.compare(0, end, rejected, 0, end) != 0) {
        throw RowError("chosen and rejected do not answer the same dialogue");
    }
    PreferenceRow out;
    out.prompt = chosen.substr(0, end);
    out.chosen = chosen.substr(end);
    out.rejected = rejected.substr(end);
    return out;
}

PreferenceRow preference_of(const json& row) {
    const json &chosen = member(row, "chosen"), &rejected = member(row, "rejected");
    PreferenceRow out;
    if (chosen.is_array()) {
        out = row_of_dialogues(row);
    } else {
        out.chosen = text_of(chosen, "chosen");
        out.rejected = text_of(rejected, "rejected");
        if (!row.contains("prompt")) {
            out = row_of_whole_texts(out.chosen, out.rejected);
        } else if (row["prompt"].is_array()) {
            out.prompt = messages_of(row["prompt"], "prompt");
        } else {
            out.prompt = text_of(member(row, "prompt"), "prompt");
        }
    }
    if (out.chosen == out.rejected) throw RowError("chosen and rejected are the same");
    return out;
}

PromptPart prompt_of(const json& row) {
    const json& prompt = member(row, "prompt");
    if (prompt.is_array()) return messages_of(prompt, "prompt");
    return text_of(prompt, "prompt");
}

struct NumberedPrompt {
    int line = 0;
    PromptPart prompt;
};

std::vector<NumberedPrompt> numbered_prompts(const std::filesystem::path& file) {
    const std::string operation = "read prompts";
    const std::string text = read_text(file, operation);
    std::optional<bool> is_json;  // the first line decides
    std::vector<NumberedPrompt> out;
    for_each_line(text, [&](int number, std::string_view line) {
        const json row = is_json == false ? json() : object_of(line);
        if (!is_json) is_json = row.is_object();
        try {
            if (*is_json && !row.is_object()) throw RowError("it is not a JSON object");
            out.push_back({number, *is_json ? prompt_of(row) : PromptPart(valid_utf8(line))});
        } catch (const RowError& error) {
            throw Error(operation, file.string() + ": line " + std::to_string(number) + ": " + error.what() +
                                       "; correct the line or remove it");
        }
    });
    if (out.empty()) throw Error(operation, file.string() + ": no prompts; write one a line");
    return out;
}

}  // namespace

Preferences read_preferences(const std::filesystem::path& file) {
    const std::string operation = "read preferences";
    Preferences out;
    for_each_line(read_text(file, operation), [&](int number, std::string_view line) {
        try {
            const json row = object_of(line);
            if (!row.is_object()) throw RowError("it is not a JSON object");
            out.rows.push_back(preference_of(row));
            out.rows.back().line = number;
        } catch (const RowError& error) {
            out.skipped.push_back("line " + std::to_string(number) + ": " + error.what());
        }
    });
    if (out.rows.empty()) {
        throw Error(operation, file.string() + ": no row with prompt, chosen and rejected" +
                                   (out.skipped.empty() ? std::string() : " (" + out.skipped.front() + ")") +
                                   "; write one JSON object a line");
    }
    return out;
}

std::vector<PromptPart> read_prompts(const std::filesystem::path& file) {
    std::vector<PromptPart> out;
    for (NumberedPrompt& numbered : numbered_prompts(file)) out.push_back(std::move(numbered.prompt));
    return out;
}

std::vector<std::string> read_prompt_texts(const std::filesystem::path& file) {
    std::vector<std::string> out;
    for (NumberedPrompt& numbered : numbered_prompts(file)) {
        const auto* text = std::get_if<std::string>(&numbered.prompt);
        if (text == nullptr) {
            throw Error("read prompts", file.string() + ": line " + std::to_string(numbered.line) +
                                            ": prompt is a list of messages; write it as a text");
        }
        out.push_back(*text);
    }
    return out;
}

}  // namespace plumbline
