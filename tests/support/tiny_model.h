#pragma once
// A tiny Llama of random weights as a GGUF file: fast to make, whole in every part.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/gguf_writer.h"

namespace plumbline::testing {

/// Sizes of the tiny model; weights are N(0, 0.08), norms 1, embeddings tied.
struct TinySizes {
    int hidden = 32, blocks = 4, heads = 4, kv_heads = 2, head_dim = 8, ffn = 64, context = 256;
};

/// The vocabulary: <|endoftext|> 0, <|im_start|> 1 (BOS), <|im_end|> 2 (EOS), the 256 bytes, then one token a
/// merge. Byte-level, pre-tokenizer "smollm", a ChatML template with this system text:
inline constexpr std::string_view tiny_system_text = "You are a tiny model, made for tests";
std::vector<std::string> tiny_tokens();
std::vector<std::string> tiny_merges();  // "t h"
std::string tiny_chat_template();

/// Writes folder/tiny.gguf; the same seed gives the same bytes. Returns its path.
std::filesystem::path write_tiny_model(const std::filesystem::path& folder, std::uint64_t seed);
/// The same as a writer, to be written after a change.
GgufWriter tiny_model(std::uint64_t seed, const TinySizes& sizes = {});
/// Only the metadata of its tokenizer.
void add_tiny_tokenizer(GgufWriter& writer);

}  // namespace plumbline::testing
