// GPT-2: a table of positions, LayerNorm, biases everywhere, and matrices that lie on their side in files.

#include "core/model/families/catalogue.h"
#include "core/model/families/settings.h"

namespace plumbline {

namespace {

void make_gpt2(DecoderConfig& c) {
    c.norm = NormKind::layer;
    c.qkv_bias = c.output_bias = c.mlp_bias = true;
    c.gated = false;
    c.activation = Activation::gelu_tanh;
}

void know_positions_by_table(DecoderConfig& c) {
    c.learned_positions = c.context;
    c.positions.assign(static_cast<std::size_t>(c.blocks), {BlockPositions::Turn::none, 0});
}

void read_folder(const HfConfig& file, DecoderConfig& c) {
    make_gpt2(c);
    settings::read_sizes(file,
                         {"n_embd", "n_layer", "n_head", "", "n_inner", "n_positions", "layer_norm_epsilon"}, true, c);
    settings::read_activation(file, "activation_function", "gelu_new", c);
    know_positions_by_table(c);
    if (!file.flag_or("scale_attn_weights", true)) {
        file.not_supported("scale_attn_weights");
    }
    for (const char* key : {"scale_attn_by_inverse_layer_idx", "add_cross_attention"}) {
        if (file.flag_or(key, false)) {
            file.not_supported(key);
        }
    }
}

void read_gguf(const GgufFile& file, DecoderConfig& c) {
    make_gpt2(c);
    settings::read_sizes(file, c);
    know_positions_by_table(c);
}

}  // namespace

std::vector<Family> gpt2_family() {
    const std::vector<Module> folder = {
        {"transformer.wte", {Part::embedding}},
        {"transformer.wpe", {Part::positions}},
        {"transformer.ln_f", {Part::final_norm}},
        {"lm_head", {Part::output}},
        {"transformer.h.{}.ln_1", {Part::attention_norm}},
        {"transformer.h.{}.attn.c_attn", {Part::q, Part::k, Part::v}, Layout::columns},
        {"transformer.h.{}.attn.c_proj", {Part::o}, Layout::columns},
        {"transformer.h.{}.ln_2", {Part::mlp_norm}},
        {"transformer.h.{}.mlp.c_fc", {Part::up}, Layout::columns},
        {"transformer.h.{}.mlp.c_proj", {Part::down}, Layout::columns},
    };
    const std::vector<Module> gguf = {{"token_embd", {Part::embedding}},
                                      {"position_embd", {Part::positions}},
                                      {"output_norm", {Part::final_norm}},
                                      {"output", {Part::output}},
                                      {"blk.{}.attn_norm", {Part::attention_norm}},
                                      {"blk.{}.attn_qkv", {Part::q, Part::k, Part::v}},
                                      {"blk.{}.attn_output", {Part::o}},
                                      {"blk.{}.ffn_norm", {Part::mlp_norm}},
                                      {"blk.{}.ffn_up", {Part::up}},
                                      {"blk.{}.ffn_down", {Part::down}}};
    return {{"gpt2", {"gpt2"}, "gpt2", folder, gguf, read_folder, read_gguf, {".attn.bias", ".attn.masked_bias"}}};
}

}  // namespace plumbline
