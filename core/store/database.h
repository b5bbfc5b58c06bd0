#pragma once
// SQLite behind three RAII types: connection, statement, transaction.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace plumbline {

enum class Access {
    immutable,  // read-only, and nobody else writes: leaves no trace beside the file
    read_only,
    read_write,
    create,
};

/// One connection, for one thread. Failures are Error "<operation>: <file>: <what>; <what to do>".
class Database {
  public:
    Database(const std::filesystem::path& path, Access access, const char* operation);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void execute(const char* operation, const char* sql);
    /// The first column of the first row; 0 without a row.
    std::int64_t integer(const char* operation, const char* sql);
    std::int64_t last_id() const;
    int changed_rows() const;  // by the last statement
    bool in_transaction() const;
    bool is_read_only() const;  // the file, whatever access was asked for
    const std::filesystem::path& path() const { return path_; }

    /// Throws for the SQLite result `code`.
    [[noreturn]] void fail(const char* operation, int code) const;

  private:
    friend class Statement;
    std::filesystem::path path_;
    sqlite3* handle_ = nullptr;
};

/// A prepared statement. Parameters count from 1, columns from 0. Bound text and bytes must outlive step().
class Statement {
  public:
    Statement(Database& database, const char* operation, const char* sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& bind(int parameter, std::int64_t value);
    Statement& bind(int parameter, int value) { return bind(parameter, static_cast<std::int64_t>(value)); }
    Statement& bind(int parameter, double value);  // NaN becomes NULL
    Statement& bind(int parameter, std::string_view value);
    Statement& bind(int parameter, const std::string& value) {
        return bind(parameter, std::string_view(value));
    }
    Statement& bind(int parameter, const char* value) { return bind(parameter, std::string_view(value)); }
    Statement& bind(int parameter, std::span<const std::byte> value);
    /// A row's id, or NULL for 0.
    Statement& bind_reference(int parameter, std::int64_t id);

    bool step();  // whether there is a row
    void run();   // for a statement without rows; can be bound and run again
    Statement& again();   // after the rows of one run: can be bound and stepped again

    std::int64_t integer(int column) const;  // NULL reads as 0
    double real(int column) const;           // NULL reads as NaN
    std::string text(int column) const;
    std::span<const std::byte> bytes(int column) const;  // valid until the next step

  private:
    void check(int code) const;
    Database& database_;
    const char* operation_;
    sqlite3_stmt* handle_ = nullptr;
};

/// The outermost one is a transaction, one inside it a savepoint. Rolls back unless committed.
class Transaction {
  public:
    Transaction(Database& database, const char* operation);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

  private:
    Database& database_;
    const char* operation_;
    bool outermost_;
    bool done_ = false;
};

}  // namespace plumbline
