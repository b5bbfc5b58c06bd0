// States of the weights: the latest one, and those that an undo goes back to.

#include <algorithm>

#include "core/api/errors.h"
#include "core/formats/sha256.h"
#include "core/store/database.h"
#include "core/store/project_file.h"

namespace plumbline {
namespace {

constexpr const char* saving = "save checkpoint";
constexpr const char* reading = "read checkpoint";

// Writing one takes about as long as the label of a click: who waits for it does not notice.
constexpr std::size_t part_bytes = std::size_t{1} << 19;

std::int64_t unused_id(Database& db) {
    return db.integer(saving,
                      "SELECT 1 + max((SELECT coalesce(max(id), 0) FROM checkpoints), "
                      "(SELECT coalesce(max(checkpoint_id), 0) FROM state_parts))");
}

/// `written` is called after each part.
void write_parts(Database& db, std::int64_t id, std::span<const std::byte> state,
                 const std::function<void(std::span<const std::byte>)>& written) {
    std::int64_t number = 0;
    do {
        const auto part = state.first(std::min(state.size(), part_bytes));
        {
            // Not kept between parts: what `written` does may need the file for itself.
            Statement row(db, saving,
                          "INSERT INTO state_parts (checkpoint_id, number, part) VALUES (?, ?, ?)");
            row.bind(1, id).bind(2, number++).bind(3, part).run();
        }
        state = state.subspan(part.size());
        written(part);
    } while (!state.empty());
}

void insert_row(Database& db, const StoredCheckpoint& checkpoint, std::int64_t before_label) {
    std::int64_t id = checkpoint.id;
    std::string hash = checkpoint.hash;
    if (id == 0) {
        id = unused_id(db);
        hash = hash.empty() ? sha256(checkpoint.state) : hash;
        write_parts(db, id, checkpoint.state, [](auto) {});
    }
    Statement row(db, saving,
                  "INSERT INTO checkpoints (id, event_seq, before_label, name, policy_steps, hash) "
                  "VALUES (?, ?, ?, ?, ?, ?)");
    row.bind(1, id).bind(2, checkpoint.event_seq).bind_reference(3, before_label).bind(4, checkpoint.name);
    row.bind(5, checkpoint.policy_steps).bind(6, hash).run();
}

/// Carries what was committed from the write-ahead log into the file: a little now, not much at once later.
void empty_log(Database& db) {
    db.execute(saving, "PRAGMA wal_checkpoint(PASSIVE)");
}

/// With its parts, all at once.
void remove_latest(Database& db) {
    db.execute(saving,
               "DELETE FROM state_parts WHERE checkpoint_id IN (SELECT id FROM checkpoints WHERE "
               "before_label IS NULL);"
               "DELETE FROM checkpoints WHERE before_label IS NULL");
}

void prune_undo_states(Database& db, int kept) {
    Statement prune(db, saving,
                    "DELETE FROM checkpoints WHERE before_label IS NOT NULL AND id NOT IN (SELECT id FROM "
                    "checkpoints WHERE before_label IS NOT NULL ORDER BY before_label DESC LIMIT ?)");
    prune.bind(1, kept).run();
}

std::optional<StoredCheckpoint> checked_row(Database& db, Statement& row) {
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
    Statement parts(db, reading, "SELECT part FROM state_parts WHERE checkpoint_id = ? ORDER BY number");
    parts.bind(1, out.id);
    while (parts.step()) {
        const std::span<const std::byte> part = parts.bytes(0);
        out.state.insert(out.state.end(), part.begin(), part.end());
    }
    if (const std::string found = sha256(out.state); found != out.hash) {
        throw Error(reading, db.path().string() + ": checkpoint '" + out.name + "' has the hash " +
                                 found.substr(0, 12) + "… instead of " + out.hash.substr(0, 12) +
                                 "…; the file is damaged, open a copy of it");
    }
    return out;
}

constexpr const char* columns =
    "SELECT id, event_seq, before_label, name, policy_steps, hash FROM checkpoints ";

}  // namespace

void ProjectFile::stage(StoredCheckpoint& checkpoint, const std::function<void()>& between) {
    if (db_->in_transaction()) {
        throw Error(saving, path_.string() + ": a state is staged inside a transaction; commit that first");
    }
    const std::int64_t id = unused_id(*db_);
    Sha256 hash;
    try {
        write_parts(*db_, id, checkpoint.state, [&](std::span<const std::byte> part) {
            between();
            empty_log(*db_);
            hash.add(part);
            between();
        });
    } catch (const Error&) {
        try {
            Statement remove(*db_, saving, "DELETE FROM state_parts WHERE checkpoint_id = ?");
            remove.bind(1, id).run();
        } catch (const Error&) {
            // The first error is the one to tell; the parts are nobody's and go when the file is opened.
        }
        throw;
    }
    checkpoint.id = id;
    checkpoint.hash = hash.digest();
}

void ProjectFile::remove_unused_states(const std::function<void()>& between) {
    const auto next = [&] {
        return db_->integer(
            saving,
            "SELECT id FROM state_parts WHERE checkpoint_id NOT IN (SELECT id FROM checkpoints) "
            "LIMIT 1");
    };
    while (const std::int64_t part = next()) {
        {
            Statement remove(*db_, saving, "DELETE FROM state_parts WHERE id = ?");
            remove.bind(1, part).run();
            if (db_->changed_rows() != 1) {
                throw Error(saving, path_.string() + ": part " + std::to_string(part) +
                                        " of a state is listed but not there; the file is damaged, open a "
                                        "copy of it");
            }
        }
        between();
    }
}

void ProjectFile::save_latest(const StoredCheckpoint& checkpoint) {
    plumbline::Transaction transaction(*db_, saving);
    remove_latest(*db_);
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
