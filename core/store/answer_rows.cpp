#include "core/store/answer_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/formats/csv.h"
#include "core/formats/hh_dialogue.h"
#include "core/store/message_list.h"

namespace plumbline {
namespace {

using Json = nlohmann::ordered_json;

struct RepliesCompared {
    const std::string &better, &worse;
};

bool is_tie(const Answer& answer) {
    return answer.verdict.choice == Choice::tie || answer.verdict.choice == Choice::both_bad;
}

/// A tie counts as the pair in the order in which it was shown.
std::vector<RepliesCompared> compared(const Answer& answer) {
    std::vector<RepliesCompared> out;
    const auto reply = [&](int place) -> const std::string& { return answer.replies[static_cast<std::size_t>(place)]; };
    auto pairs = implied_pairs(answer.verdict, static_cast<int>(answer.replies.size()));
    if (is_tie(answer) && answer.replies.size() > 1) pairs = {{0, 1}};
    for (const auto& [better, worse] : pairs) {
        if (reply(better) != reply(worse)) out.push_back({reply(better), reply(worse)});
    }
    return out;
}

std::string why_no_pairs(const Answer& answer) {
    switch (answer.verdict.choice) {
        case Choice::skip: return "it was skipped";
        case Choice::thumbs: return "its thumbs compare no replies";
        default: return "its replies are the same";
    }
}

/// What all rows of an answer have beside the texts.
void add_circumstances(const Answer& answer, Json& row) {
    row["tie"] = is_tie(answer);
    row["both_bad"] = answer.verdict.choice == Choice::both_bad;
    row["strength"] = words_of(answer.verdict.strength);
    row["unix_time"] = answer.unix_time;
    row["judge"] = answer.judge;
}

std::string line_of(const Json& row) { return row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json message(const char* role, const std::string& content) { return {{"role", role}, {"content", content}}; }

std::string shortest(double value) {
    std::array<char, 32> text;
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), end};
}

constexpr std::array columns = {"prompt", "chosen", "rejected", "completions", "ranking",   "completion",
                                "label",  "tie",    "both_bad", "strength",    "unix_time", "judge"};

/// Cells by column; those that are not there are empty.
std::string csv_line(const Answer& answer, std::vector<std::pair<std::string_view, std::string>> cells) {
    cells.emplace_back("prompt", message_list(messages_before(answer)));
    cells.emplace_back("unix_time", shortest(answer.unix_time));
    cells.emplace_back("judge", answer.judge);
    std::string out;
    for (const std::string_view column : columns) {
        const auto cell = std::find_if(cells.begin(), cells.end(), [&](const auto& c) { return c.first == column; });
        out += (column == columns[0] ? "" : ",") + (cell == cells.end() ? std::string() : csv_cell(cell->second));
    }
    return out + "\r\n";
}

/// Completions with the best first, as they are read again.
std::string ranking_line(const Answer& answer) {
    Json completions = Json::array(), ranking = Json::array();
    const std::vector<int>& places = answer.verdict.places;
    for (const int place : places) {
        ranking.push_back(completions.size());
        completions.push_back(answer.replies[static_cast<std::size_t>(place)]);
    }
    for (std::size_t place = 0; place < answer.replies.size(); ++place) {
        if (std::find(places.begin(), places.end(), static_cast<int>(place)) == places.end()) {
            completions.push_back(answer.replies[place]);
        }
    }
    return csv_line(answer, {{"completions", completions.dump()}, {"ranking", ranking.dump()}});
}

}  // namespace

AnswerRows trl_rows(const Answer& answer) {
    AnswerRows out;
    for (const auto& [better, worse] : compared(answer)) {
        Json row;
        row["prompt"] = Json::array();
        for (const Message& each : messages_before(answer)) row["prompt"].push_back(message(each.role.c_str(), each.content));
        row["chosen"] = Json::array({message("assistant", better)});
        row["rejected"] = Json::array({message("assistant", worse)});
        add_circumstances(answer, row);
        out.lines.push_back(line_of(row));
    }
    if (out.lines.empty()) out.left_out = why_no_pairs(answer);
    return out;
}

AnswerRows hh_rows(const Answer& answer) {
    AnswerRows out;
    std::vector<Message> dialogue = answer.earlier;
    dialogue.push_back({"user", answer.prompt});
    const auto before = hh_text(dialogue);
    for (const auto& [better, worse] : compared(answer)) {
        const bool clean = hh_text({{"user", better}, {"user", worse}}).has_value();
        if (!before || !clean) return {{}, "its messages have roles or marks that the form keeps for itself"};
        Json row{{"chosen", *before + " " + better}, {"rejected", *before + " " + worse}, {"system", answer.system_prompt}};
        add_circumstances(answer, row);
        out.lines.push_back(line_of(row));
    }
    if (out.lines.empty()) out.left_out = why_no_pairs(answer);
    return out;
}

AnswerRows csv_rows(const Answer& answer) {
    AnswerRows out;
    const Verdict& verdict = answer.verdict;
    if (verdict.choice == Choice::thumbs) {
        for (std::size_t place = 0; place < verdict.places.size(); ++place) {
            if (verdict.places[place] == 0) continue;
            out.lines.push_back(csv_line(answer, {{"completion", answer.replies[place]},
                                                  {"label", verdict.places[place] > 0 ? "true" : "false"}}));
        }
    } else if (verdict.choice == Choice::ranking) {
        out.lines.push_back(ranking_line(answer));
    } else {
        for (const auto& [better, worse] : compared(answer)) {
            out.lines.push_back(csv_line(answer, {{"chosen", better},
                                                  {"rejected", worse},
                                                  {"tie", is_tie(answer) ? "true" : "false"},
                                                  {"both_bad", verdict.choice == Choice::both_bad ? "true" : "false"},
                                                  {"strength", words_of(verdict.strength)}}));
        }
    }
    if (out.lines.empty()) out.left_out = why_no_pairs(answer);
    return out;
}

std::string csv_header() {
    std::string out;
    for (const char* column : columns) out += (out.empty() ? "" : ",") + std::string(column);
    return out + "\r\n";
}

}  // namespace plumbline
