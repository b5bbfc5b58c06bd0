// Prompts, and the replies drawn for them.

#include <algorithm>
#include <map>
#include <set>

#include "core/api/errors.h"
#include "core/store/blobs.h"
#include "core/store/database.h"
#include "core/store/message_list.h"
#include "core/store/project_file.h"

namespace plumbline {
namespace {

constexpr const char* reading = "read replies";
constexpr const char* saving = "save replies";

[[noreturn]] void damaged(const Database& db, const std::string& what) {
    throw Error(reading, db.path().string() + ": " + what + "; the file is damaged, open a copy of it");
}

StoredCandidate candidate_of(const Database& db, const Statement& row) {
    StoredCandidate out;
    out.id = row.integer(0);
    out.generation_id = row.integer(1);
    out.sample = static_cast<int>(row.integer(2));
    out.text = row.text(3);
    const std::string name = "reply " + std::to_string(out.id);
    const auto finish = enum_of<Finish>(finish_words, row.text(4));
    if (!finish) {
        damaged(db, name + " ends as '" + row.text(4) + "'");
    }
    out.finish = *finish;
    const auto fill = [&](auto& member, int column, const char* what) {
        using Element = typename std::remove_reference_t<decltype(member)>::value_type;
        auto values = vector_of<Element>(row.bytes(column));
        if (!values) {
            damaged(db, name + " has " + std::to_string(row.bytes(column).size()) + " bytes of " + what);
        }
        member = std::move(*values);
    };
    fill(out.ids, 5, "tokens");
    fill(out.logprobs, 6, "log-probabilities");
    fill(out.reference_logprobs, 7, "reference log-probabilities");
    fill(out.reference_logprobs_t1, 8, "reference log-probabilities");
    fill(out.features, 9, "features");
    return out;
}

constexpr const char* candidates_of_generation =
    "SELECT id, generation_id, sample, text, finish, ids, logprobs, reference_logprobs, reference_logprobs_t1, features "
    "FROM candidates WHERE generation_id = ? ORDER BY sample";

/// `rows` is the statement above.
void add_candidates(const Database& db, Statement& rows, StoredGeneration& generation) {
    rows.again().bind(1, generation.id);
    while (rows.step()) {
        generation.candidates.push_back(candidate_of(db, rows));
        generation.candidates.back().prompt_id = generation.prompt_id;
    }
    for (const std::int64_t shown : generation.shown()) {
        if (std::none_of(generation.candidates.begin(), generation.candidates.end(),
                         [&](const StoredCandidate& candidate) { return candidate.id == shown; })) {
            damaged(db, "pair " + std::to_string(generation.id) + " shows reply " + std::to_string(shown) +
                            ", which is not one of its own");
        }
    }
}

constexpr const char* generation_columns =
    "SELECT id, prompt_id, stream, policy_version, temperature, left_id, right_id, chosen_by, "
    "system_prompt, more_ids, earlier, imported FROM generations ";

StoredGeneration generation_of(const Database& db, const Statement& row) {
    StoredGeneration out;
    out.id = row.integer(0);
    out.prompt_id = row.integer(1);
    out.stream = static_cast<std::uint64_t>(row.integer(2));
    out.policy_version = static_cast<int>(row.integer(3));
    out.temperature = row.real(4);
    out.left = row.integer(5);
    out.right = row.integer(6);
    const auto chosen_by = enum_of<PairChoice>(pair_choice_words, row.text(7));
    if (!chosen_by) {
        damaged(db, "pair " + std::to_string(out.id) + " is chosen by '" + row.text(7) + "'");
    }
    out.chosen_by = *chosen_by;
    out.system_prompt = row.text(8);
    const auto more = list_of<std::int64_t>(row.text(9));
    if (!more) {
        damaged(db, "pair " + std::to_string(out.id) + " shows '" + row.text(9) + "' beside its two");
    }
    out.more = *more;
    const auto earlier = messages_from(row.text(10));
    if (!earlier) {
        damaged(db, "pair " + std::to_string(out.id) + " follows messages that cannot be read");
    }
    out.earlier = *earlier;
    out.imported = row.integer(11) != 0;
    return out;
}

std::vector<StoredGeneration> read_generations(Database& db, const std::string& condition) {
    std::vector<StoredGeneration> out;
    Statement rows(db, reading, (generation_columns + condition).c_str()), candidates(db, reading, candidates_of_generation);
    while (rows.step()) {
        out.push_back(generation_of(db, rows));
        add_candidates(db, candidates, out.back());
    }
    return out;
}

void require_consistent(const Database& db, const StoredGeneration& generation) {
    const auto refuse = [&](const std::string& what) {
        throw Error(saving, db.path().string() + ": " + what + "; draw the replies again");
    };
    for (const StoredCandidate& candidate : generation.candidates) {
        for (const auto* values :
             {&candidate.logprobs, &candidate.reference_logprobs, &candidate.reference_logprobs_t1}) {
            if (values->size() != candidate.ids.size()) {
                refuse("sample " + std::to_string(candidate.sample) + " has " +
                       std::to_string(candidate.ids.size()) + " tokens but " +
                       std::to_string(values->size()) + " log-probabilities");
            }
        }
    }
    if (generation.left == generation.right && !generation.imported) {
        refuse("sample " + std::to_string(generation.left) + " is on the screen twice");
    }
    std::set<std::int64_t> on_screen;
    for (const std::int64_t sample : generation.shown()) {
        if (!on_screen.insert(sample).second) {
            refuse("sample " + std::to_string(sample) + " is on the screen twice");
        }
    }
}

}  // namespace

std::int64_t ProjectFile::add_prompt(const std::string& text) {
    Statement insert(*db_, "add prompt", "INSERT INTO prompts (text) VALUES (?)");
    insert.bind(1, text).run();
    return db_->last_id();
}

void ProjectFile::remove_prompt(std::int64_t id) {
    Statement update(*db_, "remove prompt", "UPDATE prompts SET removed = 1 WHERE id = ? AND removed = 0");
    update.bind(1, id).run();
    if (db_->changed_rows() == 0) {
        throw Error("remove prompt", path_.string() + ": there is no prompt " + std::to_string(id) +
                                         "; choose one of the list");
    }
}

std::vector<PromptRow> ProjectFile::prompts() const {
    std::vector<PromptRow> out;
    Statement rows(*db_, "read prompts", "SELECT id, text FROM prompts WHERE removed = 0 ORDER BY id");
    while (rows.step()) {
        out.push_back({rows.integer(0), rows.text(1)});
    }
    return out;
}

std::vector<PromptRow> ProjectFile::all_prompts() const {
    std::vector<PromptRow> out;
    Statement rows(*db_, "read prompts", "SELECT id, text FROM prompts ORDER BY id");
    while (rows.step()) {
        out.push_back({rows.integer(0), rows.text(1)});
    }
    return out;
}

void ProjectFile::add_generation(StoredGeneration& generation) {
    require_consistent(*db_, generation);
    StoredGeneration saved = generation;
    plumbline::Transaction transaction(*db_, saving);
    // The pair's sides are known once the candidates have ids; the foreign keys are checked at commit.
    Statement insert(
        *db_, saving,
        "INSERT INTO generations (prompt_id, stream, policy_version, temperature, left_id, right_id, "
        "chosen_by, system_prompt) VALUES (?, ?, ?, ?, 0, 0, ?, ?)");
    insert.bind(1, saved.prompt_id)
        .bind(2, static_cast<std::int64_t>(saved.stream))
        .bind(3, saved.policy_version);
    insert.bind(4, saved.temperature)
        .bind(5, pair_choice_words.at(static_cast<std::size_t>(saved.chosen_by)))
        .bind(6, saved.system_prompt);
    insert.run();
    saved.id = db_->last_id();

    std::map<std::int64_t, std::int64_t> ids;   // by sample
    Statement candidate_row(
        *db_, saving,
        "INSERT INTO candidates (generation_id, sample, text, finish, ids, logprobs, "
        "reference_logprobs, reference_logprobs_t1, features) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (StoredCandidate& candidate : saved.candidates) {
        candidate_row.bind(1, saved.id).bind(2, candidate.sample).bind(3, candidate.text);
        candidate_row.bind(4, finish_words.at(static_cast<std::size_t>(candidate.finish)));
        candidate_row.bind(5, blob_of(candidate.ids)).bind(6, blob_of(candidate.logprobs));
        candidate_row.bind(7, blob_of(candidate.reference_logprobs));
        candidate_row.bind(8, blob_of(candidate.reference_logprobs_t1)).bind(9, blob_of(candidate.features));
        candidate_row.run();
        candidate.id = db_->last_id();
        candidate.generation_id = saved.id;
        candidate.prompt_id = saved.prompt_id;
        ids[candidate.sample] = candidate.id;
    }
    const auto id_of = [&](std::int64_t sample) {
        const auto found = ids.find(sample);
        if (found == ids.end()) {
            throw Error(saving, path_.string() + ": sample " + std::to_string(sample) +
                                    " is on the screen but was not drawn; draw the replies again");
        }
        return found->second;
    };
    saved.left = id_of(saved.left);
    saved.right = id_of(saved.right);
    for (std::int64_t& sample : saved.more) {
        sample = id_of(sample);
    }
    Statement shown(*db_, saving, "UPDATE generations SET left_id = ?, right_id = ?, more_ids = ? WHERE id = ?");
    shown.bind(1, saved.left).bind(2, saved.right).bind(3, list_text(saved.more)).bind(4, saved.id).run();
    transaction.commit();
    generation = std::move(saved);
}

StoredGeneration ProjectFile::generation(std::int64_t id) const {
    Statement row(*db_, reading, (generation_columns + std::string("WHERE id = ?")).c_str());
    row.bind(1, id);
    if (!row.step()) {
        throw Error(reading,
                    path_.string() + ": there is no pair " + std::to_string(id) + "; draw another one");
    }
    StoredGeneration out = generation_of(*db_, row);
    Statement candidates(*db_, reading, candidates_of_generation);
    add_candidates(*db_, candidates, out);
    return out;
}

std::vector<StoredGeneration> ProjectFile::generations(std::int64_t after) const {
    return read_generations(*db_, "WHERE id > " + std::to_string(after) + " ORDER BY id");
}

std::vector<StoredGeneration> ProjectFile::unlabelled_generations() const {
    return read_generations(*db_,
                            "WHERE discarded = 0 AND id NOT IN (SELECT generation_id FROM standing_labels) "
                            "ORDER BY id");
}

void ProjectFile::complete_generation(const StoredGeneration& generation) {
    require_consistent(*db_, generation);
    plumbline::Transaction transaction(*db_, saving);
    Statement update(*db_, saving,
                     "UPDATE candidates SET ids = ?, logprobs = ?, reference_logprobs = ?, reference_logprobs_t1 = ?, "
                     "features = ? WHERE id = ?");
    for (const StoredCandidate& candidate : generation.candidates) {
        update.bind(1, blob_of(candidate.ids)).bind(2, blob_of(candidate.logprobs));
        update.bind(3, blob_of(candidate.reference_logprobs)).bind(4, blob_of(candidate.reference_logprobs_t1));
        update.bind(5, blob_of(candidate.features)).bind(6, candidate.id).run();
    }
    transaction.commit();
}

void ProjectFile::discard_generation(std::int64_t id) {
    Statement update(*db_, "discard pair", "UPDATE generations SET discarded = 1 WHERE id = ?");
    update.bind(1, id).run();
    if (db_->changed_rows() == 0) {
        throw Error("discard pair",
                    path_.string() + ": there is no pair " + std::to_string(id) + "; draw another one");
    }
}

}  // namespace plumbline
