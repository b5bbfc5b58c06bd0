#pragma once
// The steps of a tokenizer.json: what its normalizer, pre_tokenizer and decoder say.

#include "core/formats/json_node.h"
#include "core/text/normalizer.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/token_decoder.h"

namespace plumbline {

// Null is no step. They throw the file's Error for what is damaged or not supported.
Normalizer normalizer_of(const JsonNode& node);
PreTokenizer pre_tokenizer_of(const JsonNode& node);
TokenDecoder token_decoder_of(const JsonNode& node);

}  // namespace plumbline
