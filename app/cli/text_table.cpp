#include "app/cli/text_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/cli/plain_text.h"

namespace plumbline::cli {

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {
    for (Column& column : columns_) {
        column.width = std::max(column.width, width_of(column.title));
    }
}

void TextTable::fit(const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        columns_[i].width = std::max(columns_[i].width, width_of(one_line(row.at(i))));
    }
}

std::string TextTable::header() const {
    std::vector<std::string> titles;
    for (const Column& column : columns_) {
        titles.push_back(column.title);
    }
    return line(titles);
}

std::string TextTable::line(const std::vector<std::string>& row) const {
    std::string out;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const std::string cell = one_line(row.at(i));
        const std::string gap(static_cast<std::size_t>(std::max(0, columns_[i].width - width_of(cell))), ' ');
        out += (i > 0 ? "  " : "") + (columns_[i].align == Align::left ? cell + gap : gap + cell);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

std::string figure(double value) {
    if (!std::isfinite(value)) {
        return "-";
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

std::string counted(std::int64_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string percentage(double share) {
    if (!std::isfinite(share)) {
        return "-";
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.0f%%", 100 * share);
    return text;
}

}  // namespace plumbline::cli
