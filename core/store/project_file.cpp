// Opening, creating and copying a project file.

#include "core/store/project_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>

#include "core/api/errors.h"
#include "core/store/database.h"
#include "core/store/file_lock.h"
#include "core/store/migrations.h"
#include "core/store/session_rows.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

constexpr const char* creating = "create project";
constexpr const char* opening = "open project";
constexpr const char* copying = "save copy";

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

/// Folder entries reach the disk only when the folder is synchronised too.
void synchronise(const fs::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        ::fsync(descriptor);
        ::close(descriptor);
    }
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// A file beside its place that is removed unless renamed to it. The target's lock must be held: a name that
/// does not change lets the next try clear what a killed one left.
class AsideFile {
  public:
    AsideFile(const fs::path& target, const char* operation)
        : target_(target), path_(target.string() + ".part"), operation_(operation) {
        remove();
    }
    ~AsideFile() { remove(); }
    AsideFile(const AsideFile&) = delete;
    AsideFile& operator=(const AsideFile&) = delete;

    const fs::path& path() const { return path_; }

    void rename_to_target() {
        synchronise(path_);
        std::error_code error;
        fs::rename(path_, target_, error);
        if (error) {
            throw Error(operation_, target_.string() + ": the finished file cannot be moved to its place (" +
                                        error.message() + "); choose another");
        }
        synchronise(folder_of(target_));
    }

  private:
    void remove() {
        std::error_code ignored;
        for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
            fs::remove(path_.string() + suffix, ignored);
        }
    }
    fs::path target_, path_;
    const char* operation_;
};

void require(const UpgradeResult& result, const fs::path& path) {
    switch (result.outcome) {
        case Upgrade::created:
        case Upgrade::current:
        case Upgrade::upgraded:
            return;
        case Upgrade::newer:
            throw Error(opening, path.string() + ": it was written by a newer Plumbline (file version " +
                                     std::to_string(result.from) + ", this program reads up to " +
                                     std::to_string(migrations().size()) + "); update Plumbline");
        case Upgrade::not_a_project:
            throw Error(opening, path.string() +
                                     ": it is a SQLite database but not a Plumbline project; choose "
                                     "another file");
        case Upgrade::failed:
            throw Error(opening, path.string() + ": it could not be brought from file version " +
                                     std::to_string(result.from) + " to " +
                                     std::to_string(migrations().size()) + " and is now at " +
                                     std::to_string(result.to) + " (" + result.reason +
                                     "); free the cause and open it again");
    }
}

/// An empty file is a valid empty database for SQLite; for a person it is no project.
void require_not_empty(Database& db, const fs::path& path) {
    if (db.integer(opening, "SELECT count(*) FROM sqlite_schema") == 0) {
        throw Error(opening, path.string() + ": it is empty, not a Plumbline project; choose another file");
    }
}

/// Everything but the states, whose hashes are checked when they are read.
void require_sound_rows(Database& db, const fs::path& path) {
    for (const char* table : {"model", "config", "settings", "prompts", "generations", "candidates", "labels",
                              "events", "metrics"}) {
        Statement check(db, opening, ("PRAGMA quick_check(" + std::string(table) + ")").c_str());
        if (check.step() && check.text(0) != "ok") {
            throw Error(opening, path.string() + ": the file is damaged (table " + table + ": " +
                                     check.text(0) +
                                     "); open a copy of it, or run `plumbline-cli check` on it");
        }
    }
}

}  // namespace

ProjectFile::ProjectFile(fs::path path, std::unique_ptr<FileLock> lock, std::unique_ptr<Database> db)
    : path_(std::move(path)), lock_(std::move(lock)), db_(std::move(db)) {}

ProjectFile::~ProjectFile() = default;

std::unique_ptr<ProjectFile> ProjectFile::create(const fs::path& path, const ModelInfo& model,
                                                 const SessionConfig& config,
                                                 const std::function<void(ProjectFile&)>& fill) {
    validate(config);
    if (is_there(path)) {
        throw Error(creating, path.string() + ": there is a file of that name; choose another name");
    }
    {
        const FileLock lock(path, creating);
        if (is_there(path)) {
            throw Error(creating, path.string() + ": there is a file of that name; choose another name");
        }
        // A write-ahead log left by a deleted project would be replayed into the new one.
        std::error_code ignored;
        fs::remove(path.string() + "-wal", ignored);
        fs::remove(path.string() + "-shm", ignored);
        AsideFile aside(path, creating);
        {
            ProjectFile unfinished(path, nullptr,
                                   std::make_unique<Database>(aside.path(), Access::create, creating));
            Database& db = *unfinished.db_;
            plumbline::Transaction transaction(db, creating);
            require(upgrade(db, creating), path);
            write_model(db, creating, model);
            write_config(db, creating, config);
            if (fill) {
                fill(unfinished);
            }
            transaction.commit();
        }
        aside.rename_to_target();
    }
    return open(path);
}

std::unique_ptr<ProjectFile> ProjectFile::open(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
        throw Error(opening,
                    path.string() + ": there is no such file; check the name, or look where it was moved");
    }
    if (!fs::is_regular_file(status)) {
        throw Error(opening, path.string() + ": it is a folder or device, not a file; choose a .plumb file");
    }
    auto lock = std::make_unique<FileLock>(path, opening);
    auto db = std::make_unique<Database>(path, Access::read_write, opening);
    require_not_empty(*db, path);
    if (db->is_read_only()) {
        throw Error(opening, path.string() + ": the file is read-only; make it writable or copy it");
    }
    require(upgrade(*db, opening), path);
    db->execute(opening,
                "PRAGMA journal_mode = WAL;"
                "PRAGMA synchronous = FULL;"
                "PRAGMA foreign_keys = ON;"
                // States are large: the log is cut back after each, not kept at its largest.
                "PRAGMA journal_size_limit = 16777216;");
    require_sound_rows(*db, path);
    std::unique_ptr<ProjectFile> file(new ProjectFile(path, std::move(lock), std::move(db)));
    try {
        file->remove_unused_states([] {});
    } catch (const Error&) {
        // What a killed program left costs room and nothing else: no reason to refuse the project.
    }
    return file;
}

void ProjectFile::save_copy(const fs::path& path) const {
    std::error_code ignored;
    if (fs::equivalent(path, path_, ignored)) {
        throw Error(copying, path.string() + " is the open project itself; choose another name");
    }
    if (fs::is_directory(path, ignored)) {
        throw Error(copying, path.string() + " is a folder; name a file");
    }
    const FileLock lock(path, copying);
    AsideFile aside(path, copying);
    Statement copy(*db_, copying, "VACUUM INTO ?");
    copy.bind(1, aside.path().native());
    copy.run();
    // The log of the project that is replaced must not be replayed into this one.
    fs::remove(path.string() + "-wal", ignored);
    fs::remove(path.string() + "-shm", ignored);
    aside.rename_to_target();
}

class ProjectFile::Transaction::Impl {
  public:
    explicit Impl(Database& db) : transaction(db, "save") {}
    plumbline::Transaction transaction;
};

ProjectFile::Transaction::Transaction(ProjectFile& file) : impl_(std::make_unique<Impl>(*file.db_)) {}

ProjectFile::Transaction::~Transaction() = default;

void ProjectFile::Transaction::commit() {
    impl_->transaction.commit();
}

}  // namespace plumbline
