// States of the weights: the latest one, and those that an undo goes back to.

#include "core/api/errors.h"
#include "core/formats/sha256.h"
#include "core/store/database.h"
#include "core/store/project_file.h"

namespace plumbline {
namespace {

constexpr const char* saving = "save checkpoint";
constexpr const char* reading = "read checkpoint";

void insert_row(Database& db, const StoredCheckpoint& checkpoint, std::int64_t before_label) {
    const std::string hash = checkpoint.hash.empty() ? sha256(checkpoint.state) : checkpoint.hash;
    Statement row(db, saving,
                  "INSERT INTO checkpoints (event_seq, before_label, name, policy_steps, hash) "
                  "VALUES (?, ?, ?, ?, ?)");
    row.bind(1, checkpoint.event_seq).bind_reference(2, before_label).bind(3, checkpoint.name);
    row.bind(4, checkpoint.policy_steps).bind(5, hash).run();
    const std::int64_t id = db.last_id();
    Statement state(db, saving, "INSERT INTO states (checkpoint_id, state) VALUES (?, ?)");
    state.bind(1, id).bind(2, std::span(checkpoint.state)).run();
}

void prune_undo_states(Database& db, int kept) {
    Statement prune(db, saving,
                    "DELETE FROM checkpoints WHERE before_label IS NOT NULL AND id NOT IN (SELECT id FROM "
                    "checkpoints WHERE before_label IS NOT NULL ORDER BY before_label DESC LIMIT ?)");
    prune.bind(1, kept).run();
}

std::optional<StoredCheckpoint> checked_row(const Database& db, Statement& row) {
    if (!row.step()) {
        return std::nullopt;
    }
    StoredCheckpoint out;
    out.id = row.integer(0);
    out.event_seq = row.integer(1);
    out.before_label = row.integer(2);
    out.name = row.text(3);
    out.policy_steps = static_cast<int>(row.integer(4));
    out.hash = row.text(5);
    const std::span<const std::byte> state = row.bytes(6);
    out.state.assign(state.begin(), state.end());
    if (const std::string found = sha256(out.state); found != out.hash) {
        throw Error(reading, db.path().string() + ": checkpoint '" + out.name + "' has the hash " +
                                 found.substr(0, 12) + "… instead of " + out.hash.substr(0, 12) +
                                 "…; the file is damaged, open a copy of it");
    }
    return out;
}

constexpr const char* columns =
    "SELECT id, event_seq, before_label, name, policy_steps, hash, state FROM checkpoints LEFT JOIN states "
    "ON "
    "checkpoint_id = id ";

}  // namespace

void ProjectFile::save_latest(const StoredCheckpoint& checkpoint) {
    plumbline::Transaction transaction(*db_, saving);
    db_->execute(saving, "DELETE FROM checkpoints WHERE before_label IS NULL");
    insert_row(*db_, checkpoint, 0);
    transaction.commit();
}

void ProjectFile::save_undo(const StoredCheckpoint& checkpoint, int kept) {
    if (checkpoint.before_label == 0) {
        throw Error(saving, path_.string() + ": the undo state '" + checkpoint.name + "' names no label");
    }
    plumbline::Transaction transaction(*db_, saving);
    Statement same(*db_, saving, "DELETE FROM checkpoints WHERE before_label = ?");
    same.bind(1, checkpoint.before_label).run();
    insert_row(*db_, checkpoint, checkpoint.before_label);
    prune_undo_states(*db_, kept);
    transaction.commit();
}

void ProjectFile::advance(const StoredCheckpoint& checkpoint, std::int64_t label, int kept) {
    plumbline::Transaction transaction(*db_, saving);
    Statement same(*db_, saving, "DELETE FROM checkpoints WHERE before_label = ?");
    same.bind(1, label).run();
    Statement keep(*db_, saving,
                   "UPDATE checkpoints SET before_label = ?, name = ? WHERE before_label IS NULL");
    keep.bind(1, label).bind(2, "before label " + std::to_string(label)).run();
    insert_row(*db_, checkpoint, 0);
    prune_undo_states(*db_, kept);
    transaction.commit();
}

std::optional<StoredCheckpoint> ProjectFile::go_back(std::int64_t label) {
    std::optional<StoredCheckpoint> state = undo_state(label);
    if (!state) {
        return std::nullopt;
    }
    plumbline::Transaction transaction(*db_, saving);
    db_->execute(saving, "DELETE FROM checkpoints WHERE before_label IS NULL");
    Statement restore(*db_, saving,
                      "UPDATE checkpoints SET before_label = NULL, name = 'latest' WHERE id = ?");
    restore.bind(1, state->id).run();
    transaction.commit();
    return state;
}

std::optional<StoredCheckpoint> ProjectFile::latest() const {
    Statement row(*db_, reading, (columns + std::string("WHERE before_label IS NULL")).c_str());
    return checked_row(*db_, row);
}

std::optional<StoredCheckpoint> ProjectFile::undo_state(std::int64_t label) const {
    Statement row(*db_, reading, (columns + std::string("WHERE before_label = ?")).c_str());
    row.bind(1, label);
    return checked_row(*db_, row);
}

}  // namespace plumbline
