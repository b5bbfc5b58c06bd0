#pragma once
// Aligned columns for people.

#include <cstdint>
#include <string>
#include <vector>

namespace plumbline::cli {

enum class Align { left, right };

struct Column {
    std::string title;
    Align align = Align::right;
    int width = 0;  // characters at least; the title's own when smaller
};

/// Rows may come one by one, as a long job makes them: widths are fixed by the columns and fit().
class TextTable {
  public:
    explicit TextTable(std::vector<Column> columns);

    /// Widens the columns to hold `row`; has one cell a column.
    void fit(const std::vector<std::string>& row);
    std::string header() const;
    std::string line(const std::vector<std::string>& row) const;

  private:
    std::vector<Column> columns_;
};

/// Four significant digits; "-" for what is not finite.
std::string figure(double value);
/// "1 step", "2 steps".
std::string counted(std::int64_t count, const std::string& noun);
/// "12%".
std::string percentage(double share);

}  // namespace plumbline::cli
