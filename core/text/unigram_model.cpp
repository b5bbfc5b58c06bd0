#include "core/text/unigram_model.h"

#include <algorithm>
#include <limits>

#include "core/api/errors.h"
#include "core/text/unicode.h"

namespace plumbline {
namespace {

constexpr double unknown_penalty = 10;  // below the least score, as in SentencePiece

ByteTrie trie_of(const std::vector<UnigramRules::Token>& tokens) {
    std::vector<std::pair<std::string, int>> texts;
    for (std::size_t id = 0; id < tokens.size(); ++id) {
        if (!tokens[id].text.empty()) texts.emplace_back(tokens[id].text, static_cast<int>(id));
    }
    return ByteTrie(std::move(texts));
}

}  // namespace

UnigramModel::UnigramModel(UnigramRules rules)
    : trie_(trie_of(rules.tokens)), unknown_(rules.unknown), byte_fallback_(rules.byte_fallback) {
    double least = std::numeric_limits<double>::infinity();
    for (const auto& token : rules.tokens) {
        scores_.push_back(token.score);
        least = std::min(least, token.score);
    }
    unknown_score_ = least - unknown_penalty;
}

void UnigramModel::encode(std::string_view word, std::vector<int>& out) const {
    struct Best {  // the best way to a place
        double score = 0;
        std::size_t begin = std::string_view::npos;  // of its last token; npos: none yet
        int id = -1;
    };
    std::vector<Best> best(word.size() + 1);
    for (std::size_t at = 0; at < word.size();) {
        const double so_far = best[at].score;
        const auto offer = [&](std::size_t length, double score, int id) {
            Best& there = best[at + length];
            if (there.begin == std::string_view::npos || so_far + score > there.score)
                there = {so_far + score, at, id};
        };
        const std::size_t character = code_point_at(word, at).length;
        bool known = false;
        trie_.each(word, at, [&](std::size_t length, int id) {
            offer(length, scores_[static_cast<std::size_t>(id)], id);
            known = known || length == character;
        });
        if (!known) offer(character, unknown_score_, unknown_);
        at += character;
    }

    const std::size_t first = out.size();  // from here on the tokens are in reverse
    bool after_unknown = false;
    for (std::size_t end = word.size(); end > 0; end = best[end].begin) {
        const Best& step = best[end];
        if (step.id == unknown_) {
            if (byte_fallback_) {
                for (std::size_t i = end; i-- > step.begin;)
                    out.push_back((*byte_fallback_)[static_cast<unsigned char>(word[i])]);
            } else if (unknown_ < 0) {
                throw Error("tokenize", "the vocabulary has no token for '" +
                                            std::string(word.substr(step.begin, end - step.begin)) +
                                            "' and no unknown token; leave it out of the text");
            } else if (!after_unknown) {
                out.push_back(unknown_);
            }
        } else {
            out.push_back(step.id);
        }
        after_unknown = step.id == unknown_;
    }
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
}

}  // namespace plumbline
