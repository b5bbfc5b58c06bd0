// What is wrong with a project file, as far as reading it can tell.

#include <array>
#include <functional>
#include <system_error>

#include "core/api/errors.h"
#include "core/formats/sha256.h"
#include "core/store/database.h"
#include "core/store/migrations.h"
#include "core/store/project_file.h"
#include "core/store/session_rows.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

constexpr const char* checking = "check project";

/// Each query returns one text a problem.
constexpr std::array consistency_checks = {
    "SELECT 'pair ' || g.id || ' shows reply ' || s.shown || ', which is not one of its own' FROM "
    "generations AS g "
    "JOIN (SELECT id, left_id AS shown FROM generations UNION SELECT id, right_id FROM generations) AS s "
    "ON s.id = g.id WHERE s.shown NOT IN (SELECT c.id FROM candidates AS c WHERE c.generation_id = g.id)",

    "SELECT 'pair ' || id || ' shows reply ' || left_id || ' on both sides' FROM generations "
    "WHERE left_id = right_id AND (SELECT count(*) FROM candidates WHERE generation_id = generations.id) <> imported",

    "SELECT 'reply ' || c.id || ' has no tokens' FROM candidates AS c JOIN generations AS g ON g.id = c.generation_id "
    "WHERE length(c.ids) = 0 AND NOT g.imported",

    "SELECT 'label ' || l.id || ' belongs to pair ' || l.generation_id || ', which is not there' FROM labels "
    "AS l "
    "WHERE l.generation_id NOT IN (SELECT id FROM generations)",

    "SELECT 'label ' || u.id || ' takes back ' || u.undoes || ', which is no label of the same pair' "
    "FROM labels AS u LEFT JOIN labels AS l ON l.id = u.undoes WHERE u.undoes IS NOT NULL AND "
    "(l.id IS NULL OR l.undoes IS NOT NULL OR l.id >= u.id OR l.generation_id <> u.generation_id)",

    "SELECT 'label ' || undoes || ' is taken back ' || count(*) || ' times' FROM labels "
    "WHERE undoes IS NOT NULL GROUP BY undoes HAVING count(*) > 1",

    "SELECT 'reply ' || id || ' has ' || length(ids) || ' bytes of tokens, ' || length(logprobs) || ', ' || "
    "length(reference_logprobs) || ' and ' || length(reference_logprobs_t1) || ' of log-probabilities' "
    "FROM candidates WHERE length(ids) % 4 <> 0 OR length(logprobs) <> length(ids) OR "
    "length(reference_logprobs) <> length(ids) OR length(reference_logprobs_t1) <> length(ids)",

    "SELECT 'reply ' || id || ' has ' || length(features) || ' bytes of features' FROM candidates "
    "WHERE length(features) % 4 <> 0",

    "SELECT 'event ' || seq || ' follows event ' || before || ': some are missing' FROM "
    "(SELECT seq, lag(seq, 1, 0) OVER (ORDER BY seq) AS before FROM events) WHERE seq <> before + 1",

    "SELECT 'event ' || seq || ' is not JSON' FROM events WHERE NOT json_valid(payload)",

    "SELECT 'checkpoint ''' || name || ''' belongs to event ' || event_seq || ', which is not there' "
    "FROM checkpoints WHERE event_seq < 0 OR event_seq > (SELECT coalesce(max(seq), 0) FROM events)",

    "SELECT 'there are ' || count(*) || ' latest checkpoints' FROM checkpoints WHERE before_label IS NULL "
    "HAVING count(*) > 1",
};

std::unique_ptr<Database> open_for_reading(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
        throw Error(checking, path.string() + ": there is no such file; check the name");
    }
    if (!fs::is_regular_file(status)) {
        throw Error(checking, path.string() + ": it is a folder or device, not a file; choose a .plumb file");
    }
    // The write-ahead log is there while somebody has the project open or when the program was killed.
    const bool log = fs::exists(fs::canonical(path).string() + "-wal", error);
    return std::make_unique<Database>(path, log ? Access::read_only : Access::immutable, checking);
}

/// Runs one check; what it cannot read is a problem too.
void collect(std::vector<std::string>& problems, const std::function<void()>& check) {
    try {
        check();
    } catch (const Error& error) {
        if (problems.empty() || problems.back() != error.what()) {
            problems.emplace_back(error.what());
        }
    }
}

void add_rows(std::vector<std::string>& problems, Database& db, const char* sql) {
    collect(problems, [&] {
        Statement rows(db, checking, sql);
        while (rows.step()) {
            problems.push_back(rows.text(0));
        }
    });
}

void check_integrity(std::vector<std::string>& problems, Database& db) {
    collect(problems, [&] {
        Statement rows(db, checking, "PRAGMA integrity_check(20)");
        while (rows.step()) {
            if (const std::string row = rows.text(0); row != "ok") {
                problems.push_back("damaged: " + row);
            }
        }
    });
    collect(problems, [&] {
        Statement rows(db, checking, "PRAGMA foreign_key_check");
        while (rows.step()) {
            problems.push_back("row " + rows.text(1) + " of " + rows.text(0) + " refers to a row of " +
                               rows.text(2) + " that is not there");
        }
    });
}

void check_hashes(std::vector<std::string>& problems, Database& db) {
    collect(problems, [&] {
        Statement rows(db, checking, "SELECT id, name, hash FROM checkpoints ORDER BY id");
        while (rows.step()) {
            Statement parts(db, checking,
                            "SELECT part FROM state_parts WHERE checkpoint_id = ? ORDER BY number");
            parts.bind(1, rows.integer(0));
            Sha256 hash;
            while (parts.step()) {
                hash.add(parts.bytes(0));
            }
            if (const std::string found = hash.digest(); found != rows.text(2)) {
                problems.push_back("checkpoint '" + rows.text(1) + "' has the hash " + found +
                                   " instead of " + rows.text(2));
            }
        }
    });
}

/// Whether the file is a project of this program's version, so that the other checks can read it.
bool check_kind(std::vector<std::string>& problems, Database& db) {
    const std::size_t before = problems.size();
    collect(problems, [&] {
        const std::int64_t application = db.integer(checking, "PRAGMA application_id");
        const std::int64_t version = db.integer(checking, "PRAGMA user_version");
        const auto newest = static_cast<std::int64_t>(migrations().size());
        if (application != project_application_id) {
            problems.push_back("not a Plumbline project: the application id is " +
                               std::to_string(application));
        } else if (version != newest) {
            problems.push_back("file version " + std::to_string(version) + "; this program checks version " +
                               std::to_string(newest));
        }
    });
    return problems.size() == before;
}

}  // namespace

std::vector<std::string> find_problems(const fs::path& path) {
    const std::unique_ptr<Database> db = open_for_reading(path);
    std::vector<std::string> problems;
    if (!check_kind(problems, *db)) {
        return problems;
    }
    check_integrity(problems, *db);
    for (const char* sql : consistency_checks) {
        add_rows(problems, *db, sql);
    }
    check_hashes(problems, *db);
    collect(problems, [&] { read_model(*db, checking); });
    collect(problems, [&] { read_config(*db, checking); });
    return problems;
}

}  // namespace plumbline
