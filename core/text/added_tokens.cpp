#include "core/text/added_tokens.h"

namespace plumbline {
namespace {

ByteTrie trie_of(const std::vector<AddedToken>& tokens, bool with_special) {
    std::vector<std::pair<std::string, int>> texts;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (!tokens[i].text.empty() && (with_special || !tokens[i].special))
            texts.emplace_back(tokens[i].text, static_cast<int>(i));
    }
    return ByteTrie(std::move(texts));
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), all_(trie_of(tokens_, true)), not_special_(trie_of(tokens_, false)) {}

bool AddedTokens::fits(const AddedToken& token, std::string_view text, Range place) const {
    if (!token.whole_word) return true;
    const bool begins = place.begin == 0 || !is_word(last_code_point(text.substr(0, place.begin)).value);
    return begins && (place.end == text.size() || !is_word(code_point_at(text, place.end).value));
}

void AddedTokens::split(std::string_view text, bool with_special, std::vector<Section>& out) const {
    out.clear();
    const ByteTrie& trie = with_special ? all_ : not_special_;
    std::size_t done = 0;
    for (std::size_t at = 0; !trie.empty() && at < text.size();) {
        if (!trie.begins_with(text[at])) {
            ++at;
            continue;
        }
        const ByteTrie::Match match = trie.longest(text, at);
        if (match.value < 0) {
            ++at;
            continue;
        }
        const AddedToken& token = tokens_[static_cast<std::size_t>(match.value)];
        Range place{at, at + match.length};
        at = place.end;
        if (!fits(token, text, place)) continue;
        while (token.takes_spaces_before && place.begin > done) {
            const CodePoint before = last_code_point(text.substr(0, place.begin));
            if (!is_white_space(before.value)) break;
            place.begin -= before.length;
        }
        while (token.takes_spaces_after && place.end < text.size()) {
            const CodePoint after = code_point_at(text, place.end);
            if (!is_white_space(after.value)) break;
            place.end += after.length;
        }
        if (done < place.begin) out.push_back({{done, place.begin}, -1});
        out.push_back({place, token.id});
        done = at = place.end;
    }
    if (done < text.size()) out.push_back({{done, text.size()}, -1});
}

}  // namespace plumbline
