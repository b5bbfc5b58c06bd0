#pragma once
// What a tokenizer consists of. A file is read into it; Tokenizer runs it.

#include <memory>
#include <string>
#include <vector>

#include "core/text/added_tokens.h"
#include "core/text/normalizer.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/token_decoder.h"
#include "core/text/word_model.h"

namespace plumbline {

struct TokenizerParts {
    struct Token {
        std::string bytes;
        bool special = false;
    };
    std::vector<Token> tokens;  // by id; one that the vocabulary lacks has no bytes

    // In the order that a text takes.
    AddedTokens in_text;         // found in the text as it is
    Normalizer normalizer;       // of what lies between them
    AddedTokens in_normalized;   // found in what that gives
    PreTokenizer pre_tokenizer;  // cuts the rest into words
    std::unique_ptr<const WordModel> model;

    FirstSpaces first_spaces = FirstSpaces::kept;
    int bos = -1, eos = -1, pad = -1;  // -1: none
    std::vector<int> ends;             // what else than EOS ends a reply, in any order
    bool adds_bos = false;
};

}  // namespace plumbline
