#pragma once
// What the families' readers share: sizes, rotary positions, windows, out of config.json and GGUF.

#include <string>
#include <string_view>

#include "core/formats/gguf.h"
#include "core/formats/hf_config.h"
#include "core/model/decoder_config.h"

namespace plumbline::settings {

/// Under what names a family's config.json holds the sizes.
struct SizeKeys {
    std::string_view hidden = "hidden_size", blocks = "num_hidden_layers", heads = "num_attention_heads",
                     kv_heads = "num_key_value_heads", mlp = "intermediate_size", context = "max_position_embeddings",
                     norm_eps = "rms_norm_eps";
};
/// Sizes, norm_eps and tied embeddings; `tied` is the family's default.
void read_sizes(const HfConfig& file, const SizeKeys& keys, bool tied, DecoderConfig& config);
/// rope_theta with rope_scaling, or rope_parameters, for config.turned() entries. Shortens the context where a scaling
/// changes with a text's length: what was read earlier would have to turn again.
void read_rope(const HfConfig& file, double theta, DecoderConfig& config);
/// How many entries of a head turn: a share of them, `partial_rotary_factor` of rope_parameters, else under `key`.
void read_rotary_share(const HfConfig& file, std::string_view key, double fallback, DecoderConfig& config);
/// The parameters of one kind of block (`rope_parameters.full_attention`), or nullopt.
std::optional<HfConfig> rope_of(const HfConfig& file, std::string_view kind);
/// layer_types, by default `is_local(block)`: local blocks see `window` tokens.
void read_windows(const HfConfig& file, std::int64_t window, bool (*is_local)(int block, int period), int period,
                  DecoderConfig& config);
void read_activation(const HfConfig& file, std::string_view key, const std::string& fallback, DecoderConfig& config);

/// Of "<architecture>.*": sizes, norm_eps, tied embeddings by the absence of output.weight.
void read_sizes(const GgufFile& file, DecoderConfig& config);
void read_rope(const GgufFile& file, DecoderConfig& config);
/// Whether blocks have the biases, by the tensors that there are.
void read_biases(const GgufFile& file, DecoderConfig& config);
std::string key(const GgufFile& file, std::string_view name);   // "qwen2.<name>"
double positive_or(const GgufFile& file, std::string_view name, double fallback);

}  // namespace plumbline::settings
