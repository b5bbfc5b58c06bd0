#include "core/formats/csv.h"

namespace plumbline {
namespace {

constexpr std::size_t most_cells = 1024;

}  // namespace

void CsvReader::push(std::string_view part) {
    for (const char c : part) take(c);
}

void CsvReader::take(char c) {
    if (record_.line == 0) record_.line = line_;
    if (++length_ > longest_ && record_.fault.empty()) {
        record_.fault = "it is longer than " + std::to_string(longest_ >> 20) + " MiB" +
                        (state_ == State::quoted ? ", from the quote in line " + std::to_string(quote_line_) + " on" : "");
    }
    if (c == '\n') ++line_;
    const auto keep = [&] {
        if (record_.fault.empty()) cell_.text += c;
    };
    if (state_ == State::carriage_return) {
        if (c == '\n') return end_record();
        if (record_.fault.empty()) cell_.text += '\r';   // no end of a record
        state_ = State::plain;
    }
    switch (state_) {
        case State::quoted:
            if (c == '"') {
                state_ = State::quote_in_quoted;
            } else {
                keep();
            }
            return;
        case State::quote_in_quoted:
            if (c == '"') {   // two stand for one
                keep();
                state_ = State::quoted;
                return;
            }
            state_ = State::plain;
            break;
        case State::start:
            if (c == '"') {
                cell_.quoted = true;
                quote_line_ = line_;
                state_ = State::quoted;
                return;
            }
            state_ = State::plain;
            break;
        default: break;
    }
    if (c == ',') {
        end_cell();
    } else if (c == '\n') {
        end_record();
    } else if (c == '\r') {
        state_ = State::carriage_return;
    } else {
        keep();
    }
}

void CsvReader::end_cell() {
    // A cell takes more memory than the comma that it may be in the file.
    if (record_.cells.size() == most_cells && record_.fault.empty()) {
        record_.fault = "it has more than " + std::to_string(most_cells) + " cells";
    }
    if (record_.fault.empty()) record_.cells.push_back(std::move(cell_));
    cell_ = {};
    state_ = State::start;
}

void CsvReader::end_record() {
    const bool blank = record_.cells.empty() && cell_.text.empty() && !cell_.quoted && record_.fault.empty();
    end_cell();
    if (!blank) visit_(record_);
    record_ = {};
    length_ = 0;
}

void CsvReader::finish() {
    if (record_.line == 0) return;
    if (state_ == State::quoted && record_.fault.empty()) {
        record_.fault = "the quote in line " + std::to_string(quote_line_) + " is not closed";
    }
    end_record();
}

std::string csv_cell(std::string_view text) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos && text.front() != ' ' && text.back() != ' ') {
        return std::string(text);
    }
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

}  // namespace plumbline
