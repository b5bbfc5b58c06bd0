#include "core/formats/gguf_settings.h"

#include <algorithm>
#include <cmath>

#include "core/api/errors.h"
#include "core/formats/hf_config.h"

namespace plumbline {

namespace {

[[noreturn]] void refuse(const ModelFiles& model, const std::string& what) {
    throw Error("export", model.path().string() + ": " + what + "; write a folder instead");
}

/// llama.cpp has one name for the families that differ by settings only.
std::string architecture_of(const ModelFiles& model) {
    const Family& family = model.family();
    if (family.gguf.empty()) {
        refuse(model, "llama.cpp has no models of the family " + std::string(family.name));
    }
    return family.gguf_architecture.empty() ? "llama" : std::string(family.gguf_architecture);
}

/// Sets keys under "<architecture>.".
class Keys {
  public:
    Keys(std::string architecture, GgufWriter& to) : architecture_(std::move(architecture)), to_(to) {}
    void whole(const char* key, std::int64_t value) { set(key, static_cast<std::uint32_t>(value)); }
    void real(const char* key, double value) { set(key, static_cast<float>(value)); }
    void set(const char* key, GgufMetadata value) { to_.set(architecture_ + "." + key, std::move(value)); }

  private:
    std::string architecture_;
    GgufWriter& to_;
};

void add_sizes(const DecoderConfig& c, Keys& keys) {
    keys.whole("context_length", c.context);
    keys.whole("embedding_length", c.hidden);
    keys.whole("block_count", c.blocks);
    keys.whole("feed_forward_length", c.mlp);
    keys.whole("attention.head_count", c.heads);
    keys.whole("attention.head_count_kv", c.kv_heads);
    keys.whole("attention.key_length", c.head_dim);
    keys.whole("attention.value_length", c.head_dim);
    keys.whole("vocab_size", c.vocab);
    const bool rms = c.norm == NormKind::rms;
    keys.real(rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon", c.norm_eps);
}

void add_factors(const char* name, const std::vector<double>& factors, GgufWriter& to) {
    const std::vector<float> values(factors.begin(), factors.end());
    to.add_tensor(name, GgufType::f32, {static_cast<std::int64_t>(values.size())}, values);
}

// LongRoPE's two sets of factors and the context of the long one stand in config.json; the decoder keeps the short one.
void add_longrope(const ModelFiles& model, const HfConfig& config, const HfConfig& scaling, Keys& keys,
                  GgufWriter& to) {
    const DecoderConfig& c = model.config();
    add_factors("rope_factors_short.weight", c.rope.factors, to);
    add_factors("rope_factors_long.weight", scaling.positives("long_factor"), to);
    keys.whole("context_length", config.integer("max_position_embeddings", 2, 1 << 20));
    keys.whole("rope.scaling.original_context_length", c.context);
    keys.real("rope.scaling.attn_factor", c.rope.magnitude);
}

void add_rope(const ModelFiles& model, Keys& keys, GgufWriter& to) {
    const DecoderConfig& c = model.config();
    keys.whole("rope.dimension_count", c.turned());
    keys.real("rope.freq_base", c.rope.theta);
    if (c.rope.factors.empty()) {
        return;
    }
    const HfConfig config(model.path() / "config.json");
    auto scaling = config.section("rope_parameters");
    if (scaling && scaling->has("full_attention")) {   // Gemma 3's; the other blocks are not scaled
        scaling = scaling->section("full_attention");
    }
    if (!scaling) {
        scaling = config.section("rope_scaling");
    }
    const std::string type = scaling ? scaling->text_or("rope_type", scaling->text_or("type", "")) : "";
    const double factor = scaling ? scaling->positive_or("factor", 1) : 1;
    if (type == "linear") {
        keys.set("rope.scaling.type", std::string("linear"));
        keys.real("rope.scaling.factor", factor);
    } else if (type == "llama3" && (c.family == "llama" || c.family == "mistral")) {
        add_factors("rope_freqs.weight", c.rope.factors, to);
    } else if (type == "yarn" && !scaling->has("mscale") && !scaling->has("attention_factor") &&
               !scaling->has("beta_fast") && !scaling->has("beta_slow")) {
        keys.set("rope.scaling.type", std::string("yarn"));
        keys.real("rope.scaling.factor", factor);
        keys.whole("rope.scaling.original_context_length",
                   scaling->integer_or("original_max_position_embeddings", c.context, 2, 1 << 20));
    } else if ((type == "longrope" || type == "su") && c.family == "phi3") {
        add_longrope(model, config, *scaling, keys, to);
    } else {
        refuse(model, "rotary positions scaled by '" + type + "' are not written as GGUF for " + std::string(c.family));
    }
}

std::int64_t widest_window(const DecoderConfig& c) {
    std::int64_t out = 0;
    for (int block = 0; block < c.blocks; ++block) {
        out = std::max(out, c.positions_of(block).window);
    }
    return out;
}

/// Every so many blocks one sees everything, counted from the first such; one more than there are blocks: none does.
int period_of(const ModelFiles& model) {
    const DecoderConfig& c = model.config();
    int period = 0;
    for (int block = 0; block <= c.blocks && period == 0; ++block) {
        period = block == c.blocks || c.positions_of(block).window == 0 ? block + 1 : 0;
    }
    for (int block = 0; block < c.blocks; ++block) {
        if ((c.positions_of(block).window == 0) != ((block + 1) % period == 0)) {
            refuse(model, "the blocks that see everything come at no even distance");
        }
    }
    return period;
}

// llama.cpp takes the scale of scores, and the usual period, from the family and the number of blocks.
void add_gemma(const ModelFiles& model, Keys& keys) {
    const DecoderConfig& c = model.config();
    const bool second = c.family == "gemma2";
    const int blocks_of_27b = second ? 46 : 62, usual_period = second ? 2 : 6;
    const std::int64_t scored = c.blocks == blocks_of_27b ? c.hidden / c.heads : c.head_dim;
    if (std::abs(c.attention_scale * std::sqrt(static_cast<double>(scored)) - 1) > 1e-6) {
        refuse(model, "query_pre_attn_scalar is not the " + std::to_string(scored) + " that llama.cpp takes for it");
    }
    if (const int period = period_of(model); period != usual_period && std::min(period, usual_period) <= c.blocks) {
        keys.whole("attention.sliding_window_pattern", period);
    }
    keys.whole("attention.sliding_window", widest_window(c));
    if (c.attention_cap > 0) {
        keys.real("attn_logit_softcapping", c.attention_cap);
    }
    if (c.logit_cap > 0) {
        keys.real("final_logit_softcapping", c.logit_cap);
    }
    if (c.family == "gemma3") {
        keys.real("rope.freq_base_swa", c.local_rope.theta);
    }
}

}  // namespace

std::vector<std::string> add_settings(const ModelFiles& model, GgufWriter& to) {
    const DecoderConfig& c = model.config();
    const std::string architecture = architecture_of(model);
    to.set("general.architecture", architecture);
    Keys keys(architecture, to);
    add_sizes(c, keys);
    if (c.family != "gpt2") {
        add_rope(model, keys, to);
    }
    std::vector<std::string> notes;
    const std::int64_t window = widest_window(c);
    if (c.family == "gemma2" || c.family == "gemma3") {
        add_gemma(model, keys);
    } else if (c.family == "phi3") {
        keys.whole("attention.sliding_window", window);
    }
    if (window > 0 && c.family != "gemma2" && c.family != "gemma3") {
        notes.push_back("llama.cpp leaves this model's window of " + std::to_string(window) +
                        " tokens out: longer texts will differ");
    }
    if (c.family == "gpt_neox") {
        keys.set("use_parallel_residual", c.parallel);
    }
    return notes;
}

}  // namespace plumbline
