// Gemma 2 and 3: norms around each half of a block whose weights are kept less 1, a scaled embedding, every other or
// every sixth block sees everything; capped scores (2), normed heads and two speeds of turning (3).

#include <cmath>

#include "core/model/families/catalogue.h"
#include "core/model/families/rope_scaling.h"
#include "core/model/families/settings.h"

namespace plumbline {

namespace {

std::vector<Module> folder_names() {
    const auto norm = [](const char* name, Part part) {
        return Module{std::string("model.layers.{}.") + name, {part}, Layout::rows, 1};
    };
    return {{"model.embed_tokens", {Part::embedding}},
            {"model.norm", {Part::final_norm}, Layout::rows, 1},
            {"lm_head", {Part::output}},
            {"model.layers.{}.self_attn.q_proj", {Part::q}},
            {"model.layers.{}.self_attn.k_proj", {Part::k}},
            {"model.layers.{}.self_attn.v_proj", {Part::v}},
            {"model.layers.{}.self_attn.o_proj", {Part::o}},
            {"model.layers.{}.mlp.gate_proj", {Part::gate}},
            {"model.layers.{}.mlp.up_proj", {Part::up}},
            {"model.layers.{}.mlp.down_proj", {Part::down}},
            norm("self_attn.q_norm", Part::q_norm),
            norm("self_attn.k_norm", Part::k_norm),
            norm("input_layernorm", Part::attention_norm),
            norm("post_attention_layernorm", Part::attention_post_norm),
            norm("pre_feedforward_layernorm", Part::mlp_norm),
            norm("post_feedforward_layernorm", Part::mlp_post_norm)};
}

std::vector<Module> gguf_names() {   // norms with their 1
    return {{"token_embd", {Part::embedding}},
            {"output_norm", {Part::final_norm}},
            {"output", {Part::output}},
            {"blk.{}.attn_q", {Part::q}},
            {"blk.{}.attn_k", {Part::k}},
            {"blk.{}.attn_v", {Part::v}},
            {"blk.{}.attn_output", {Part::o}},
            {"blk.{}.ffn_gate", {Part::gate}},
            {"blk.{}.ffn_up", {Part::up}},
            {"blk.{}.ffn_down", {Part::down}},
            {"blk.{}.attn_q_norm", {Part::q_norm}},
            {"blk.{}.attn_k_norm", {Part::k_norm}},
            {"blk.{}.attn_norm", {Part::attention_norm}},
            {"blk.{}.post_attention_norm", {Part::attention_post_norm}},
            {"blk.{}.ffn_norm", {Part::mlp_norm}},
            {"blk.{}.post_ffw_norm", {Part::mlp_post_norm}}};
}

bool unless_last_of(int block, int period) { return (block + 1) % period != 0; }

void make_gemma(DecoderConfig& c) {
    c.post_norms = true;
    c.activation = Activation::gelu_tanh;
    c.embedding_scale = std::sqrt(static_cast<double>(c.hidden));
}

void turn_local_blocks_by(const Rope& rope, DecoderConfig& c) {
    c.local_rope = rope;
    for (BlockPositions& block : c.positions) {
        if (block.window > 0) {
            block.turn = BlockPositions::Turn::local;
        }
    }
}

void read_folder_sizes(const HfConfig& file, DecoderConfig& c) {
    settings::read_sizes(file, {}, true, c);
    make_gemma(c);
    settings::read_activation(file, "hidden_activation", "gelu_pytorch_tanh", c);
    c.qkv_bias = c.output_bias = file.flag_or("attention_bias", false);
    c.attention_scale = 1 / std::sqrt(file.positive_or("query_pre_attn_scalar", 256));
    if (file.has("attn_logit_softcapping")) {
        c.attention_cap = file.positive_or("attn_logit_softcapping", 0);
    }
    if (file.has("final_logit_softcapping")) {
        c.logit_cap = file.positive_or("final_logit_softcapping", 0);
    }
    if (file.flag_or("use_bidirectional_attention", false)) {
        file.not_supported("use_bidirectional_attention");
    }
}

void read_gemma2_folder(const HfConfig& file, DecoderConfig& c) {
    read_folder_sizes(file, c);
    settings::read_rope(file, 10000, c);
    settings::read_windows(file, file.integer_or("sliding_window", 4096, 1, 1 << 20), unless_last_of, 2, c);
}

void read_gemma3_folder(const HfConfig& file, DecoderConfig& c) {
    if (const auto text = file.section("text_config")) {   // a model that sees pictures too: its text part
        return read_gemma3_folder(*text, c);
    }
    read_folder_sizes(file, c);
    c.qk_norm = QkNorm::each_head;
    settings::read_rope(file, 1e6, c);
    const auto period = file.integer_or("sliding_window_pattern", 6, 1, 1024);
    settings::read_windows(file, file.integer_or("sliding_window", 4096, 1, 1 << 20), unless_last_of,
                           static_cast<int>(period), c);
    Rope local{file.positive_or("rope_local_base_freq", 10000), {}, 1};
    if (const auto newer = settings::rope_of(file, "sliding_attention")) {
        local.theta = newer->positive_or("rope_theta", 10000);
        if (newer->text_or("rope_type", "default") != "default") {
            newer->not_supported("rope_type");
        }
    }
    turn_local_blocks_by(local, c);
}

void read_gguf_sizes(const GgufFile& file, std::int64_t usual_period, int blocks_of_27b, DecoderConfig& c) {
    settings::read_sizes(file, c);
    make_gemma(c);
    settings::read_biases(file, c);
    settings::read_rope(file, c);
    const std::int64_t scored = c.blocks == blocks_of_27b ? c.hidden / c.heads : c.head_dim;   // the file does not say
    c.attention_scale = 1 / std::sqrt(static_cast<double>(scored));
    const auto cap = [&](const char* name) {
        return file.find_real(settings::key(file, name)) ? settings::positive_or(file, name, 0) : 0.0;
    };
    c.attention_cap = cap("attn_logit_softcapping");
    c.logit_cap = cap("final_logit_softcapping");
    const auto window = file.find_integer(settings::key(file, "attention.sliding_window"), 0, 1 << 20).value_or(4096);
    const auto period = file.find_integer(settings::key(file, "attention.sliding_window_pattern"), 1, 1024);
    c.positions.resize(static_cast<std::size_t>(c.blocks));
    for (int block = 0; block < c.blocks; ++block) {
        if (unless_last_of(block, static_cast<int>(period.value_or(usual_period)))) {
            c.positions[static_cast<std::size_t>(block)].window = window;
        }
    }
}

void read_gemma2_gguf(const GgufFile& file, DecoderConfig& c) { read_gguf_sizes(file, 2, 46, c); }

void read_gemma3_gguf(const GgufFile& file, DecoderConfig& c) {
    read_gguf_sizes(file, 6, 62, c);
    c.qk_norm = QkNorm::each_head;
    turn_local_blocks_by({settings::positive_or(file, "rope.freq_base_swa", 10000), {}, 1}, c);
}

}  // namespace

std::vector<Family> gemma_families() {
    const std::vector<std::string_view> other = {".rotary_emb.inv_freq"};
    return {{"gemma2", {"gemma2"}, "gemma2", folder_names(), gguf_names(), read_gemma2_folder, read_gemma2_gguf, other},
            {"gemma3", {"gemma3_text", "gemma3"}, "gemma3", folder_names(), gguf_names(), read_gemma3_folder,
             read_gemma3_gguf, other}};
}

}  // namespace plumbline
