#include "core/text/bpe_model.h"

#include "core/text/unicode.h"

namespace plumbline {

BpeModel::BpeModel(BpeRules rules)
    : rules_(std::move(rules)),
      pairs_(rules_.merges.size()),
      neighbours_(rules_.prefix.empty() && rules_.suffix.empty() ? rules_.merges.size() : 0),
      affixed_(!rules_.prefix.empty() || !rules_.suffix.empty()) {
    for (const auto& merge : rules_.merges) pairs_.add(merge.left, merge.right, merge.rank, merge.merged);
    if (affixed_) return;
    const auto add_character = [&](std::string_view text, int id) {
        if (text.empty()) return;
        const CodePoint c = code_point_at(text, 0);
        if (c.length == text.size()) characters_.set(c.value, id);
    };
    for (const auto& [text, id] : rules_.ids) add_character(text, id);
    for (std::size_t i = 0; i < rules_.unwritten.size(); ++i)
        add_character(rules_.unwritten[i], rules_.vocabulary + static_cast<int>(i));

    struct Ends {
        int first = -1, last = -1;
    };
    std::vector<Ends> ends(static_cast<std::size_t>(rules_.vocabulary) + rules_.unwritten.size());
    const auto add_ends = [&](std::string_view text, int id) {
        if (text.empty()) return;
        ends[static_cast<std::size_t>(id)] = {characters_.find(code_point_at(text, 0).value),
                                              characters_.find(last_code_point(text).value)};
    };
    for (const auto& [text, id] : rules_.ids) add_ends(text, id);
    for (std::size_t i = 0; i < rules_.unwritten.size(); ++i)
        add_ends(rules_.unwritten[i], rules_.vocabulary + static_cast<int>(i));
    for (const auto& merge : rules_.merges) {
        const int left = ends[static_cast<std::size_t>(merge.left)].last;
        const int right = ends[static_cast<std::size_t>(merge.right)].first;
        if (left >= 0 && right >= 0) neighbours_.add(left, right, 0, 0);
    }
}

void BpeModel::encode(std::string_view word, std::vector<int>& out) const {
    if (rules_.whole_words_first) {
        const auto found = rules_.ids.find(word);
        if (found != rules_.ids.end()) {
            out.push_back(found->second);
            return;
        }
    }
    std::vector<int> symbols;
    append_symbols(word, symbols);
    constexpr std::size_t short_word = 24;
    if (affixed_ || symbols.size() <= short_word) return merge_and_append(symbols, out);
    // A long one, perhaps a whole text, is cut where no merge can cross, which changes nothing but the time.
    std::vector<int> part;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        part.push_back(symbols[i]);
        if (i + 1 == symbols.size() || !neighbours_.has(symbols[i], symbols[i + 1])) {
            merge_and_append(part, out);
            part.clear();
        }
    }
}

int BpeModel::symbol_of(std::string_view word, std::size_t at, std::size_t length) const {
    if (!affixed_) return characters_.find(code_point_at(word, at).value);
    std::string text(word.substr(at, length));
    if (at > 0) text.insert(0, rules_.prefix);
    if (at + length == word.size()) text += rules_.suffix;
    const auto found = rules_.ids.find(text);
    return found != rules_.ids.end() ? found->second : -1;
}

void BpeModel::append_symbols(std::string_view word, std::vector<int>& symbols) const {
    symbols.reserve(word.size());
    bool after_unknown = false;
    for (std::size_t at = 0; at < word.size();) {
        const std::size_t length = code_point_at(word, at).length;
        const int id = symbol_of(word, at, length);
        if (id >= 0) {
            symbols.push_back(id);
        } else {
            append_unknown(word.substr(at, length), after_unknown, symbols);
        }
        after_unknown = id < 0;
        at += length;
    }
}

void BpeModel::append_unknown(std::string_view character, bool after_unknown, std::vector<int>& symbols) const {
    if (rules_.byte_fallback) {
        for (const char c : character) symbols.push_back((*rules_.byte_fallback)[static_cast<unsigned char>(c)]);
    } else if (rules_.unknown >= 0 && !(after_unknown && rules_.fuse_unknown)) {
        symbols.push_back(rules_.unknown);
    }
}

void BpeModel::merge_and_append(std::vector<int>& symbols, std::vector<int>& out) const {
    pairs_.merge(symbols);
    for (const int symbol : symbols) {
        if (symbol < rules_.vocabulary) {
            out.push_back(symbol);
        } else {  // it found no partner
            append_unknown(rules_.unwritten[static_cast<std::size_t>(symbol - rules_.vocabulary)], false, out);
        }
    }
}

}  // namespace plumbline
