#include "core/model/families/rope_scaling.h"
#include "core/model/families/settings.h"

#include <cmath>
#include <map>

namespace plumbline::settings {

namespace {

constexpr std::int64_t longest_context = 1 << 20;

}  // namespace

void read_sizes(const HfConfig& file, const SizeKeys& keys, bool tied, DecoderConfig& c) {
    c.vocab = file.integer("vocab_size", 2, 1 << 22);
    c.hidden = file.integer(keys.hidden, 1, 65536);
    c.blocks = static_cast<int>(file.integer(keys.blocks, 1, 1024));
    c.heads = file.integer(keys.heads, 1, 1024);
    c.kv_heads = file.integer_or(keys.kv_heads, c.heads, 1, 1024);
    c.mlp = file.integer_or(keys.mlp, 4 * c.hidden, 1, 1 << 20);
    c.context = file.integer(keys.context, 2, longest_context);
    c.norm_eps = file.positive_or(keys.norm_eps, c.norm == NormKind::rms ? 1e-6 : 1e-5);
    c.tied_embeddings = file.flag_or("tie_word_embeddings", tied);
    if (c.heads % c.kv_heads != 0) {
        file.fail(std::string(keys.heads) + " " + std::to_string(c.heads) + " is not a multiple of " +
                  std::string(keys.kv_heads) + " " + std::to_string(c.kv_heads));
    }
    if (!file.has("head_dim") && c.hidden % c.heads != 0) {
        file.fail(std::string(keys.hidden) + " " + std::to_string(c.hidden) + " is not a multiple of " +
                  std::string(keys.heads) + " " + std::to_string(c.heads));
    }
    c.head_dim = file.integer_or("head_dim", c.hidden / c.heads, 2, 4096);
    if (c.head_dim % 2 != 0) {
        file.fail("a head of " + std::to_string(c.head_dim) + " entries cannot be turned in pairs");
    }
    if (file.has("quantization_config")) {
        file.not_supported("quantization_config");
    }
}

void read_rotary_share(const HfConfig& file, std::string_view key, double fallback, DecoderConfig& c) {
    const auto rope = file.section("rope_parameters");
    const bool inside = rope && rope->has("partial_rotary_factor");
    const HfConfig& from = inside ? *rope : file;
    if (inside) key = "partial_rotary_factor";
    const double share = from.positive_or(key, fallback);
    const double turned = std::floor(static_cast<double>(c.head_dim) * share);
    if (turned < 2 || turned > static_cast<double>(c.head_dim) || std::fmod(turned, 2) != 0) {
        from.fail(from.named(key) + " does not fit a head of " + std::to_string(c.head_dim));
    }
    c.rotary_dims = static_cast<std::int64_t>(turned);
}

std::optional<HfConfig> rope_of(const HfConfig& file, std::string_view kind) {
    const auto all = file.section("rope_parameters");
    return all ? all->section(kind) : std::nullopt;
}

void read_rope(const HfConfig& file, double theta, DecoderConfig& c) {
    auto scaling = file.section("rope_parameters");
    if (scaling && scaling->has("full_attention")) {
        scaling = scaling->section("full_attention");
    }
    c.rope.theta = scaling && scaling->has("rope_theta") ? scaling->positive_or("rope_theta", theta)
                                                         : file.positive_or("rope_theta", theta);
    if (!scaling) {
        scaling = file.section("rope_scaling");
    }
    if (!scaling) {
        return;
    }
    const std::string type = scaling->text_or("rope_type", scaling->text_or("type", "default"));
    const double original = scaling->positive_or(
        "original_max_position_embeddings",
        file.positive_or("original_max_position_embeddings", static_cast<double>(c.context)));
    const double factor = scaling->positive_or("factor", 1.0);
    if (type == "linear") {
        c.rope.factors = linear_factors(c.turned(), factor);
    } else if (type == "llama3") {
        const Llama3Scaling s{factor, scaling->positive_or("low_freq_factor", 1),
                              scaling->positive_or("high_freq_factor", 4), original};
        if (s.high <= s.low) {
            scaling->not_supported("high_freq_factor");
        }
        c.rope.factors = llama3_factors(c.rope, c.turned(), s);
    } else if (type == "yarn") {
        const YarnScaling s{factor, scaling->positive_or("beta_fast", 32), scaling->positive_or("beta_slow", 1), original,
                            scaling->flag_or("truncate", true)};
        c.rope.factors = yarn_factors(c.rope, c.turned(), s);
        const double m = scaling->has("mscale") ? yarn_magnitude(factor, scaling->positive_or("mscale", 1)) : 0,
                     all = scaling->has("mscale_all_dim")
                               ? yarn_magnitude(factor, scaling->positive_or("mscale_all_dim", 1)) : 0;
        c.rope.magnitude = scaling->positive_or("attention_factor", m > 0 && all > 0 ? m / all : yarn_magnitude(factor));
    } else if (type == "longrope" || type == "su") {
        c.rope.factors = scaling->positives("short_factor");
        if (static_cast<std::int64_t>(c.rope.factors.size()) != c.turned() / 2) {
            scaling->fail("short_factor has " + std::to_string(c.rope.factors.size()) + " entries where a head needs " +
                          std::to_string(c.turned() / 2));
        }
        const double stretched = static_cast<double>(c.context) / original;
        c.rope.magnitude = scaling->positive_or(
            "attention_factor", longrope_magnitude(scaling->has("factor") ? factor : stretched, original));
        if (original < 2) scaling->not_supported("original_max_position_embeddings");
        if (original < static_cast<double>(c.context)) c.context = static_cast<std::int64_t>(original);
    } else if (type != "default" && type != "dynamic") {   // dynamic: beyond max_position_embeddings only
        scaling->not_supported(scaling->has("rope_type") ? "rope_type" : "type");
    }
}

void read_windows(const HfConfig& file, std::int64_t window, bool (*is_local)(int block, int period), int period,
                  DecoderConfig& c) {
    const std::vector<std::string> types = file.texts("layer_types");
    if (!types.empty() && types.size() != static_cast<std::size_t>(c.blocks)) {
        file.fail("layer_types has " + std::to_string(types.size()) + " entries for " + std::to_string(c.blocks) + " blocks");
    }
    c.positions.resize(static_cast<std::size_t>(c.blocks));
    for (int block = 0; block < c.blocks; ++block) {
        const auto at = static_cast<std::size_t>(block);
        if (!types.empty() && types[at] != "full_attention" && types[at] != "sliding_attention") {
            file.not_supported("layer_types");
        }
        const bool local = types.empty() ? is_local(block, period) : types[at] == "sliding_attention";
        c.positions[at].window = local ? window : 0;
    }
}

void read_activation(const HfConfig& file, std::string_view key, const std::string& fallback, DecoderConfig& c) {
    static const std::map<std::string, Activation, std::less<>> known = {
        {"silu", Activation::silu},           {"swish", Activation::silu},        {"gelu", Activation::gelu},
        {"gelu_new", Activation::gelu_tanh},  {"gelu_fast", Activation::gelu_tanh},
        {"gelu_pytorch_tanh", Activation::gelu_tanh}, {"relu", Activation::relu}};
    const auto found = known.find(file.text_or(key, fallback));
    if (found == known.end()) {
        file.not_supported(key);
    }
    c.activation = found->second;
}

}  // namespace plumbline::settings
