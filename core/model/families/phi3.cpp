// Phi-3 and Phi-4-mini: Llama with its products in one tensor each, a window, and LongRoPE.

#include "core/model/families/catalogue.h"
#include "core/model/families/settings.h"

namespace plumbline {

namespace {

bool every_block(int, int) { return true; }

void read_folder(const HfConfig& file, DecoderConfig& c) {
    settings::read_sizes(file, {}, false, c);
    settings::read_activation(file, "hidden_act", "silu", c);
    settings::read_rotary_share(file, "partial_rotary_factor", 1, c);
    settings::read_rope(file, 10000, c);
    settings::read_windows(file, file.integer_or("sliding_window", 0, 0, 1 << 20), every_block, 0, c);
}

void read_gguf(const GgufFile& file, DecoderConfig& c) {
    settings::read_sizes(file, c);
    settings::read_rope(file, c);
    const auto window = file.find_integer(settings::key(file, "attention.sliding_window"), 0, 1 << 20).value_or(0);
    c.positions.assign(static_cast<std::size_t>(c.blocks), {BlockPositions::Turn::usual, window});
}

}  // namespace

std::vector<Family> phi3_family() {
    const std::vector<Module> folder = {{"model.embed_tokens", {Part::embedding}},
                                        {"model.norm", {Part::final_norm}},
                                        {"lm_head", {Part::output}},
                                        {"model.layers.{}.self_attn.qkv_proj", {Part::q, Part::k, Part::v}},
                                        {"model.layers.{}.self_attn.o_proj", {Part::o}},
                                        {"model.layers.{}.mlp.gate_up_proj", {Part::gate, Part::up}},
                                        {"model.layers.{}.mlp.down_proj", {Part::down}},
                                        {"model.layers.{}.input_layernorm", {Part::attention_norm}},
                                        {"model.layers.{}.post_attention_layernorm", {Part::mlp_norm}}};
    const std::vector<Module> gguf = {{"token_embd", {Part::embedding}},
                                      {"output_norm", {Part::final_norm}},
                                      {"output", {Part::output}},
                                      {"blk.{}.attn_qkv", {Part::q, Part::k, Part::v}},
                                      {"blk.{}.attn_output", {Part::o}},
                                      {"blk.{}.ffn_up", {Part::gate, Part::up}},
                                      {"blk.{}.ffn_down", {Part::down}},
                                      {"blk.{}.attn_norm", {Part::attention_norm}},
                                      {"blk.{}.ffn_norm", {Part::mlp_norm}}};
    return {{"phi3", {"phi3"}, "phi3", folder, gguf, read_folder, read_gguf, {".rotary_emb.inv_freq"}}};
}

}  // namespace plumbline
