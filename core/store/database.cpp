#include "core/store/database.h"

#include <sqlite3.h>

#include <cstring>
#include <limits>

#include "core/api/errors.h"

namespace plumbline {
namespace {

std::string reason_of(int code, const std::string& detail, int system_error) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return "the disk is full; free some space and try again";
        case SQLITE_READONLY:
            return "the file is read-only; copy it to a place that you can write to";
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return "access is denied; check the file's permissions";
        case SQLITE_NOTADB:
            return "it is not a SQLite database, so not a Plumbline project; choose another file";
        case SQLITE_CORRUPT:
            return "the file is damaged (" + detail + "); open a copy of it";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "another program is using the file; close it there";
        case SQLITE_CANTOPEN:
            return "it cannot be opened; check that the file and its folder are there and that you may use "
                   "them";
        case SQLITE_IOERR:
            return "reading or writing failed (" + detail +
                   (system_error != 0 ? std::string(", ") + std::strerror(system_error) : "") +
                   "); check the disk and try again";
        case SQLITE_TOOBIG:
            return "a value is too large for the file (" + detail + "); save less at once";
        default:
            return detail + "; run `plumbline-cli check` on the file";
    }
}

/// The only way to tell SQLite that a file is immutable.
std::string immutable_uri(const std::string& path) {
    std::string out = "file:";
    for (const char c : path) {
        out += c == '%' ? "%25" : c == '?' ? "%3f" : c == '#' ? "%23" : std::string(1, c);
    }
    return out + "?immutable=1";
}

int flags_of(Access access) {
    switch (access) {
        case Access::immutable:
            return SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
        case Access::read_only:
            return SQLITE_OPEN_READONLY;
        case Access::read_write:
            return SQLITE_OPEN_READWRITE;
        case Access::create:
            break;
    }
    return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
}

}  // namespace

Database::Database(const std::filesystem::path& path, Access access, const char* operation) : path_(path) {
    const std::string name = access == Access::immutable ? immutable_uri(path.string()) : path.string();
    const int flags = flags_of(access) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
    if (code != SQLITE_OK) {
        const std::string reason =
            reason_of(code, sqlite3_errstr(code), handle_ != nullptr ? sqlite3_system_errno(handle_) : 0);
        sqlite3_close(handle_);
        throw Error(operation, path.string() + ": " + reason);
    }
    sqlite3_busy_timeout(handle_, 5000);
    // A project file may come from anybody: its schema gets no functions with side effects.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
}

Database::~Database() {
    sqlite3_close(handle_);
}

void Database::fail(const char* operation, int code) const {
    throw Error(operation, path_.string() + ": " +
                               reason_of(code, sqlite3_errmsg(handle_), sqlite3_system_errno(handle_)));
}

void Database::execute(const char* operation, const char* sql) {
    if (const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); code != SQLITE_OK) {
        fail(operation, code);
    }
}

std::int64_t Database::integer(const char* operation, const char* sql) {
    Statement statement(*this, operation, sql);
    return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::last_id() const {
    return sqlite3_last_insert_rowid(handle_);
}

int Database::changed_rows() const {
    return sqlite3_changes(handle_);
}

bool Database::in_transaction() const {
    return sqlite3_get_autocommit(handle_) == 0;
}

bool Database::is_read_only() const {
    return sqlite3_db_readonly(handle_, "main") == 1;
}

Statement::Statement(Database& database, const char* operation, const char* sql)
    : database_(database), operation_(operation) {
    check(sqlite3_prepare_v2(database.handle_, sql, -1, &handle_, nullptr));
}

Statement::~Statement() {
    sqlite3_finalize(handle_);
}

void Statement::check(int code) const {
    if (code != SQLITE_OK) {
        database_.fail(operation_, code);
    }
}

Statement& Statement::bind(int parameter, std::int64_t value) {
    check(sqlite3_bind_int64(handle_, parameter, value));
    return *this;
}

Statement& Statement::bind(int parameter, double value) {
    check(sqlite3_bind_double(handle_, parameter, value));
    return *this;
}

Statement& Statement::bind(int parameter, std::string_view value) {
    // An empty view may have no pointer, which SQLite would take for NULL.
    check(sqlite3_bind_text64(handle_, parameter, value.data() == nullptr ? "" : value.data(), value.size(),
                              SQLITE_STATIC, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind(int parameter, std::span<const std::byte> value) {
    if (value.empty()) {
        check(sqlite3_bind_zeroblob(handle_, parameter, 0));
    } else {
        check(sqlite3_bind_blob64(handle_, parameter, value.data(), value.size(), SQLITE_STATIC));
    }
    return *this;
}

Statement& Statement::bind_reference(int parameter, std::int64_t id) {
    check(id == 0 ? sqlite3_bind_null(handle_, parameter) : sqlite3_bind_int64(handle_, parameter, id));
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(handle_);
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code != SQLITE_DONE) {
        database_.fail(operation_, code);
    }
    return false;
}

void Statement::run() {
    step();
    check(sqlite3_reset(handle_));
}

Statement& Statement::again() {
    sqlite3_reset(handle_);   // what it returns is the failure of the step before, which has thrown
    return *this;
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(handle_, column);
}

double Statement::real(int column) const {
    return sqlite3_column_type(handle_, column) == SQLITE_NULL ? std::numeric_limits<double>::quiet_NaN()
                                                               : sqlite3_column_double(handle_, column);
}

std::string Statement::text(int column) const {
    const unsigned char* data = sqlite3_column_text(handle_, column);
    const int size = sqlite3_column_bytes(handle_, column);
    return data == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(data), size);
}

std::span<const std::byte> Statement::bytes(int column) const {
    const void* data = sqlite3_column_blob(handle_, column);
    const int size = sqlite3_column_bytes(handle_, column);
    return {static_cast<const std::byte*>(data), data == nullptr ? 0 : static_cast<std::size_t>(size)};
}

Transaction::Transaction(Database& database, const char* operation)
    : database_(database), operation_(operation), outermost_(!database.in_transaction()) {
    database_.execute(operation_, outermost_ ? "BEGIN IMMEDIATE" : "SAVEPOINT inner_write");
}

Transaction::~Transaction() {
    if (done_ || !database_.in_transaction()) {
        return;  // SQLite has already rolled back after some errors
    }
    try {
        database_.execute(operation_,
                          outermost_ ? "ROLLBACK" : "ROLLBACK TO inner_write; RELEASE inner_write");
    } catch (const Error&) {
        // The error that led here is on its way to the user; closing the file rolls back as well.
    }
}

void Transaction::commit() {
    database_.execute(operation_, outermost_ ? "COMMIT" : "RELEASE inner_write");
    done_ = true;
}

}  // namespace plumbline
