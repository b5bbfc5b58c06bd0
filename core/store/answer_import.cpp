#include "core/store/answer_import.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/store/blobs.h"
#include "core/store/database.h"
#include "core/store/message_list.h"

namespace plumbline {
namespace {

constexpr const char* importing = "import";

}  // namespace

struct AnswerImport::Rows {
    explicit Rows(ProjectFile& project, Database& db)
        : file(project),
          transaction(db, importing),
          prompt(db, importing, "INSERT INTO prompts (id, text, removed) VALUES (?, ?, 1)"),
          // Ids of candidates follow one another: nobody else writes.
          generation(db, importing,
                     "INSERT INTO generations (id, prompt_id, stream, policy_version, temperature, left_id, right_id, "
                     "more_ids, chosen_by, system_prompt, earlier, imported) "
                     "VALUES (?, ?, 0, 0, 1, ?, ?, ?, 'random', ?, ?, 1)"),
          candidate(db, importing,
                    "INSERT INTO candidates (id, generation_id, sample, text, finish, ids, logprobs, "
                    "reference_logprobs, reference_logprobs_t1, features) VALUES (?, ?, ?, ?, 'eos', x'', x'', x'', x'', x'')"),
          label(db, importing,
                "INSERT INTO labels (id, generation_id, choice, strength, places, unix_time, judge) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)"),
          prompt_id(std::min<std::int64_t>(0, db.integer(importing, "SELECT coalesce(min(id), 0) FROM prompts"))),
          generation_id(db.integer(importing, "SELECT coalesce(max(id), 0) FROM generations")),
          candidate_id(db.integer(importing, "SELECT coalesce(max(id), 0) FROM candidates")),
          label_id(db.integer(importing, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'labels'")),
          first_label(label_id + 1) {}

    ProjectFile& file;
    plumbline::Transaction transaction;
    Statement prompt, generation, candidate, label;
    std::int64_t prompt_id, generation_id, candidate_id, label_id;   // given out last
    const std::int64_t first_label;
    std::string prompt_text;   // of prompt_id
    bool any = false;
};

AnswerImport::AnswerImport(ProjectFile& file) : rows_(std::make_unique<Rows>(file, *file.db_)) {}

AnswerImport::~AnswerImport() = default;

void AnswerImport::add(const Answer& answer) {
    Rows& r = *rows_;
    if (!r.any || answer.prompt != r.prompt_text) {
        r.prompt_text = answer.prompt;
        r.any = true;
        r.prompt.bind(1, --r.prompt_id).bind(2, r.prompt_text).run();
    }
    const std::int64_t first = r.candidate_id + 1, generation = ++r.generation_id;
    const auto replies = static_cast<std::int64_t>(answer.replies.size());
    std::vector<std::int64_t> more;
    for (std::int64_t i = 2; i < replies; ++i) more.push_back(first + i);
    const std::string more_text = list_text(more), earlier = message_list(answer.earlier);
    r.generation.bind(1, generation).bind(2, r.prompt_id).bind(3, first).bind(4, replies > 1 ? first + 1 : first);
    r.generation.bind(5, more_text).bind(6, answer.system_prompt).bind(7, earlier).run();
    for (std::int64_t i = 0; i < replies; ++i) {
        const std::string& text = answer.replies[static_cast<std::size_t>(i)];
        r.candidate.bind(1, ++r.candidate_id).bind(2, generation).bind(3, i).bind(4, text).run();
    }
    const std::string places = list_text(answer.verdict.places);
    r.label.bind(1, ++r.label_id).bind(2, generation);
    r.label.bind(3, choice_words.at(static_cast<std::size_t>(answer.verdict.choice)));
    r.label.bind(4, strength_words.at(static_cast<std::size_t>(answer.verdict.strength)));
    r.label.bind(5, places).bind(6, answer.unix_time).bind(7, answer.judge).run();
}

void AnswerImport::commit(const std::string& source) {
    Rows& r = *rows_;
    r.file.add_event({0, "import",
                      nlohmann::json{{"file", source}, {"first_label", r.first_label}, {"last_label", r.label_id}}.dump(),
                      ""});
    r.transaction.commit();
}

}  // namespace plumbline
