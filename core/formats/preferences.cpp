#include "core/formats/preferences.h"

#include "core/api/errors.h"
#include "core/formats/data_rows.h"
#include "core/formats/feedback_rows.h"
#include "core/formats/messages.h"

namespace plumbline {
namespace {

/// All pairs of a ranking, of the placed among each other and with those below.
std::vector<PreferenceRow> pairs_of(const RankingRow& row) {
    std::vector<PreferenceRow> out;
    for (std::size_t better = 0; better < static_cast<std::size_t>(row.ranked); ++better) {
        for (std::size_t worse = better + 1; worse < row.replies.size(); ++worse) {
            PreferenceRow pair;
            pair.line = row.line;
            pair.prompt = row.prompt;
            pair.chosen = row.replies[better];
            pair.rejected = row.replies[worse];
            pair.circumstances = row.circumstances;
            out.push_back(std::move(pair));
        }
    }
    return out;
}

/// Rows of `use`, which may refuse some with RowError; the reasons of all that were refused.
std::vector<std::string> collect(const std::filesystem::path& file, const std::string& operation,
                                 const std::function<void(FeedbackRow)>& use) {
    std::vector<std::string> skipped;
    for_each_feedback(
        file, operation, [&](FeedbackRow row, double) { use(std::move(row)); },
        [&](const std::string& refused) { skipped.push_back(refused); });
    return skipped;
}

}  // namespace

void for_each_feedback(const std::filesystem::path& file, const std::string& operation,
                       const std::function<void(FeedbackRow, double)>& use,
                       const std::function<void(const std::string&)>& refuse) {
    bool any = false;
    std::string first_refused;
    for_each_row(
        file, operation,
        [&](const DataRow& row) {
            use(feedback_of(row.value, row.line), row.fraction);
            any = true;
        },
        [&](int line, const std::string& fault) {
            const std::string refused = "line " + std::to_string(line) + ": " + fault;
            if (first_refused.empty()) first_refused = refused;
            refuse(refused);
        });
    if (!any) {
        throw Error(operation, file.string() + ": no row with prompt, chosen and rejected" +
                                   (first_refused.empty() ? std::string() : " (" + first_refused + ")") +
                                   "; write one JSON object a line, or CSV with those columns");
    }
}

Feedback read_feedback(const std::filesystem::path& file) {
    Feedback out;
    out.skipped = collect(file, "read feedback", [&](FeedbackRow row) { out.rows.push_back(std::move(row)); });
    return out;
}

Preferences read_preferences(const std::filesystem::path& file) {
    Preferences out;
    out.skipped = collect(file, "read preferences", [&](const FeedbackRow& row) {
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

}  // namespace plumbline
