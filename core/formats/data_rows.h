#pragma once
// The rows of a data file: JSON lines or CSV, also compressed with gzip, read from its beginning to its end in constant
// memory.
//
// In CSV the first record names the columns. A cell that is a JSON list of messages, of texts or of numbers is that
// list; an empty cell without quotes is no value; margin, tie, both_bad, label and unix_time are numbers and booleans.

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace plumbline {

struct DataRow {
    int line = 0;           // where it begins, from 1
    double fraction = 0;    // of the file that has been read, 0..1
    const nlohmann::json& value;   // an object
};

enum class PlainLines { refused, as_prompts };   // a file of plain text: bad rows, or {"prompt": line} each

/// Calls `use` with each row. One that is no row, or that `use` refuses with RowError, goes to `refuse` with its line and
/// what is wrong with it. Throws Error as for_each_part, and for CSV without usable columns.
void for_each_row(const std::filesystem::path& file, const std::string& operation,
                  const std::function<void(const DataRow&)>& use,
                  const std::function<void(int line, const std::string& fault)>& refuse,
                  PlainLines plain = PlainLines::refused);

/// The `refuse` of files that are taken whole or not at all: throws Error with the line.
std::function<void(int line, const std::string& fault)> first_bad_row_ends(const std::filesystem::path& file,
                                                                           const std::string& operation);

}  // namespace plumbline
