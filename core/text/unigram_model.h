#pragma once
// Unigram segmentation: the tokens whose scores add up to most (Kudo, 1804.10959), by Viterbi's algorithm.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/byte_trie.h"
#include "core/text/word_model.h"

namespace plumbline {

struct UnigramRules {
    struct Token {
        std::string text;
        double score = 0;  // log-probability
    };
    std::vector<Token> tokens;  // by id
    int unknown = -1;           // -1: an unknown character makes encode() throw Error "tokenize: …"
    std::optional<std::array<int, 256>> byte_fallback;  // instead of the unknown token
};

class UnigramModel final : public WordModel {
  public:
    explicit UnigramModel(UnigramRules rules);
    /// Neighbouring unknown characters are one unknown token.
    void encode(std::string_view word, std::vector<int>& out) const override;

  private:
    std::vector<double> scores_;
    ByteTrie trie_;
    double unknown_score_ = 0;
    int unknown_ = -1;
    std::optional<std::array<int, 256>> byte_fallback_;
};

}  // namespace plumbline
