#pragma once
// A model of our own making as a GGUF file.

#include <filesystem>
#include <string>

#include "core/formats/gguf_writer.h"
#include "core/model/full_weights.h"
#include "core/text/bpe_trainer.h"

namespace plumbline {

/// The special tokens of a new vocabulary, in this order.
struct DialogueMarks {
    static constexpr const char *pad = "<pad>", *bos = "<bos>", *eos = "<eos>", *user = "<user>",
                                *bot = "<bot>";
};

/// The decoder's numbers and weights. Matrices as `type`, norms as f32. Rows of q and k are interleaved as
/// the format wants them for rotary positions.
void add_decoder(GgufWriter& file, const FullWeights& weights, GgufType type);

/// Tables of a byte-level BPE vocabulary whose special tokens are DialogueMarks, and the chat template
/// <user>prompt<bot>reply<eos>, which leaves system messages out.
void add_dialogue_tokenizer(GgufWriter& file, const BpeVocabulary& vocabulary,
                            const std::string& pre_tokenizer);

}  // namespace plumbline
