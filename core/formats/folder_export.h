#pragma once
// A model as a Hugging Face folder that the transformers library loads.

#include <cstdint>
#include <filesystem>
#include <functional>

#include "core/formats/gguf_export.h"

namespace plumbline {

/// config.json, generation_config.json, the tokenizer's files, and the weights of `source` as `type` (F32, F16, BF16)
/// in files of up to `shard_bytes`. A folder's own settings and tokenizer are kept, a GGUF file's are written anew.
/// `out` must not be there or be empty; it appears whole or not at all. `before_each` and `chat_template` as for
/// write_gguf().
WrittenModel write_folder(const ModelFiles& model, const WeightSource& source, GgufType type,
                          const std::filesystem::path& out, std::uint64_t shard_bytes,
                          const std::function<void(double)>& before_each, const std::string& chat_template = {});

}  // namespace plumbline
