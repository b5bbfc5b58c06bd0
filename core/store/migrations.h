#pragma once
// The tables of a project file, as a list of steps that is only ever appended to.

#include <span>
#include <string>

namespace plumbline {

class Database;

/// "PLMB": SQLite's application_id of a project file.
constexpr int project_application_id = 0x504C4D42;

/// SQL that takes a file from version i to i + 1, at index i. A released step never changes.
std::span<const char* const> migrations();

enum class Upgrade {
    created,        // an empty database got all tables
    current,        // nothing to do
    upgraded,       // an older version was brought up to date
    newer,          // written by a newer program; untouched
    not_a_project,  // a database of something else; untouched
    failed,         // a step failed; the file is at the last version that succeeded
};

struct UpgradeResult {
    Upgrade outcome{};
    int from = 0, to = 0;  // versions
    std::string reason;    // of `failed`
};

/// Brings the tables to the version steps.size(), each step in one transaction.
UpgradeResult upgrade(Database& database, const char* operation,
                      std::span<const char* const> steps = migrations());

}  // namespace plumbline
