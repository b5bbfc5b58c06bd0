#include "core/text/pre_tokenizer.h"

#include <algorithm>

#include "core/text/byte_alphabet.h"

namespace plumbline {

const char* const gpt2_pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}++| ?\p{N}++| ?[^\p{White_Space}\p{L}\p{N}]++)"
                                 R"(|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}++)";

DelimiterSearch::DelimiterSearch(const Delimiter& delimiter) : delimiter_(delimiter) {
    if (const auto* regex = std::get_if<Regex>(&delimiter)) regex_.emplace(*regex);
}

void DelimiterSearch::find_all(std::string_view text, std::vector<Range>& out) {
    if (regex_) return regex_->find_all(text, out);
    out.clear();
    if (const auto* literal = std::get_if<std::string>(&delimiter_)) {
        if (literal->empty()) return;
        for (std::size_t at = 0; (at = text.find(*literal, at)) != std::string_view::npos; at += literal->size())
            out.push_back({at, at + literal->size()});
        return;
    }
    const auto is_delimiter = std::get<bool (*)(char32_t)>(delimiter_);
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        if (is_delimiter(c.value)) out.push_back({at, at + c.length});
        at += c.length;
    }
}

namespace {

struct Part {
    Range range;
    bool is_delimiter = false;
};

/// Joins each delimiter with the part before it; a second one in a row stands alone.
void join_with_previous(std::vector<Part>& parts) {
    std::vector<Part> out;
    bool after_delimiter = false;
    for (const Part& part : parts) {
        if (part.is_delimiter && !after_delimiter && !out.empty()) {
            out.back().range.end = part.range.end;
        } else {
            out.push_back(part);
        }
        after_delimiter = part.is_delimiter;
    }
    parts = std::move(out);
}

void join_with_next(std::vector<Part>& parts) {
    std::vector<Part> out;  // from the last to the first
    bool before_delimiter = false;
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        if (part->is_delimiter && !before_delimiter && !out.empty()) {
            out.back().range.begin = part->range.begin;
        } else {
            out.push_back(*part);
        }
        before_delimiter = part->is_delimiter;
    }
    parts.assign(out.rbegin(), out.rend());
}

void join_equal(std::vector<Part>& parts) {
    std::vector<Part> out;
    for (const Part& part : parts) {
        if (!out.empty() && out.back().is_delimiter == part.is_delimiter) {
            out.back().range.end = part.range.end;
        } else {
            out.push_back(part);
        }
    }
    parts = std::move(out);
}

void apply(const SplitStep& step, Words& words) {
    std::vector<Range> out, found;
    std::vector<Part> parts;
    out.reserve(words.words.size() * 2);
    DelimiterSearch search(step.delimiter);
    for (std::size_t i = 0; i < words.words.size(); ++i) {
        const std::string_view word = words[i];
        search.find_all(word, found);
        parts.clear();
        std::size_t at = 0;
        const auto add = [&](std::size_t end, bool is_delimiter) {
            if (at < end) parts.push_back({{at, end}, is_delimiter != step.inverted});
            at = end;
        };
        for (const Range& range : found) {
            add(range.begin, false);
            add(range.end, true);
        }
        add(word.size(), false);
        switch (step.place) {
            case DelimiterPlace::removed:
                std::erase_if(parts, [](const Part& part) { return part.is_delimiter; });
                break;
            case DelimiterPlace::isolated: break;
            case DelimiterPlace::with_previous: join_with_previous(parts); break;
            case DelimiterPlace::with_next: join_with_next(parts); break;
            case DelimiterPlace::contiguous: join_equal(parts); break;
        }
        const std::size_t begin = words.words[i].begin;
        for (const Part& part : parts) out.push_back({begin + part.range.begin, begin + part.range.end});
    }
    words.words = std::move(out);
}

/// Writes the text anew, word by word: write(word, whether it begins the text, out).
template <class Write>
void rewrite(Words& words, Write write) {
    std::string text;
    text.reserve(words.text.size() + words.text.size() / 8);
    for (std::size_t i = 0; i < words.words.size(); ++i) {
        const std::size_t begin = text.size();
        write(words[i], words.at_start && words.words[i].begin == 0, text);
        words.words[i] = {begin, text.size()};  // words[i + 1] still lies in the old text
    }
    words.text = std::move(text);
}

void apply(const LeadingSpaceStep&, Words& words) {
    rewrite(words, [](std::string_view word, bool, std::string& out) {
        if (!word.starts_with(' ')) out += ' ';
        out += word;
    });
}

void apply(const ByteAlphabetStep&, Words& words) {
    rewrite(words, [](std::string_view word, bool, std::string& out) { append_in_byte_alphabet(word, out); });
}

void apply(const MetaspaceStep& step, Words& words) {
    rewrite(words, [&](std::string_view word, bool first, std::string& out) {
        const bool wanted = step.before == MetaspaceStep::Before::always ||
                            (step.before == MetaspaceStep::Before::first && first);
        if (wanted && !word.starts_with(' ') && !word.starts_with(step.mark)) out += step.mark;
        for (const char c : word) {
            if (c == ' ') {
                out += step.mark;
            } else {
                out += c;
            }
        }
    });
}

}  // namespace

Words::Words(std::string whole, bool starts) : text(std::move(whole)), at_start(starts) {
    if (!text.empty()) words.push_back({0, text.size()});
}

void PreTokenizer::apply(Words& words) const {
    const std::size_t bytes = words.text.size();
    for (const PreTokenizerStep& step : steps_) {
        std::visit([&](const auto& s) { plumbline::apply(s, words); }, step);
        require_growth(bytes, words.text.size());
    }
}

}  // namespace plumbline
