#include "core/store/feedback_answers.h"

#include <numeric>

#include "core/formats/hh_dialogue.h"
#include "core/formats/messages.h"

namespace plumbline {
namespace {

void take_messages(std::vector<Message> messages, Answer& out) {
    if (messages.front().role == "system") {
        out.system_prompt = messages.front().content;
        messages.erase(messages.begin());
    }
    if (messages.empty() || messages.back().role != "user") {
        throw RowError("the last message of prompt is " +
                       (messages.empty() ? std::string("the system's") : "of role \"" + messages.back().role + "\"") +
                       ", not a user's");
    }
    out.prompt = messages.back().content;
    messages.pop_back();
    out.earlier = std::move(messages);
}

/// Whether the replies follow "Assistant:" with a space of its own.
bool take_prompt(const PromptPart& prompt, Answer& out) {
    if (const auto* messages = std::get_if<std::vector<Message>>(&prompt)) {
        out.system_prompt.clear();
        take_messages(*messages, out);
        return false;
    }
    const auto& text = std::get<std::string>(prompt);
    if (auto dialogue = hh_messages(text); dialogue && !dialogue->empty()) {
        take_messages(std::move(*dialogue), out);
        return true;
    }
    out.prompt = text;
    return false;
}

}  // namespace

Answer answer_of(const FeedbackRow& row, const AnswerDefaults& defaults) {
    Answer out;
    std::visit(
        [&](const auto& any) {
            const Circumstances& c = any.circumstances;
            out.system_prompt = c.system.value_or(defaults.system_prompt);
            out.unix_time = c.unix_time > 0 ? c.unix_time : defaults.unix_time;
            out.judge = c.judge.empty() ? defaults.judge : c.judge;
        },
        row);
    const bool spaced = std::visit([&](const auto& any) { return take_prompt(any.prompt, out); }, row);
    if (out.prompt.find_first_not_of(" \t\r\n") == std::string::npos) throw RowError("prompt is empty");
    if (const auto* pair = std::get_if<PreferenceRow>(&row)) {
        out.replies = {pair->chosen, pair->rejected};
        out.verdict.choice = pair->both_bad ? Choice::both_bad : pair->tie ? Choice::tie : Choice::left;
        out.verdict.strength = pair->strength;
    } else if (const auto* ranking = std::get_if<RankingRow>(&row)) {
        out.replies = ranking->replies;
        out.verdict.choice = Choice::ranking;
        out.verdict.places.resize(static_cast<std::size_t>(ranking->ranked));
        std::iota(out.verdict.places.begin(), out.verdict.places.end(), 0);
    } else {
        const auto& labelled = std::get<LabelledRow>(row);
        out.replies = {labelled.reply};
        out.verdict.choice = Choice::thumbs;
        out.verdict.places = {labelled.good ? 1 : -1};
    }
    for (std::string& reply : out.replies) {
        if (spaced && reply.starts_with(' ')) reply.erase(0, 1);
    }
    return out;
}

}  // namespace plumbline
