#pragma once
// A model as one GGUF file that llama.cpp loads.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/formats/weight_source.h"

namespace plumbline {

struct WrittenModel {
    std::int64_t tensors = 0;
    std::uint64_t bytes = 0;           // of the files
    std::vector<std::string> notes;    // what was not written as asked for, in words
};

/// What write_gguf would say, before anything is done: what llama.cpp will do otherwise than the model asks, in words.
/// Throws Error "export: …" for a model that GGUF or this version cannot express; a GGUF file can be written again.
std::vector<std::string> check_gguf(const ModelFiles& model);

/// The settings and the tokenizer are those of `model`, the weights those of `source`. Matrices become `type`, vectors
/// F32; matrices whose rows are no whole number of blocks become F16, and the token matrices stay at Q8_0 where a type
/// has fewer bits. `before_each`, if any, is called with the share done, 0..1; what it throws ends the writing, and
/// nothing is left of it. `chat_template` stands in place of the model's own; empty: that. Throws Error "export: …" for
/// what GGUF or this version cannot express.
WrittenModel write_gguf(const ModelFiles& model, const WeightSource& source, GgufType type, const std::string& name,
                        const std::filesystem::path& out, const std::function<void(double)>& before_each,
                        const std::string& chat_template = {});

}  // namespace plumbline
