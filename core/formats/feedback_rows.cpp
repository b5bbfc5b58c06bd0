#include "core/formats/feedback_rows.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/formats/messages.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr std::size_t most_completions = 64;

/// No reply of a model has one, and much that shows or keeps texts ends them there.
void refuse_nul(const json& value, const std::string& field) {
    if (value.is_string() && value.get_ref<const std::string&>().find('\0') != std::string::npos) {
        throw RowError(field + " has the character NUL");
    }
    if (value.is_structured()) {
        for (const json& part : value) refuse_nul(part, field);
    }
}

/// Tables of columns have a null where a row has no value.
bool has(const json& row, const char* field) {
    const auto found = row.find(field);
    return found != row.end() && !found->is_null();
}

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
    if (has(row, "prompt")) {
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
    if (!has(row, "margin")) return 0;
    const json& margin = row["margin"];
    if (!margin.is_number() || !(margin.get<double>() >= 0 && margin.get<double>() <= 1000)) {
        throw RowError("margin is not a number of 0..1000");
    }
    return margin.get<double>();
}

Strength strength_of(const json& row) {
    if (!has(row, "strength")) return Strength::clear;
    const std::string word = text_of(row["strength"], "strength");
    for (const Strength strength : {Strength::slight, Strength::clear, Strength::much}) {
        if (word == words_of(strength)) return strength;
    }
    throw RowError("strength is \"" + word.substr(0, 40) + "\", not slight, clear or much");
}

bool flag_of(const json& value, const std::string& field) {
    if (!value.is_boolean()) throw RowError(field + " is neither true nor false");
    return value.get<bool>();
}

/// Whether an optional mark is there and true.
bool is_set(const json& row, const char* field) {
    return has(row, field) && flag_of(row[field], field);
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
    if (chosen.is_array() && rejected.is_array()) {
        out = row_of_dialogues(row);
    } else {
        out.chosen = reply_of(chosen, "chosen");
        out.rejected = reply_of(rejected, "rejected");
        if (has(row, "prompt")) {
            out.prompt = prompt_of(row);
        } else {
            out = row_of_whole_texts(out.chosen, out.rejected);
        }
    }
    if (out.chosen == out.rejected) throw RowError("chosen and rejected are the same");
    out.margin = margin_of(row);
    out.strength = strength_of(row);
    out.both_bad = is_set(row, "both_bad");
    out.tie = out.both_bad || is_set(row, "tie");
    return out;
}

RankingRow ranking_of(const json& row) {
    RankingRow out;
    out.prompt = prompt_of(row);
    std::vector<std::string> replies;
    const json& completions = member(row, "completions");
    if (!completions.is_array() || completions.size() < 2)
        throw RowError("completions is not a list of two or more");
    if (completions.size() > most_completions) {
        throw RowError("completions has " + std::to_string(completions.size()) + ", more than " +
                       std::to_string(most_completions));
    }
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

Circumstances circumstances_of(const json& row) {
    Circumstances out;
    if (has(row, "unix_time")) {
        const json& time = row["unix_time"];
        if (!time.is_number() || !(time.get<double>() >= 0 && time.get<double>() < 1e11)) {
            throw RowError("unix_time is not a number of seconds");
        }
        out.unix_time = time.get<double>();
    }
    if (has(row, "judge")) out.judge = text_of(row["judge"], "judge");
    if (has(row, "system")) out.system = text_of(row["system"], "system");
    return out;
}

}  // namespace

PromptPart prompt_of(const json& row) {
    const json& prompt = member(row, "prompt");
    if (prompt.is_array()) return messages_of(prompt, "prompt");
    return text_of(prompt, "prompt");
}

FeedbackRow feedback_of(const json& row, int line) {
    for (const auto& [field, value] : row.items()) refuse_nul(value, field);
    const auto placed = [&](auto made) -> FeedbackRow {
        made.line = line;
        made.circumstances = circumstances_of(row);
        return made;
    };
    if (has(row, "completions")) return placed(ranking_of(row));
    if (has(row, "completion")) return placed(labelled_of(row));
    return placed(preference_of(row));
}

}  // namespace plumbline
