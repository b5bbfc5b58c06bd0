#include "tests/support/tiny_model.h"

#include <cmath>
#include <numbers>
#include <random>

namespace plumbline::testing {
namespace {

/// Seeded normal numbers; std::normal_distribution is not the same everywhere.
class Normal {
  public:
    explicit Normal(std::uint64_t seed) : bits_(seed) {}
    float next(double deviation) {
        const double radius = std::sqrt(-2 * std::log(1 - uniform()));
        return static_cast<float>(deviation * radius * std::cos(2 * std::numbers::pi * uniform()));
    }

  private:
    double uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
    std::mt19937_64 bits_;
};

std::string as_utf8(unsigned code) {  // up to U+07FF
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
}

/// GPT-2's printable stand-in for each byte: itself if it is a visible Latin-1 character, else U+0100 onward.
std::vector<std::string> byte_characters() {
    std::vector<std::string> out;
    unsigned next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
        out.push_back(as_utf8(visible ? byte : next++));
    }
    return out;
}

}  // namespace

std::vector<std::string> tiny_merges() {
    return {"Ġ t", "h e", "Ġ a",  "i n", "r e", "o n",  "Ġt he", "e r",   "Ġ s",     "a t",      "Ġ w",
            "o u", "n d", "e n",  "Ġ c", "i t", "o r",  "e s",   "in g",  "a n",     "Ġ p",      "Ġa nd",
            "Ġ b", "Ġ m", "Ġt o", "l l", "Ġ h", "v e",  "Ġ y",   "Ġy ou", "e d",     "l e",      "Ġ i",
            "Ġ f", "t h", "Ġ l",  "a r", "i s", "p le", "a s",   "Ġp le", "Ġple as", "Ġpleas e", "r s"};
}

std::vector<std::string> tiny_tokens() {
    std::vector<std::string> out = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    for (std::string& character : byte_characters()) out.push_back(std::move(character));
    for (const std::string& merge : tiny_merges()) {
        const std::size_t space = merge.find(' ');
        out.push_back(merge.substr(0, space) + merge.substr(space + 1));
    }
    return out;
}

std::string tiny_chat_template() {
    return "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
           "{{ '<|im_start|>system\n" +
           std::string(tiny_system_text) +
           "<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
           "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% "
           "endif %}";
}

void add_tiny_tokenizer(GgufWriter& writer) {
    const std::vector<std::string> tokens = tiny_tokens();
    std::vector<std::int32_t> types(tokens.size(), 1);
    for (int special = 0; special < 3; ++special) types[static_cast<std::size_t>(special)] = 3;
    writer.add_flag("tokenizer.ggml.add_space_prefix", false);
    writer.add_flag("tokenizer.ggml.add_bos_token", false);
    writer.add_text("tokenizer.ggml.model", "gpt2");
    writer.add_text("tokenizer.ggml.pre", "smollm");
    writer.add_texts("tokenizer.ggml.tokens", tokens);
    writer.add_i32s("tokenizer.ggml.token_type", types);
    writer.add_texts("tokenizer.ggml.merges", tiny_merges());
    writer.add_u32("tokenizer.ggml.bos_token_id", 1);
    writer.add_u32("tokenizer.ggml.eos_token_id", 2);
    writer.add_u32("tokenizer.ggml.unknown_token_id", 0);
    writer.add_u32("tokenizer.ggml.padding_token_id", 2);
    writer.add_text("tokenizer.chat_template", tiny_chat_template());
}

GgufWriter tiny_model(std::uint64_t seed, const TinySizes& sizes) {
    GgufWriter writer;
    const auto vocab = static_cast<std::int64_t>(tiny_tokens().size());
    const auto u32 = [&](const char* key, std::int64_t value) {
        writer.add_u32(key, static_cast<std::uint32_t>(value));
    };
    writer.add_text("general.architecture", "llama");
    writer.add_text("general.type", "model");
    writer.add_text("general.name", "Tiny");
    writer.add_text("general.license", "gpl-3.0");
    u32("llama.block_count", sizes.blocks);
    u32("llama.context_length", sizes.context);
    u32("llama.embedding_length", sizes.hidden);
    u32("llama.feed_forward_length", sizes.ffn);
    u32("llama.attention.head_count", sizes.heads);
    u32("llama.attention.head_count_kv", sizes.kv_heads);
    writer.add_f32("llama.rope.freq_base", 10000.0f);
    writer.add_f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    u32("general.file_type", 0);
    u32("llama.vocab_size", vocab);
    u32("llama.rope.dimension_count", sizes.head_dim);
    add_tiny_tokenizer(writer);
    u32("general.quantization_version", 2);

    Normal normal(seed);
    const auto matrix = [&](const std::string& name, std::int64_t out, std::int64_t in) {
        std::vector<float> values(static_cast<std::size_t>(out * in));
        for (float& value : values) value = normal.next(0.08);
        writer.add_tensor(name, {out, in}, values);
    };
    const std::vector<float> ones(static_cast<std::size_t>(sizes.hidden), 1.0f);
    matrix("token_embd.weight", vocab, sizes.hidden);
    for (int block = 0; block < sizes.blocks; ++block) {
        const std::string prefix = "blk." + std::to_string(block) + ".";
        writer.add_tensor(prefix + "attn_norm.weight", {sizes.hidden}, ones);
        matrix(prefix + "ffn_down.weight", sizes.hidden, sizes.ffn);
        matrix(prefix + "ffn_gate.weight", sizes.ffn, sizes.hidden);
        matrix(prefix + "ffn_up.weight", sizes.ffn, sizes.hidden);
        writer.add_tensor(prefix + "ffn_norm.weight", {sizes.hidden}, ones);
        matrix(prefix + "attn_k.weight", sizes.kv_heads * sizes.head_dim, sizes.hidden);
        matrix(prefix + "attn_output.weight", sizes.hidden, sizes.heads * sizes.head_dim);
        matrix(prefix + "attn_q.weight", sizes.heads * sizes.head_dim, sizes.hidden);
        matrix(prefix + "attn_v.weight", sizes.kv_heads * sizes.head_dim, sizes.hidden);
    }
    writer.add_tensor("output_norm.weight", {sizes.hidden}, ones);
    return writer;
}

std::filesystem::path write_tiny_model(const std::filesystem::path& folder, std::uint64_t seed) {
    std::filesystem::path path = folder / "tiny.gguf";
    tiny_model(seed).write(path);
    return path;
}

}  // namespace plumbline::testing
