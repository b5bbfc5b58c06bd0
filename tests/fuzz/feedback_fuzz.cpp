// What people said of replies, JSON lines or CSV, plain or compressed: rankings, labels and pairs.

#include "core/formats/preferences.h"
#include "tests/fuzz/fuzzing.h"

using namespace plumbline;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto path = fuzzing::file_of("feedback.jsonl", fuzzing::text_of(data, size));
    fuzzing::accepts([&] {
        for (const FeedbackRow& row : read_feedback(path).rows) {
            const auto* ranking = std::get_if<RankingRow>(&row);
            fuzzing::promise(ranking == nullptr || (ranking->ranked >= 1 && ranking->replies.size() >= 2));
        }
    });
    fuzzing::accepts([&] {
        for (const PreferenceRow& row : read_preferences(path).rows) {
            fuzzing::promise(row.line >= 1 && !row.tie && row.chosen != row.rejected && row.margin >= 0);
        }
    });
    return 0;
}
