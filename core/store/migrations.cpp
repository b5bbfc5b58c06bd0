#include "core/store/migrations.h"

#include <array>

#include "core/api/errors.h"
#include "core/store/database.h"

namespace plumbline {
namespace {

// Choices, finishes and pair choices are words, so that the file can be read with any SQLite tool. Vectors
// are little-endian BLOBs of 4-byte elements. Labels and events are append-only.
constexpr const char* version_1 = R"sql(
CREATE TABLE model (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, architecture TEXT NOT NULL,
    parameters INTEGER NOT NULL, layers INTEGER NOT NULL, hidden INTEGER NOT NULL, heads INTEGER NOT NULL,
    kv_heads INTEGER NOT NULL, vocab INTEGER NOT NULL, context INTEGER NOT NULL,
    dtype TEXT NOT NULL, file_dtype TEXT NOT NULL,
    chat_template TEXT NOT NULL, chat_template_note TEXT NOT NULL, memory_bytes INTEGER NOT NULL
);
CREATE TABLE config (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE prompts (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE generations (
    id INTEGER PRIMARY KEY,
    prompt_id INTEGER NOT NULL REFERENCES prompts (id),
    stream INTEGER NOT NULL,            -- 64 bits, unsigned
    policy_version INTEGER NOT NULL,
    temperature REAL NOT NULL,
    system_prompt TEXT NOT NULL,
    left_id INTEGER NOT NULL REFERENCES candidates (id) DEFERRABLE INITIALLY DEFERRED,
    right_id INTEGER NOT NULL REFERENCES candidates (id) DEFERRABLE INITIALLY DEFERRED,
    more_ids TEXT NOT NULL DEFAULT '',  -- candidates on the screen beside these two, "7 9"
    chosen_by TEXT NOT NULL CHECK (chosen_by IN ('farthest', 'uncertainty', 'information', 'margin', 'random')),
    discarded INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE candidates (
    id INTEGER PRIMARY KEY,
    generation_id INTEGER NOT NULL REFERENCES generations (id),
    sample INTEGER NOT NULL,
    text TEXT NOT NULL,
    finish TEXT NOT NULL CHECK (finish IN ('eos', 'length', 'stop')),
    ids BLOB NOT NULL,                  -- int32 tokens
    logprobs BLOB NOT NULL,             -- float32 a token, as are the next two
    reference_logprobs BLOB NOT NULL,
    reference_logprobs_t1 BLOB NOT NULL,
    features BLOB NOT NULL,             -- float32
    UNIQUE (generation_id, sample)
);
CREATE TABLE labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    generation_id INTEGER NOT NULL REFERENCES generations (id),
    choice TEXT NOT NULL CHECK (choice IN ('left', 'right', 'tie', 'skip', 'both_bad', 'ranking', 'thumbs')),
    strength TEXT NOT NULL DEFAULT 'clear' CHECK (strength IN ('slight', 'clear', 'much')),
    places TEXT NOT NULL DEFAULT '',    -- of a ranking or of thumbs, "2 0 1"
    unix_time REAL NOT NULL,
    judge TEXT NOT NULL,
    undoes INTEGER UNIQUE REFERENCES labels (id) CHECK (undoes < id)
);
CREATE INDEX labels_of_generation ON labels (generation_id);
CREATE VIEW standing_labels AS
    SELECT * FROM labels AS l
    WHERE undoes IS NULL AND NOT EXISTS (SELECT 1 FROM labels AS u WHERE u.undoes = l.id);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,              -- JSON
    weights_hash TEXT NOT NULL          -- empty: unchanged
);
CREATE TABLE metrics (
    id INTEGER PRIMARY KEY,
    label_id INTEGER REFERENCES labels (id),
    name TEXT NOT NULL,
    x REAL,                             -- NULL: not a number, as is the next
    value REAL
);
CREATE INDEX metrics_of_label ON metrics (label_id);
CREATE TABLE checkpoints (
    id INTEGER PRIMARY KEY,
    event_seq INTEGER NOT NULL,
    before_label INTEGER UNIQUE REFERENCES labels (id),   -- NULL: the latest state
    name TEXT NOT NULL,
    policy_steps INTEGER NOT NULL,
    hash TEXT NOT NULL                  -- SHA-256 of the state
);
-- Apart from its row: SQLite rewrites a whole row on update, and a state is megabytes.
CREATE TABLE states (
    checkpoint_id INTEGER PRIMARY KEY REFERENCES checkpoints (id) ON DELETE CASCADE,
    state BLOB NOT NULL
);
CREATE TRIGGER labels_stay BEFORE UPDATE ON labels BEGIN SELECT RAISE(ABORT, 'labels are append-only'); END;
CREATE TRIGGER labels_last BEFORE DELETE ON labels BEGIN SELECT RAISE(ABORT, 'labels are append-only'); END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_last BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
)sql";

// A state in parts, each of which is written and removed in a transaction of its own.
constexpr const char* version_2 = R"sql(
CREATE TABLE state_parts (
    id INTEGER PRIMARY KEY,
    checkpoint_id INTEGER NOT NULL,     -- while there is no such checkpoint, the part is nobody's
    number INTEGER NOT NULL,            -- from 0; the state is all parts in this order
    part BLOB NOT NULL,
    UNIQUE (checkpoint_id, number)
);
INSERT INTO state_parts (checkpoint_id, number, part) SELECT checkpoint_id, 0, state FROM states;
DROP TABLE states;
)sql";

// Answers from files: their replies were not drawn, and have no tokens until they are learned. Their prompts, hidden,
// count down from -1, so that those of a person have the numbers that they would have without them.
constexpr const char* version_3 = R"sql(
ALTER TABLE generations ADD COLUMN earlier TEXT NOT NULL DEFAULT '';   -- JSON, messages between system prompt and prompt
ALTER TABLE generations ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
-- Else SQLite looks through all of them for each reply that is added.
CREATE INDEX generations_of_left ON generations (left_id);
CREATE INDEX generations_of_right ON generations (right_id);
)sql";

constexpr std::array<const char*, 3> all_steps = {version_1, version_2, version_3};

}  // namespace

std::span<const char* const> migrations() {
    return all_steps;
}

UpgradeResult upgrade(Database& database, const char* operation, std::span<const char* const> steps) {
    const auto application = database.integer(operation, "PRAGMA application_id");
    const auto version = static_cast<int>(database.integer(operation, "PRAGMA user_version"));
    const int newest = static_cast<int>(steps.size());
    const bool empty = database.integer(operation, "SELECT count(*) FROM sqlite_schema") == 0;
    const bool fresh = empty && application == 0 && version == 0;
    if (!fresh && (application != project_application_id || version < 1)) {
        return {Upgrade::not_a_project, version, version, {}};
    }
    if (version > newest) {
        return {Upgrade::newer, version, version, {}};
    }
    for (int at = version; at < newest; ++at) {
        try {
            Transaction transaction(database, operation);
            database.execute(operation, steps[static_cast<std::size_t>(at)]);
            database.execute(operation,
                             ("PRAGMA application_id = " + std::to_string(project_application_id)).c_str());
            database.execute(operation, ("PRAGMA user_version = " + std::to_string(at + 1)).c_str());
            transaction.commit();
        } catch (const Error& error) {
            return {Upgrade::failed, version, at, error.what()};
        }
    }
    return {fresh               ? Upgrade::created
            : version == newest ? Upgrade::current
                                : Upgrade::upgraded,
            version,
            newest,
            {}};
}

}  // namespace plumbline
