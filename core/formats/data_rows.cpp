#include "core/formats/data_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/api/errors.h"
#include "core/formats/csv.h"
#include "core/formats/json_object.h"
#include "core/formats/messages.h"
#include "core/formats/text_parts.h"
#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr std::size_t longest_row = std::size_t{16} << 20;

/// Takes the parts of a file and makes rows of them.
class RowReader {
  public:
    using Use = std::function<void(int line, const json& value)>;       // may throw RowError
    using Refuse = std::function<void(int line, const std::string& fault)>;
    RowReader(Use use, Refuse refuse) : use_(std::move(use)), refuse_(std::move(refuse)) {}
    virtual ~RowReader() = default;
    virtual void push(std::string_view part) = 0;
    virtual void finish() = 0;

  protected:
    template <class Make>
    void give(int line, const Make& value) {
        try {
            use_(line, value());
        } catch (const RowError& error) {
            refuse_(line, error.what());
        }
    }

  private:
    const Use use_;
    const Refuse refuse_;
};

class LineReader : public RowReader {
  public:
    LineReader(Use use, Refuse refuse, bool plain) : RowReader(std::move(use), std::move(refuse)), plain_(plain) {}

    void push(std::string_view part) override {
        while (!part.empty()) {
            const std::size_t end = part.find('\n');
            const std::string_view text = part.substr(0, end);
            if (line_.size() + text.size() > longest_row) too_long_ = true;
            if (!too_long_ && end != std::string_view::npos && line_.empty()) {
                end_line(text);   // whole: no copy
            } else {
                if (!too_long_) line_ += text;
                if (end != std::string_view::npos) end_line(line_);
            }
            part.remove_prefix(std::min(text.size() + 1, part.size()));
        }
    }
    void finish() override {
        if (!line_.empty() || too_long_) end_line(line_);
    }

  private:
    void end_line(std::string_view line) {
        ++number_;
        if (line.ends_with('\r')) line.remove_suffix(1);
        const bool blank = line.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
        if (!blank || too_long_) {
            give(number_, [&] {
                if (too_long_) throw RowError("it is longer than " + std::to_string(longest_row >> 20) + " MiB");
                return plain_ ? json{{"prompt", valid_utf8(line)}} : object_of(line);
            });
        }
        line_.clear();
        too_long_ = false;
    }

    const bool plain_;
    std::string line_;
    bool too_long_ = false;
    int number_ = 0;
};

constexpr std::array list_columns = {"prompt",      "chosen",  "rejected", "completion",
                                     "completions", "ranking", "messages", "response"};
constexpr std::array number_columns = {"margin", "unix_time"};
constexpr std::array flag_columns = {"label", "tie", "both_bad"};
/// One of them tells a file of ours by its first record.
constexpr std::array telling_columns = {"prompt", "chosen", "messages", "text"};

