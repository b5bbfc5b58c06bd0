#pragma once
// The tokenizer of a GGUF file as the files of a Hugging Face folder.

#include <string>

namespace plumbline {

class GgufFile;

struct TokenizerFiles {
    std::string tokenizer_json, tokenizer_config_json;
};
/// The same ids for every text as Tokenizer::from_gguf gives; the chat template is kept in tokenizer_config.json.
/// Throws Error "open model: …" for what from_gguf refuses.
TokenizerFiles tokenizer_files(const GgufFile& file);

}  // namespace plumbline
