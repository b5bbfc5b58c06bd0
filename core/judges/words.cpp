#include "core/judges/words.h"

#include <algorithm>

namespace plumbline {
namespace {

bool is_letter(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

/// Words of `phrase` that `words` starts with; 0 when it starts otherwise.
std::size_t match(std::span<const std::string> words, std::string_view phrase) {
    std::size_t matched = 0;
    while (true) {
        const std::size_t space = phrase.find(' ');
        if (matched == words.size() || words[matched] != phrase.substr(0, space)) {
            return 0;
        }
        ++matched;
        if (space == std::string_view::npos) {
            return matched;
        }
        phrase.remove_prefix(space + 1);
    }
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
    constexpr std::string_view typographic_apostrophe = "\u2019";
    std::vector<std::string> out;
    std::string word;
    const auto end_word = [&] {
        while (!word.empty() && word.back() == '\'') {
            word.pop_back();
        }
        if (!word.empty()) {
            out.push_back(std::move(word));
        }
        word.clear();
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool typographic = text.substr(i, typographic_apostrophe.size()) == typographic_apostrophe;
        if (typographic) {
            i += typographic_apostrophe.size() - 1;
        }
        const char c = typographic ? '\'' : text[i];
        if (c == '\'') {
            if (!word.empty()) {
                word += c;
            }
        } else if (is_letter(static_cast<unsigned char>(c))) {
            word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        } else {
            end_word();
            if (std::string_view(".!?;:\n").find(c) != std::string_view::npos) {
                out.emplace_back();
            }
        }
    }
    end_word();
    return out;
}

int count_words(std::string_view text) {
    const std::vector<std::string> words = words_of(text);
    return static_cast<int>(
        std::count_if(words.begin(), words.end(), [](const std::string& word) { return !word.empty(); }));
}

int count_phrases(std::string_view text, std::span<const std::string_view> phrases) {
    const std::vector<std::string> words = words_of(text);
    std::span<const std::string> rest = words;
    int count = 0;
    while (!rest.empty()) {
        std::size_t longest = 0;
        for (const std::string_view phrase : phrases) {
            longest = std::max(longest, match(rest, phrase));
        }
        count += longest > 0 ? 1 : 0;
        rest = rest.subspan(std::max<std::size_t>(longest, 1));
    }
    return count;
}

}  // namespace plumbline
