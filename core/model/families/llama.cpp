// Llama and what differs from it by a few settings: Mistral (a window), Qwen2 (biases), Qwen3 (normed heads), SmolLM3
// (blocks that know no positions), OLMo 2 (norms after each half of a block instead of before).

#include "core/model/families/catalogue.h"
#include "core/model/families/settings.h"

namespace plumbline {

namespace {

std::vector<Module> folder_names(bool norms_after) {
    std::vector<Module> out = {{"model.embed_tokens", {Part::embedding}},
                               {"model.norm", {Part::final_norm}},
                               {"lm_head", {Part::output}},
                               {"model.layers.{}.self_attn.q_proj", {Part::q}},
                               {"model.layers.{}.self_attn.k_proj", {Part::k}},
                               {"model.layers.{}.self_attn.v_proj", {Part::v}},
                               {"model.layers.{}.self_attn.o_proj", {Part::o}},
                               {"model.layers.{}.self_attn.q_norm", {Part::q_norm}},
                               {"model.layers.{}.self_attn.k_norm", {Part::k_norm}},
                               {"model.layers.{}.mlp.gate_proj", {Part::gate}},
                               {"model.layers.{}.mlp.up_proj", {Part::up}},
                               {"model.layers.{}.mlp.down_proj", {Part::down}}};
    if (norms_after) {
        out.push_back({"model.layers.{}.post_attention_layernorm", {Part::attention_post_norm}});
        out.push_back({"model.layers.{}.post_feedforward_layernorm", {Part::mlp_post_norm}});
    } else {
        out.push_back({"model.layers.{}.input_layernorm", {Part::attention_norm}});
        out.push_back({"model.layers.{}.post_attention_layernorm", {Part::mlp_norm}});
    }
    return out;
}

std::vector<Module> gguf_names(bool norms_after, Layout queries_and_keys) {
    std::vector<Module> out = {{"token_embd", {Part::embedding}},
                               {"output_norm", {Part::final_norm}},
                               {"output", {Part::output}},
                               {"blk.{}.attn_q", {Part::q}, queries_and_keys},
                               {"blk.{}.attn_k", {Part::k}, queries_and_keys},
                               {"blk.{}.attn_v", {Part::v}},
                               {"blk.{}.attn_output", {Part::o}},
                               {"blk.{}.attn_q_norm", {Part::q_norm}},
                               {"blk.{}.attn_k_norm", {Part::k_norm}},
                               {"blk.{}.ffn_gate", {Part::gate}},
                               {"blk.{}.ffn_up", {Part::up}},
                               {"blk.{}.ffn_down", {Part::down}}};
    if (norms_after) {
        out.push_back({"blk.{}.post_attention_norm", {Part::attention_post_norm}});
        out.push_back({"blk.{}.post_ffw_norm", {Part::mlp_post_norm}});
    } else {
        out.push_back({"blk.{}.attn_norm", {Part::attention_norm}});
        out.push_back({"blk.{}.ffn_norm", {Part::mlp_norm}});
    }
    return out;
}

void read_folder_sizes(const HfConfig& file, DecoderConfig& c) {
    settings::read_sizes(file, {}, false, c);
    settings::read_activation(file, "hidden_act", "silu", c);
    settings::read_rope(file, 10000, c);
}

void read_gguf_sizes(const GgufFile& file, DecoderConfig& c) {
    settings::read_sizes(file, c);
    settings::read_biases(file, c);
    settings::read_rope(file, c);
}

bool every_block(int, int) { return true; }
bool from_block(int block, int first) { return block >= first; }

void read_llama_folder(const HfConfig& file, DecoderConfig& c) {
    read_folder_sizes(file, c);
    c.qkv_bias = c.output_bias = file.flag_or("attention_bias", false);
    c.mlp_bias = file.flag_or("mlp_bias", false);
}

void read_mistral_folder(const HfConfig& file, DecoderConfig& c) {
    read_folder_sizes(file, c);
    settings::read_windows(file, file.integer_or("sliding_window", 0, 0, 1 << 20), every_block, 0, c);
}

// Windows as Qwen2, Qwen3 and SmolLM3 have them: off unless asked for, then from max_window_layers on.
void read_qwen_windows(const HfConfig& file, DecoderConfig& c) {
    if (file.flag_or("use_sliding_window", false)) {
        settings::read_windows(file, file.integer_or("sliding_window", 0, 0, 1 << 20), from_block,
                               static_cast<int>(file.integer_or("max_window_layers", 28, 0, 1024)), c);
    }
}

void read_qwen2_folder(const HfConfig& file, DecoderConfig& c) {
    read_folder_sizes(file, c);
    c.qkv_bias = true;
    read_qwen_windows(file, c);
}

void read_qwen3_folder(const HfConfig& file, DecoderConfig& c) {
    read_llama_folder(file, c);
    c.qk_norm = QkNorm::each_head;
    read_qwen_windows(file, c);
}

void read_qwen3_gguf(const GgufFile& file, DecoderConfig& c) {
    read_gguf_sizes(file, c);
    c.qk_norm = QkNorm::each_head;
}

void leave_positions_out(DecoderConfig& c, int every) {
    c.positions.resize(static_cast<std::size_t>(c.blocks));
    for (int block = every - 1; block < c.blocks; block += every) {
        c.positions[static_cast<std::size_t>(block)].turn = BlockPositions::Turn::none;
    }
}

void read_smollm3_folder(const HfConfig& file, DecoderConfig& c) {
    read_llama_folder(file, c);
    read_qwen_windows(file, c);
    const std::vector<std::int64_t> turned = file.integers("no_rope_layers");   // 1: turned, whatever the name says
    if (turned.empty()) {
        leave_positions_out(c, static_cast<int>(file.integer_or("no_rope_layer_interval", 4, 1, 1024)));
        return;
    }
    if (turned.size() != static_cast<std::size_t>(c.blocks)) {
        file.fail("no_rope_layers has " + std::to_string(turned.size()) + " entries for " + std::to_string(c.blocks) +
                  " blocks");
    }
    c.positions.resize(turned.size());
    for (std::size_t block = 0; block < turned.size(); ++block) {
        if (turned[block] == 0) {
            c.positions[block].turn = BlockPositions::Turn::none;
        }
    }
}

void read_smollm3_gguf(const GgufFile& file, DecoderConfig& c) {
    read_gguf_sizes(file, c);
    leave_positions_out(c, 4);
}

void norm_after(DecoderConfig& c) {
    c.pre_norms = false;
    c.post_norms = true;
    c.qk_norm = QkNorm::whole;
}

void read_olmo2_folder(const HfConfig& file, DecoderConfig& c) {
    read_folder_sizes(file, c);
    c.qkv_bias = c.output_bias = file.flag_or("attention_bias", false);
    norm_after(c);
}

void read_olmo2_gguf(const GgufFile& file, DecoderConfig& c) {
    read_gguf_sizes(file, c);
    norm_after(c);
}

}  // namespace

std::vector<Family> llama_families() {
    const std::vector<std::string_view> masks = {".rotary_emb.inv_freq"};
    const std::vector<Module> folder = folder_names(false), pairs = gguf_names(false, Layout::pairs),
                              halves = gguf_names(false, Layout::rows);
    return {
        {"llama", {"llama"}, "llama", folder, pairs, read_llama_folder, read_gguf_sizes, masks},
        {"mistral", {"mistral"}, "", folder, pairs, read_mistral_folder, nullptr, masks},   // GGUF calls it llama
        {"qwen2", {"qwen2"}, "qwen2", folder, halves, read_qwen2_folder, read_gguf_sizes, masks},
        {"qwen3", {"qwen3"}, "qwen3", folder, halves, read_qwen3_folder, read_qwen3_gguf, masks},
        {"smollm3", {"smollm3"}, "smollm3", folder, pairs, read_smollm3_folder, read_smollm3_gguf, masks},
        {"olmo2", {"olmo2"}, "olmo2", folder_names(true), gguf_names(true, Layout::rows), read_olmo2_folder,
         read_olmo2_gguf, masks},
    };
}

}  // namespace plumbline
