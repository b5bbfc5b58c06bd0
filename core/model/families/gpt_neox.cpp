// GPT-NeoX (Pythia): a quarter of each head turns, attention and MLP read the same state, q, k and v lie head by head.

#include "core/model/families/catalogue.h"
#include "core/model/families/settings.h"

namespace plumbline {

namespace {

void make_neox(DecoderConfig& c) {
    c.norm = NormKind::layer;
    c.mlp_bias = c.qkv_bias = c.output_bias = true;
    c.gated = false;
    c.activation = Activation::gelu;
}

void read_folder(const HfConfig& file, DecoderConfig& c) {
    make_neox(c);
    settings::SizeKeys keys;
    keys.norm_eps = "layer_norm_eps";
    keys.kv_heads = "";
    settings::read_sizes(file, keys, false, c);
    settings::read_activation(file, "hidden_act", "gelu", c);
    c.qkv_bias = c.output_bias = file.flag_or("attention_bias", true);
    c.parallel = file.flag_or("use_parallel_residual", true);
    settings::read_rotary_share(file, "rotary_pct", 0.25, c);
    settings::read_rope(file, file.positive_or("rotary_emb_base", 10000), c);
}

void read_gguf(const GgufFile& file, DecoderConfig& c) {
    make_neox(c);
    settings::read_sizes(file, c);
    settings::read_biases(file, c);
    settings::read_rope(file, c);
    c.parallel = file.find_flag(settings::key(file, "use_parallel_residual")).value_or(true);
}

}  // namespace

std::vector<Family> gpt_neox_family() {
    const std::vector<Module> folder = {
        {"gpt_neox.embed_in", {Part::embedding}},
        {"gpt_neox.final_layer_norm", {Part::final_norm}},
        {"embed_out", {Part::output}},
        {"gpt_neox.layers.{}.input_layernorm", {Part::attention_norm}},
        {"gpt_neox.layers.{}.attention.query_key_value", {Part::q, Part::k, Part::v}, Layout::by_head},
        {"gpt_neox.layers.{}.attention.dense", {Part::o}},
        {"gpt_neox.layers.{}.post_attention_layernorm", {Part::mlp_norm}},
        {"gpt_neox.layers.{}.mlp.dense_h_to_4h", {Part::up}},
        {"gpt_neox.layers.{}.mlp.dense_4h_to_h", {Part::down}},
    };
    const std::vector<Module> gguf = {{"token_embd", {Part::embedding}},
                                      {"output_norm", {Part::final_norm}},
                                      {"output", {Part::output}},
                                      {"blk.{}.attn_norm", {Part::attention_norm}},
                                      {"blk.{}.attn_qkv", {Part::q, Part::k, Part::v}},
                                      {"blk.{}.attn_output", {Part::o}},
                                      {"blk.{}.ffn_norm", {Part::mlp_norm}},
                                      {"blk.{}.ffn_up", {Part::up}},
                                      {"blk.{}.ffn_down", {Part::down}}};
    return {{"gpt_neox", {"gpt_neox"}, "gptneox", folder, gguf, read_folder, read_gguf,
             {".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"}}};
}

}  // namespace plumbline
