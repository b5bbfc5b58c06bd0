#pragma once
// The tokenizer of a Hugging Face folder as a GGUF file has it.

#include <string>

#include "core/formats/gguf_writer.h"
#include "core/formats/model_files.h"

namespace plumbline {

/// Byte-level BPE ("gpt2") and BPE with byte fallback ("llama"). Throws Error "export: …" for a tokenizer or a way of
/// cutting words that llama.cpp has no name for.
void add_tokenizer(const ModelFiles& model, GgufWriter& to);
/// The template, and the token that it ends a turn with where that is not EOS; empty: nothing.
void add_chat_template(const ModelFiles& model, const std::string& jinja, GgufWriter& to);

}  // namespace plumbline
