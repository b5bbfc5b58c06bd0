// OPT: a table of positions whose first two rows stand for padding, LayerNorm, ReLU.

#include "core/model/families/catalogue.h"
#include "core/model/families/settings.h"

namespace plumbline {

namespace {

void read_folder(const HfConfig& file, DecoderConfig& c) {
    c.norm = NormKind::layer;
    settings::SizeKeys keys;
    keys.mlp = "ffn_dim";
    keys.kv_heads = "";
    keys.norm_eps = "";
    settings::read_sizes(file, keys, true, c);
    settings::read_activation(file, "activation_function", "relu", c);
    c.qkv_bias = c.output_bias = c.mlp_bias = file.flag_or("enable_bias", true);
    c.gated = false;
    c.first_position = 2;
    c.learned_positions = c.context + c.first_position;
    c.positions.assign(static_cast<std::size_t>(c.blocks), {BlockPositions::Turn::none, 0});
    if (!file.flag_or("do_layer_norm_before", true)) {   // OPT-350m
        file.not_supported("do_layer_norm_before");
    }
    if (file.integer_or("word_embed_proj_dim", c.hidden, 1, 65536) != c.hidden) {
        file.not_supported("word_embed_proj_dim");
    }
    if (file.flag_or("_remove_final_layer_norm", false)) {
        file.not_supported("_remove_final_layer_norm");
    }
    if (!file.flag_or("layer_norm_elementwise_affine", true)) {
        file.not_supported("layer_norm_elementwise_affine");
    }
}

}  // namespace

std::vector<Family> opt_family() {
    const std::vector<Module> folder = {
        {"model.decoder.embed_tokens", {Part::embedding}},
        {"model.decoder.embed_positions", {Part::positions}},
        {"model.decoder.final_layer_norm", {Part::final_norm}},
        {"lm_head", {Part::output}},
        {"model.decoder.layers.{}.self_attn_layer_norm", {Part::attention_norm}},
        {"model.decoder.layers.{}.self_attn.q_proj", {Part::q}},
        {"model.decoder.layers.{}.self_attn.k_proj", {Part::k}},
        {"model.decoder.layers.{}.self_attn.v_proj", {Part::v}},
        {"model.decoder.layers.{}.self_attn.out_proj", {Part::o}},
        {"model.decoder.layers.{}.final_layer_norm", {Part::mlp_norm}},
        {"model.decoder.layers.{}.fc1", {Part::up}},
        {"model.decoder.layers.{}.fc2", {Part::down}},
    };
    return {{"opt", {"opt"}, "", folder, {}, read_folder, nullptr, {}}};
}

}  // namespace plumbline