template <std::size_t N>
bool is_one_of(const std::array<const char*, N>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// What a cell of a column means.
json value_of(const std::string& column, const CsvCell& cell) {
    const std::string& text = cell.text;
    if (is_one_of(number_columns, column)) {
        double number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        return error == std::errc() && end == text.data() + text.size() ? json(number) : json(text);
    }
    if (is_one_of(flag_columns, column)) {
        for (const char* yes : {"true", "True", "TRUE", "1", "1.0"}) {
            if (text == yes) return true;
        }
        for (const char* no : {"false", "False", "FALSE", "0", "0.0"}) {
            if (text == no) return false;
        }
        return text;
    }
    if (is_one_of(list_columns, column) && text.starts_with('[')) {
        // A text may begin with a bracket too: a list that is meant as one has objects, or stands where nothing else may.
        const bool wanted = column == "completions" || column == "ranking" || column == "messages";
        try {
            json list = std::move(object_of("{\"list\":" + text + "}")["list"]);
            if (wanted || (!list.empty() && list[0].is_object())) return list;
        } catch (const RowError&) {
            if (wanted || text.starts_with("[{'")) throw RowError(column + " is not a JSON list");
        }
    }
    return text;
}

class CsvRows : public RowReader {
  public:
    /// `fail` throws.
    CsvRows(Use use, Refuse refuse, std::function<void(const std::string&)> fail)
        : RowReader(std::move(use), std::move(refuse)), fail_(std::move(fail)) {}

    void push(std::string_view part) override { reader_.push(part); }
    void finish() override { reader_.finish(); }

  private:
    void take(CsvRecord& record) {
        if (columns_.empty()) return take_header(record);
        give(record.line, [&] {
            if (!record.fault.empty()) throw RowError(record.fault);
            if (record.cells.size() != columns_.size()) {
                throw RowError("it has " + std::to_string(record.cells.size()) + " cells where the header has " +
                               std::to_string(columns_.size()));
            }
            json row = json::object();
            for (std::size_t i = 0; i < columns_.size(); ++i) {
                const CsvCell& cell = record.cells[i];
                if (valid_utf8(cell.text) != cell.text) throw RowError(columns_[i] + " is not UTF-8");
                if (!cell.text.empty() || cell.quoted) row[columns_[i]] = value_of(columns_[i], cell);
            }
            return row;
        });
    }

    void take_header(const CsvRecord& record) {
        if (!record.fault.empty()) fail_("the header: " + record.fault);
        bool telling = false;
        std::string names;
        for (const CsvCell& cell : record.cells) {
            const std::string name = valid_utf8(cell.text);
            if (std::find(columns_.begin(), columns_.end(), name) != columns_.end()) {
                fail_("the header names the column \"" + name + "\" twice; rename one");
            }
            telling = telling || is_one_of(telling_columns, name);
            names += (names.empty() ? "" : ", ") + name.substr(0, 40);
            columns_.push_back(name);
        }
        if (!telling) {
            fail_("the header has " + names.substr(0, 200) +
                  " and none of prompt, chosen, messages and text; name the columns in the first line, between commas");
        }
    }

    const std::function<void(const std::string&)> fail_;
    CsvReader reader_{longest_row, [this](CsvRecord& record) { take(record); }};
    std::vector<std::string> columns_;
};

bool is_named_csv(const std::filesystem::path& file) {
    return file.extension() == ".csv" || (file.extension() == ".gz" && file.stem().extension() == ".csv");
}

/// Whether a file of prompts is JSON lines: its first line decides.
bool begins_with_object(std::string_view text) {
    try {
        object_of(text.substr(0, text.find('\n')));
        return true;
    } catch (const RowError&) {
        return false;
    }
}

bool begins_with_columns(std::string_view text) {
    std::optional<bool> telling;
    CsvReader reader(longest_row, [&](CsvRecord& record) {
        telling = telling.value_or(std::any_of(record.cells.begin(), record.cells.end(), [](const CsvCell& cell) {
                                       return is_one_of(telling_columns, cell.text);
                                   }));
    });
    reader.push(text.substr(0, text.find('\n')));
    reader.finish();
    return telling.value_or(false);
}

}  // namespace

void for_each_row(const std::filesystem::path& file, const std::string& operation,
                  const std::function<void(const DataRow&)>& use,
                  const std::function<void(int, const std::string&)>& refuse, PlainLines plain) {
    double fraction = 0;
    const auto take = [&](int line, const json& value) { use({line, fraction, value}); };
    const auto fail = [&](const std::string& what) { throw Error(operation, file.string() + ": " + what); };
    const auto reader_for = [&](std::string_view beginning) -> std::unique_ptr<RowReader> {
        const bool prompts = plain == PlainLines::as_prompts;
        beginning.remove_prefix(std::min(beginning.find_first_not_of(" \t\r\n\v\f"), beginning.size()));
        if (is_named_csv(file) || (!prompts && begins_with_columns(beginning))) {
            return std::make_unique<CsvRows>(take, refuse, fail);
        }
        return std::make_unique<LineReader>(take, refuse, prompts && !begins_with_object(beginning));
    };
    std::unique_ptr<RowReader> reader;
    for_each_part(file, operation, [&](std::string_view part, double read) {
        fraction = read;
        if (!reader) reader = reader_for(part);
        reader->push(part);
    });
    if (reader) reader->finish();
}

std::function<void(int line, const std::string& fault)> first_bad_row_ends(const std::filesystem::path& file,
                                                                           const std::string& operation) {
    return [file, operation](int line, const std::string& fault) {
        throw Error(operation, file.string() + ": line " + std::to_string(line) + ": " + fault +
                                   "; correct the line or remove it");
    };
}

}  // namespace plumbline
