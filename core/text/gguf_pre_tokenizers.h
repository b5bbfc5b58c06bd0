#pragma once
// The rules that a GGUF file names in tokenizer.ggml.pre: each family of models cuts words in its own way.

#include <string_view>
#include <vector>

#include "core/text/pre_tokenizer.h"

namespace plumbline {

struct GgufPreTokenizer {
    std::vector<PreTokenizerStep> steps;  // nothing is left out, and nothing written anew
    /// A word that is a token as a whole is that token, whatever the merges would make of it.
    bool whole_words_first = false;
    /// Whether a text begins with BOS when the file does not say.
    bool adds_bos = false;
};

/// By the name in the file, e.g. "smollm"; throws Error "open model: …" with the known names for another.
GgufPreTokenizer gguf_pre_tokenizer(std::string_view name);
/// Its regular expressions, applied in order, each to the pieces of the one before.
std::vector<std::string_view> gguf_patterns(std::string_view name);

}  // namespace plumbline
