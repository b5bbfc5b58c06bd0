#pragma once
// Tokens back to the text's bytes, one by one, so that a reply can be shown while it is written.

#include <string>
#include <variant>
#include <vector>

#include "core/text/normalizer.h"

namespace plumbline {

/// The spaces at the beginning of a text that its tokens have because encoding put them there.
enum class FirstSpaces { kept, one_dropped, all_dropped };

struct BytesOfAlphabetStep {};  // GPT-2's alphabet
struct BytesOfNamesStep {};     // <0x0A>
struct StripTokenStep {         // of each token
    std::string character;
    std::size_t start = 0, stop = 0;
};
using TokenDecoderStep = std::variant<BytesOfAlphabetStep, BytesOfNamesStep, ReplaceStep, StripTokenStep>;

struct TokenDecoder {
    std::vector<TokenDecoderStep> steps;
    FirstSpaces first_spaces = FirstSpaces::kept;

    /// The bytes behind a token that is not the first of a text. An added token is not in GPT-2's alphabet.
    std::string bytes_of(std::string token, bool added) const;
};

/// The byte of a token such as <0x0A>; -1: it is none.
int byte_of_name(std::string_view token);

}  // namespace plumbline
