#pragma once
// Comma-separated values (RFC 4180), in parts as they come.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

struct CsvCell {
    std::string text;
    bool quoted = false;   // "" is an empty text, nothing at all is no value
};
struct CsvRecord {
    int line = 0;          // where it begins, from 1
    std::vector<CsvCell> cells;
    std::string fault;     // not empty: what is wrong with it; the cells are then incomplete
};

/// Records end with LF or CRLF, outside quotes. What stands between a closing quote and the next comma, and quotes in the
/// midst of a cell without them, are taken as they are, as most readers do. Blank lines are left out.
class CsvReader {
  public:
    CsvReader(std::size_t longest_record, std::function<void(CsvRecord&)> visit)
        : longest_(longest_record), visit_(std::move(visit)) {}
    void push(std::string_view part);
    void finish();

  private:
    enum class State { start, plain, quoted, quote_in_quoted, carriage_return };
    void take(char c);
    void end_cell();
    void end_record();

    const std::size_t longest_;
    const std::function<void(CsvRecord&)> visit_;
    CsvRecord record_;
    CsvCell cell_;
    State state_ = State::start;   // of a cell
    std::size_t length_ = 0;       // of the record, bytes
    int line_ = 1;
    int quote_line_ = 0;
};

/// A cell as a file has it: quoted where it must be, and where it is an empty text.
std::string csv_cell(std::string_view text);

}  // namespace plumbline
