#pragma once
// Byte-pair encoding of a word: its characters, joined by the merge list (Sennrich et al., 1508.07909).

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/byte_pairs.h"
#include "core/text/text_ids.h"
#include "core/text/word_model.h"

namespace plumbline {

struct BpeRules {
    TextIds ids;  // the tokens that a text may become
    struct Merge {
        int left = 0, right = 0, merged = 0, rank = 0;
    };
    std::vector<Merge> merges;
    bool whole_words_first = false;  // a word that is a token as a whole is that token
    int unknown = -1;                // for a character that is no token; -1: it is left out
    bool fuse_unknown = false;       // one token for neighbours
    /// The tokens of the 256 bytes, for a character that is no token.
    std::optional<std::array<int, 256>> byte_fallback;
    std::string prefix, suffix;  // put before each character but the first, after the last
    /// Characters that are no tokens but take part in merges, with the ids from `vocabulary` on.
    std::vector<std::string> unwritten;
    int vocabulary = 0;
};

class BpeModel final : public WordModel {
  public:
    explicit BpeModel(BpeRules rules);
    void encode(std::string_view word, std::vector<int>& out) const override;

  private:
    void append_symbols(std::string_view word, std::vector<int>& symbols) const;
    int symbol_of(std::string_view word, std::size_t at, std::size_t length) const;
    void append_unknown(std::string_view character, bool after_unknown, std::vector<int>& symbols) const;
    void merge_and_append(std::vector<int>& symbols, std::vector<int>& out) const;

    BpeRules rules_;
    BytePairs pairs_;
    BytePairs neighbours_;     // symbols of characters between which some merge takes place
    CharacterIds characters_;  // unless there is a prefix or suffix
    bool affixed_ = false;
};

}  // namespace plumbline
