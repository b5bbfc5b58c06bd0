#include "core/formats/preferences.h"

#include <algorithm>
#include <functional>
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

double margin_of(const json& row) {
    const json margin = row.value("margin", json(0));
    if (margin.is_null()) return 0;
    if (!margin.is_number() || !(margin.get<double>() >= 0 && margin.get<double>() <= 1000)) {
        throw RowError("margin is not a number of 0..1000");
    }
    return margin.get<double>();
}

bool flag_of(const json& value, const std::string& field) {
    if (!value.is_boolean()) throw RowError(field + " is neither true nor false");
    return value.get<bool>();
}

PromptPart prompt_of(const json& row) {
    const json& prompt = member(row, "prompt");
    if (prompt.is_array()) return messages_of(prompt, "prompt");
    return text_of(prompt, "prompt");
}

/// A reply as text, or as the list of its one message.
std::string reply_of(const json& value, const std::string& field) {
    if (!value.is_array()) return text_of(value, field);
    const std::vector<Message> messages = messages_of(value, field);
    if (messages.size() != 1 || messages[0].role != "assistant") {
        throw RowError(field + " is a list of messages, but not of one of role \"assistant\"");
    }
    return messages[0].content;
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
    out.margin = margin_of(row);
    out.tie = row.contains("tie") && flag_of(row["tie"], "tie");
    return out;
}

RankingRow ranking_of(const json& row) {
    RankingRow out;
    out.prompt = prompt_of(row);
    std::vector<std::string> replies;
    const json& completions = member(row, "completions");
    if (!completions.is_array() || completions.size() < 2)
        throw RowError("completions is not a list of two or more");
    for (const json& completion : completions) {
        replies.push_back(reply_of(completion, "completion " + std::to_string(replies.size())));
        if (std::find(replies.begin(), replies.end() - 1, replies.back()) != replies.end() - 1) {
            throw RowError("two completions are the same");
        }
    }
    std::vector<bool> placed(replies.size());
    for (const int number : ids_of(member(row, "ranking"), "ranking")) {
        const auto place = static_cast<std::size_t>(number);
        if (place >= replies.size() || placed[place]) {
            throw RowError("ranking has " + std::to_string(number) +
                           (place < replies.size() ? " twice" : "") + ", completions are 0.." +
                           std::to_string(replies.size() - 1));
        }
        placed[place] = true;
        out.replies.push_back(replies[place]);
    }
    if (out.replies.empty()) throw RowError("ranking is empty");
    out.ranked = static_cast<int>(out.replies.size());
    for (std::size_t i = 0; i < replies.size(); ++i) {
        if (!placed[i]) out.replies.push_back(replies[i]);
    }
    return out;
}

LabelledRow labelled_of(const json& row) {
    LabelledRow out;
    out.prompt = prompt_of(row);
    out.reply = reply_of(member(row, "completion"), "completion");
    out.good = flag_of(member(row, "label"), "label");
    return out;
}

FeedbackRow feedback_of(const json& row, int line) {
    const auto placed = [line](auto made) -> FeedbackRow {
        made.line = line;
        return made;
    };
    if (!row.is_object()) throw RowError("it is not a JSON object");
    if (row.contains("completions")) return placed(ranking_of(row));
    if (row.contains("completion")) return placed(labelled_of(row));
    return placed(preference_of(row));
}

/// Calls with each good row; one that `visit` refuses with RowError is skipped too.
std::vector<std::string> for_each_feedback(const std::filesystem::path& file, const std::string& operation,
                                           const std::function<void(FeedbackRow)>& visit) {
    std::vector<std::string> skipped;
    bool any = false;
    for_each_line(read_text(file, operation), [&](int number, std::string_view line) {
        try {
            visit(feedback_of(object_of(line), number));
            any = true;
        } catch (const RowError& error) {
            skipped.push_back("line " + std::to_string(number) + ": " + error.what());
        }
    });
    if (!any) {
        throw Error(operation, file.string() + ": no row with prompt, chosen and rejected" +
                                   (skipped.empty() ? std::string() : " (" + skipped.front() + ")") +
                                   "; write one JSON object a line");
    }
    return skipped;
}

/// All pairs of a ranking, of the placed among each other and with those below.
std::vector<PreferenceRow> pairs_of(const RankingRow& row) {
    std::vector<PreferenceRow> out;
    for (std::size_t better = 0; better < static_cast<std::size_t>(row.ranked); ++better) {
        for (std::size_t worse = better + 1; worse < row.replies.size(); ++worse) {
            out.push_back({row.line, row.prompt, row.replies[better], row.replies[worse], 0, false});
        }
    }
    return out;
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

Feedback read_feedback(const std::filesystem::path& file) {
    Feedback out;
    out.skipped = for_each_feedback(file, "read feedback",
                                    [&](FeedbackRow row) { out.rows.push_back(std::move(row)); });
    return out;
}

Preferences read_preferences(const std::filesystem::path& file) {
    Preferences out;
    out.skipped = for_each_feedback(file, "read preferences", [&](const FeedbackRow& row) {
        if (const auto* ranking = std::get_if<RankingRow>(&row)) {
            for (PreferenceRow& pair : pairs_of(*ranking)) out.rows.push_back(std::move(pair));
        } else if (const auto* pair = std::get_if<PreferenceRow>(&row)) {
            if (pair->tie) throw RowError("a tie prefers neither reply");
            out.rows.push_back(*pair);
        } else {
            throw RowError("rejected is missing: a single labelled reply is no pair");
        }
    });
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
