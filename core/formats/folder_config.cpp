#include "core/formats/folder_config.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/api/errors.h"

namespace plumbline {

namespace {

using nlohmann::json;

struct Names {
    const char *architecture, *model_type;
};
const std::map<std::string_view, Names>& names() {
    static const std::map<std::string_view, Names> all = {
        {"llama", {"LlamaForCausalLM", "llama"}},       {"mistral", {"MistralForCausalLM", "mistral"}},
        {"qwen2", {"Qwen2ForCausalLM", "qwen2"}},       {"qwen3", {"Qwen3ForCausalLM", "qwen3"}},
        {"smollm3", {"SmolLM3ForCausalLM", "smollm3"}}, {"olmo2", {"Olmo2ForCausalLM", "olmo2"}},
        {"gemma2", {"Gemma2ForCausalLM", "gemma2"}},    {"gemma3", {"Gemma3ForCausalLM", "gemma3_text"}},
        {"phi3", {"Phi3ForCausalLM", "phi3"}},          {"gpt2", {"GPT2LMHeadModel", "gpt2"}},
        {"gpt_neox", {"GPTNeoXForCausalLM", "gpt_neox"}},
    };
    return all;
}

const char* name_of(Activation activation) {
    switch (activation) {
        case Activation::silu: return "silu";
        case Activation::gelu: return "gelu";
        case Activation::gelu_tanh: return "gelu_pytorch_tanh";
        case Activation::relu: return "relu";
    }
    return "";
}

/// Any divisors of the frequencies are a "longrope" whose long and short factors are the same.
void add_rope(const DecoderConfig& c, json& out) {
    out["rope_theta"] = c.rope.theta;
    if (!c.rope.factors.empty()) {
        out["rope_scaling"] = {{"rope_type", "longrope"},
                               {"short_factor", c.rope.factors},
                               {"long_factor", c.rope.factors},
                               {"original_max_position_embeddings", c.context},
                               {"factor", 1.0},
                               {"attention_factor", c.rope.magnitude}};
    }
}

void add_windows(const DecoderConfig& c, json& out) {
    json types = json::array();
    std::int64_t window = 0;
    for (int block = 0; block < c.blocks; ++block) {
        const std::int64_t own = c.positions_of(block).window;
        window = std::max(window, own);
        types.push_back(own > 0 ? "sliding_attention" : "full_attention");
    }
    if (window > 0) {
        out["sliding_window"] = window;
        out["layer_types"] = types;
    }
}

json usual_config(const DecoderConfig& c) {
    json out = {
        {"vocab_size", c.vocab},
        {"hidden_size", c.hidden},
        {"intermediate_size", c.mlp},
        {"num_hidden_layers", c.blocks},
        {"num_attention_heads", c.heads},
        {"num_key_value_heads", c.kv_heads},
        {"head_dim", c.head_dim},
        {"max_position_embeddings", c.context},
        {"rms_norm_eps", c.norm_eps},
        {"hidden_act", name_of(c.activation)},
        {"attention_bias", c.qkv_bias && c.output_bias},
        {"mlp_bias", c.mlp_bias},
        {"attention_dropout", 0.0},
    };
    add_rope(c, out);
    return out;
}

void add_gemma(const DecoderConfig& c, json& out) {
    out["hidden_activation"] = name_of(c.activation);
    out["query_pre_attn_scalar"] = 1 / (c.attention_scale * c.attention_scale);
    out["attn_logit_softcapping"] = c.attention_cap > 0 ? json(c.attention_cap) : json();
    out["final_logit_softcapping"] = c.logit_cap > 0 ? json(c.logit_cap) : json();
    out["rope_local_base_freq"] = c.local_rope.theta;
    add_windows(c, out);
}

json gpt2_config(const DecoderConfig& c) {
    return {{"vocab_size", c.vocab}, {"n_embd", c.hidden},      {"n_inner", c.mlp},
            {"n_layer", c.blocks},   {"n_head", c.heads},       {"n_positions", c.context},
            {"n_ctx", c.context},    {"layer_norm_epsilon", c.norm_eps}, {"activation_function", "gelu_new"}};
}

json gpt_neox_config(const DecoderConfig& c) {
    json out = {{"vocab_size", c.vocab},
                {"hidden_size", c.hidden},
                {"intermediate_size", c.mlp},
                {"num_hidden_layers", c.blocks},
                {"num_attention_heads", c.heads},
                {"max_position_embeddings", c.context},
                {"layer_norm_eps", c.norm_eps},
                {"hidden_act", name_of(c.activation)},
                {"attention_bias", c.qkv_bias},
                {"use_parallel_residual", c.parallel},
                {"rotary_pct", static_cast<double>(c.turned()) / static_cast<double>(c.head_dim)},
                {"rotary_emb_base", c.rope.theta}};
    add_rope(c, out);
    return out;
}

}  // namespace

json folder_config(const DecoderConfig& c) {
    const auto found = names().find(c.family);
    if (found == names().end()) {
        throw Error("export", "a config.json for the family " + std::string(c.family) +
                                  " is not written by this version; export it as gguf");
    }
    json out = c.family == "gpt2" ? gpt2_config(c) : c.family == "gpt_neox" ? gpt_neox_config(c) : usual_config(c);
    if (c.family == "gemma2" || c.family == "gemma3") {
        add_gemma(c, out);
    } else if (c.family == "phi3") {
        out["partial_rotary_factor"] = static_cast<double>(c.turned()) / static_cast<double>(c.head_dim);
        if (const std::int64_t window = c.positions_of(0).window; window > 0) {
            out["sliding_window"] = window;
        }
    } else if (c.family == "smollm3") {
        json turned = json::array();
        for (int block = 0; block < c.blocks; ++block) {
            turned.push_back(c.positions_of(block).turn == BlockPositions::Turn::none ? 0 : 1);
        }
        out["no_rope_layers"] = turned;
    }
    out["architectures"] = {found->second.architecture};
    out["model_type"] = found->second.model_type;
    out["tie_word_embeddings"] = c.tied_embeddings;
    return out;
}

}  // namespace plumbline
