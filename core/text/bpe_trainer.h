#pragma once
// Learns a byte-level BPE vocabulary from texts (Sennrich et al., 1508.07909, on GPT-2's byte alphabet).

#include <span>
#include <string>
#include <vector>

namespace plumbline {

enum class SpecialPlace { first, last };  // before or after all other tokens

struct BpeTraining {
    int vocabulary = 1024;  // tokens in all, special ones included; 256 + special tokens at least
    std::vector<std::string> special_tokens;
    SpecialPlace special_place = SpecialPlace::first;
    std::string pre_tokenizer = "gpt-2";  // a name of tokenizer.ggml.pre
};

/// Texts in GPT-2's byte alphabet, as vocabularies of files have them.
struct BpeVocabulary {
    std::vector<std::string> tokens;  // by id; special tokens as they are
    std::vector<std::string> merges;  // "left right", in the order that they are applied
    int first_special = 0, specials = 0;
};

/// Joins the most frequent pair of neighbours again and again; among equals the one with the smaller left id,
/// then the smaller right id. All 256 bytes are tokens. Ends early when no pair is left: the vocabulary is
/// then smaller. The same texts give the same vocabulary. Throws Error "train tokenizer: …" for a vocabulary
/// that is too small, for special tokens that are empty, repeated or a single byte's, and for texts without a
/// word.
BpeVocabulary train_bpe(std::span<const std::string> texts, const BpeTraining& training);

}  // namespace plumbline
