#include "core/api/errors.h"
#include "core/model/families/rope_scaling.h"
#include "core/model/families/settings.h"

#include <algorithm>
#include <cmath>

namespace plumbline::settings {

namespace {

constexpr const char* damaged = "; the file is damaged or not a supported family";

[[noreturn]] void fail(const GgufFile& file, const std::string& what) {
    throw Error("open model", file.path().filename().string() + ": " + what);
}

/// Divisors of the frequencies that stand in the file as a tensor.
std::vector<double> factors_of(const GgufFile& file, const GgufTensor& tensor, std::int64_t dims) {
    if (tensor.elements != dims / 2) {
        fail(file, tensor.name + " has " + std::to_string(tensor.elements) + " entries where a head needs " +
                       std::to_string(dims / 2) + damaged);
    }
    std::vector<float> values(static_cast<std::size_t>(tensor.elements));
    dequantize(tensor, values);
    if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v) && v > 0; })) {
        fail(file, tensor.name + " holds what is not a positive number" + damaged);
    }
    return {values.begin(), values.end()};
}

}  // namespace

std::string key(const GgufFile& file, std::string_view name) {
    return file.text("general.architecture") + "." + std::string(name);
}

double positive_or(const GgufFile& file, std::string_view name, double fallback) {
    const double value = file.find_real(key(file, name)).value_or(fallback);
    if (!std::isfinite(value) || value <= 0) {
        fail(file, key(file, name) + " is not a positive number; the file is damaged");
    }
    return value;
}

void read_sizes(const GgufFile& file, DecoderConfig& c) {
    const auto at = [&](std::string_view name) { return key(file, name); };
    c.hidden = file.integer(at("embedding_length"), 1, 65536);
    c.blocks = static_cast<int>(file.integer(at("block_count"), 1, 1024));
    c.heads = file.integer(at("attention.head_count"), 1, 1024);
    c.kv_heads = file.find_integer(at("attention.head_count_kv"), 1, 1024).value_or(c.heads);
    if (c.heads % c.kv_heads != 0) {
        fail(file, at("attention.head_count") + " " + std::to_string(c.heads) + " is not a multiple of head_count_kv " +
                       std::to_string(c.kv_heads) + damaged);
    }
    const auto key_length = file.find_integer(at("attention.key_length"), 2, 4096);
    if (!key_length && c.hidden % c.heads != 0) {
        fail(file, at("embedding_length") + " " + std::to_string(c.hidden) + " is not a multiple of head_count " +
                       std::to_string(c.heads) + damaged);
    }
    c.head_dim = key_length.value_or(c.hidden / c.heads);
    if (c.head_dim % 2 != 0) {
        fail(file, "a head of " + std::to_string(c.head_dim) + " entries cannot be turned in pairs" + damaged);
    }
    c.mlp = file.integer(at("feed_forward_length"), 1, 1 << 20);
    c.context = file.integer(at("context_length"), 2, 1 << 20);
    c.norm_eps = c.norm == NormKind::rms ? positive_or(file, "attention.layer_norm_rms_epsilon", 1e-5)
                                         : positive_or(file, "attention.layer_norm_epsilon", 1e-5);
    const GgufTensor& embedding = file.tensor("token_embd.weight");
    if (embedding.shape.size() != 2 || embedding.shape[1] != c.hidden || embedding.shape[0] < 2) {
        fail(file, "token_embd.weight does not have (vocabulary, " + std::to_string(c.hidden) +
                       ") entries; the file is damaged");
    }
    c.vocab = embedding.shape[0];
    c.tied_embeddings = file.find_tensor("output.weight") == nullptr;
}

void read_rope(const GgufFile& file, DecoderConfig& c) {
    const std::int64_t turned = file.find_integer(key(file, "rope.dimension_count"), 2, 4096).value_or(c.head_dim);
    if (turned > c.head_dim || turned % 2 != 0) {
        fail(file, key(file, "rope.dimension_count") + " " + std::to_string(turned) + " does not fit a head of " +
                       std::to_string(c.head_dim) + damaged);
    }
    c.rotary_dims = turned == c.head_dim ? 0 : turned;
    c.rope.theta = positive_or(file, "rope.freq_base", 10000);
    const auto original_of = [&] {
        return static_cast<double>(
            file.find_integer(key(file, "rope.scaling.original_context_length"), 2, 1 << 20).value_or(c.context));
    };
    const std::string type = file.find_text(key(file, "rope.scaling.type")).value_or("none");
    const double factor = positive_or(file, "rope.scaling.factor", positive_or(file, "rope.scale_linear", 1));
    if (const GgufTensor* factors = file.find_tensor("rope_freqs.weight")) {   // llama3's, worked out
        c.rope.factors = factors_of(file, *factors, turned);
    } else if (const GgufTensor* factors_short = file.find_tensor("rope_factors_short.weight")) {
        c.rope.factors = factors_of(file, *factors_short, turned);
        c.rope.magnitude = positive_or(file, "rope.scaling.attn_factor", 1);
        c.context = std::min(c.context, static_cast<std::int64_t>(original_of()));
    } else if (type == "linear" || (type == "none" && factor != 1)) {
        c.rope.factors = linear_factors(turned, factor);
    } else if (type == "yarn") {
        YarnScaling s;
        s.factor = factor;
        s.original_context = original_of();
        c.rope.factors = yarn_factors(c.rope, turned, s);
        c.rope.magnitude = yarn_magnitude(factor) * positive_or(file, "rope.scaling.attn_factor", 1);
    } else if (type != "none" && type != "longrope") {
        fail(file, key(file, "rope.scaling.type") + " '" + type + "' is not supported; use another model");
    }
}

void read_biases(const GgufFile& file, DecoderConfig& c) {
    c.qkv_bias = file.find_tensor("blk.0.attn_q.bias") != nullptr || file.find_tensor("blk.0.attn_qkv.bias") != nullptr;
    c.output_bias = file.find_tensor("blk.0.attn_output.bias") != nullptr;
    c.mlp_bias = file.find_tensor("blk.0.ffn_up.bias") != nullptr;
}

}  // namespace plumbline::settings
