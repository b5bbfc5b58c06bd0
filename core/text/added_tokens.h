#pragma once
// Tokens that stand in a text as themselves, such as <|im_end|>: they are found before anything else is done.

#include <string>
#include <string_view>
#include <vector>

#include "core/text/byte_trie.h"
#include "core/text/unicode.h"

namespace plumbline {

struct AddedToken {
    std::string text;
    int id = -1;
    bool special = false;      // found only where special tokens are parsed
    bool takes_spaces_before = false, takes_spaces_after = false;
    bool whole_word = false;   // only where no letter or digit touches it
};

/// Immutable after construction; may be used from any thread.
class AddedTokens {
  public:
    /// Of equal texts the last counts; empty ones are never found.
    explicit AddedTokens(std::vector<AddedToken> tokens = {});

    struct Section {
        Range range;
        int id = -1;  // -1: between the tokens
    };
    /// Cuts a text at its tokens: from the left, the longest where several begin. Together the sections are the text.
    void split(std::string_view text, bool with_special, std::vector<Section>& out) const;

  private:
    bool fits(const AddedToken& token, std::string_view text, Range place) const;

    std::vector<AddedToken> tokens_;
    ByteTrie all_, not_special_;  // to places in tokens_
};

}  // namespace plumbline
