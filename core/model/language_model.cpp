#include "core/model/language_model.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <future>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "core/formats/sha256.h"
#include "core/lab/memory_need.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr const char* operation = "open model";

[[noreturn]] void fail(const GgufFile& file, const std::string& what) {
    throw Error(operation, file.path().filename().string() + ": " + what);
}

/// Reads tensors of one file as f32, shapes checked.
class WeightReader {
  public:
    explicit WeightReader(const GgufFile& file) : file_(file) {}

    Tensor read(const std::string& name, const std::vector<std::int64_t>& shape) const {
        const GgufTensor& source = file_.tensor(name);
        if (source.shape != shape) {
            fail(file_, name + " has shape " + text(source.shape) + " where the header's sizes ask for " + text(shape) +
                            "; the file is damaged or not a supported family");
        }
        Tensor out = at::empty(shape, at::kFloat);
        dequantize(source, {out.data_ptr<float>(), static_cast<std::size_t>(out.numel())});
        return out;
    }

    /// Rows of q and k in the order of the transformers library, so that its adapters fit (GGUF interleaves them).
    Tensor read_rotary(const std::string& name, std::int64_t heads, std::int64_t head_dim, std::int64_t in) const {
        return read(name, {heads * head_dim, in})
            .view({heads, head_dim / 2, 2, in})
            .transpose(1, 2)
            .reshape({heads * head_dim, in});
    }

    bool has(const std::string& name) const { return file_.find_tensor(name) != nullptr; }

  private:
    static std::string text(const std::vector<std::int64_t>& shape) {
        std::string out = "(";
        for (std::size_t i = 0; i < shape.size(); ++i) {
            out += (i ? ", " : "") + std::to_string(shape[i]);
        }
        return out + ")";
    }
    const GgufFile& file_;
};

/// Reads rows out of a copy of a matrix as the file has it: an eighth of the plain one's memory, and no file that could
/// change below it.
FrozenLinear::RowReader row_reader(const GgufTensor& matrix) {
    const std::int64_t rows = matrix.shape[0], width = matrix.shape[1];
    GgufTensor row = matrix;   // its directory entry, for one row at a time
    row.shape = {1, width};
    row.elements = width;
    return [row, bytes = std::vector<std::byte>(matrix.data.begin(), matrix.data.end()),
            row_bytes = matrix.data.size() / static_cast<std::size_t>(rows)](const Tensor& ids) {
        const auto width_of_row = static_cast<std::size_t>(row.elements);
        Tensor out = at::empty({ids.size(0), row.elements}, at::kFloat);
        for (std::int64_t i = 0; i < ids.size(0); ++i) {
            GgufTensor one = row;
            one.data = std::span(bytes).subspan(static_cast<std::size_t>(ids.const_data_ptr<std::int64_t>()[i]) * row_bytes,
                                                row_bytes);
            dequantize(one, {out.data_ptr<float>() + static_cast<std::size_t>(i) * width_of_row, width_of_row});
        }
        return out;
    };
}

DecoderBlock read_block(const WeightReader& weights, const DecoderConfig& c, int block, Precision precision) {
    const std::string at_block = "blk." + std::to_string(block) + ".";
    const std::int64_t d = c.hidden;
    DecoderBlock out;
    out.attention_norm = weights.read(at_block + "attn_norm.weight", {d});
    out.mlp_norm = weights.read(at_block + "ffn_norm.weight", {d});
    out.qkv = FrozenLinear(at::cat({weights.read_rotary(at_block + "attn_q.weight", c.heads, c.head_dim, d),
                                    weights.read_rotary(at_block + "attn_k.weight", c.kv_heads, c.head_dim, d),
                                    weights.read(at_block + "attn_v.weight", {c.kv_heads * c.head_dim, d})}),
                           precision);
    out.output = FrozenLinear(weights.read(at_block + "attn_output.weight", {d, c.heads * c.head_dim}), precision);
    out.gate_up = FrozenLinear(at::cat({weights.read(at_block + "ffn_gate.weight", {c.mlp, d}),
                                        weights.read(at_block + "ffn_up.weight", {c.mlp, d})}),
                               precision);
    out.down = FrozenLinear(weights.read(at_block + "ffn_down.weight", {d, c.mlp}), precision);
    return out;
}

}  // namespace

Precision precision_of(const std::string& dtype) {
    if (dtype == "f32") {
        return Precision::f32;
    }
    if (dtype == "bf16") {
        return Precision::bf16;
    }
    throw ConfigError("settings", "dtype '" + dtype + "' is not known; choose f32 or bf16");
}

DecoderConfig read_decoder_config(const GgufFile& file) {
    const std::string architecture = file.text("general.architecture");
    if (architecture != "llama") {
        fail(file, "general.architecture '" + architecture + "' is not supported; this version reads llama");
    }
    DecoderConfig c;
    c.hidden = file.integer("llama.embedding_length", 1, 65536);
    c.blocks = static_cast<int>(file.integer("llama.block_count", 1, 1024));
    c.heads = file.integer("llama.attention.head_count", 1, 1024);
    c.kv_heads = file.find_integer("llama.attention.head_count_kv", 1, 1024).value_or(c.heads);
    if (c.heads % c.kv_heads != 0) {
        fail(file, "llama.attention.head_count " + std::to_string(c.heads) + " is not a multiple of head_count_kv " +
                       std::to_string(c.kv_heads) + "; the file is damaged or not a supported family");
    }
    const auto key_length = file.find_integer("llama.attention.key_length", 2, 4096);
    if (!key_length && c.hidden % c.heads != 0) {
        fail(file, "llama.embedding_length " + std::to_string(c.hidden) + " is not a multiple of head_count " +
                       std::to_string(c.heads) + "; the file is damaged or not a supported family");
    }
    c.head_dim = key_length.value_or(c.hidden / c.heads);
    const std::int64_t rotary = file.find_integer("llama.rope.dimension_count", 2, 4096).value_or(c.head_dim);
    if (rotary != c.head_dim || c.head_dim % 2 != 0) {
        fail(file, "llama.rope.dimension_count " + std::to_string(rotary) + " differs from the head size " +
                       std::to_string(c.head_dim) + "; partial rotary positions are not supported");
    }
    c.mlp = file.integer("llama.feed_forward_length", 1, 1 << 20);
    c.context = file.integer("llama.context_length", 2, 1 << 20);
    c.rope_theta = file.find_real("llama.rope.freq_base").value_or(10000.0);
    c.norm_eps = file.find_real("llama.attention.layer_norm_rms_epsilon").value_or(1e-5);
    if (!(c.rope_theta > 0) || !(c.norm_eps > 0) || !std::isfinite(c.rope_theta) || !std::isfinite(c.norm_eps)) {
        fail(file, "llama.rope.freq_base or layer_norm_rms_epsilon is not a positive number; the file is damaged");
    }
    if (const auto scaling = file.find_text("llama.rope.scaling.type"); scaling && *scaling != "none") {
        fail(file, "llama.rope.scaling.type '" + *scaling + "' is not supported");
    }
    if (file.find_tensor("rope_freqs.weight")) {
        fail(file, "rope_freqs.weight (scaled rotary positions) is not supported");
    }
    const GgufTensor& embedding = file.tensor("token_embd.weight");
    if (embedding.shape.size() != 2 || embedding.shape[1] != c.hidden || embedding.shape[0] < 2) {
        fail(file, "token_embd.weight does not have (vocabulary, " + std::to_string(c.hidden) +
                       ") entries; the file is damaged");
    }
    c.vocab = embedding.shape[0];
    c.tied_embeddings = file.find_tensor("output.weight") == nullptr;
    return c;
}

ModelInfo describe_model(const GgufFile& file, const std::string& name, Precision precision) {
    const DecoderConfig c = read_decoder_config(file);
    const ChatTemplate chat(file.find_text("tokenizer.chat_template").value_or(""));
    ModelInfo info;
    info.name = name;
    info.path = std::filesystem::absolute(file.path()).string();   // a project is opened from other folders too
    info.architecture = file.text("general.architecture");
    info.parameters = c.parameters();
    info.layers = c.blocks;
    info.hidden = static_cast<int>(c.hidden);
    info.heads = static_cast<int>(c.heads);
    info.kv_heads = static_cast<int>(c.kv_heads);
    info.vocab = static_cast<int>(c.vocab);
    info.context = static_cast<int>(c.context);
    info.dtype = precision == Precision::bf16 ? "bf16" : "f32";
    info.file_dtype = name_of(file.main_type());
    info.chat_template = chat.name();
    info.chat_template_note = chat.note();
    info.memory_bytes = memory::session_estimate(c.parameters(), c.vocab * c.hidden, precision);
    return info;
}

std::unique_ptr<LanguageModel> LanguageModel::open(const std::string& name_or_path, Precision precision,
                                                   const Pulse& pulse, const std::function<void(double)>& progress) {
    const std::filesystem::path path = resolve_model(name_or_path);
    const GgufFile file(path);
    const DecoderConfig config = read_decoder_config(file);
    auto tokenizer = Tokenizer::from_gguf(file);
    if (tokenizer->vocab_size() != config.vocab) {
        fail(file, "the tokenizer has " + std::to_string(tokenizer->vocab_size()) + " tokens, token_embd.weight " +
                       std::to_string(config.vocab) + "; the file is damaged");
    }
    // The file's identity, on another thread while the weights are packed.
    auto identity = std::async(std::launch::async, [&path] { return sha256_of_file(path); });
    const WeightReader weights(file);
    at::NoGradGuard no_grad;
    std::vector<DecoderBlock> blocks;
    for (int block = 0; block < config.blocks; ++block) {
        pulse.check();
        blocks.push_back(read_block(weights, config, block, precision));
        if (progress) {
            progress(0.8 * (block + 1) / config.blocks);
        }
    }
    FrozenLinear embedding(weights.read("token_embd.weight", {config.vocab, config.hidden}), precision), head;
    embedding.read_rows_by(row_reader(file.tensor("token_embd.weight")));
    if (!config.tied_embeddings) {
        head = FrozenLinear(weights.read("output.weight", {config.vocab, config.hidden}), precision);
    }
    if (progress) {
        progress(1.0);
    }
    auto decoder = std::make_unique<Decoder>(config, std::move(embedding), std::move(head),
                                             weights.read("output_norm.weight", {config.hidden}), std::move(blocks));
    const std::string name = std::filesystem::exists(name_or_path) ? path.stem().string() : name_or_path;
    ModelInfo info = describe_model(file, name, precision);
    info.sha256 = identity.get();
    return std::unique_ptr<LanguageModel>(
        new LanguageModel(std::move(info), std::move(decoder), std::move(tokenizer),
                          ChatTemplate(file.find_text("tokenizer.chat_template").value_or(""))));
}

LanguageModel::LanguageModel(ModelInfo info, std::unique_ptr<Decoder> decoder,
                             std::shared_ptr<const Tokenizer> tokenizer, ChatTemplate chat_template)
    : info_(std::move(info)),
      decoder_(std::move(decoder)),
      tokenizer_(std::move(tokenizer)),
      chat_template_(std::move(chat_template)) {}

std::vector<int> LanguageModel::render(const std::vector<Message>& messages) const {
    return tokenizer_->encode(chat_template_.render(messages), SpecialTokens::parse);
}

std::vector<int> LanguageModel::chat_prompt(const std::string& system_prompt, const std::string& user) const {
    std::vector<Message> messages;
    if (!system_prompt.empty()) {
        messages.push_back({"system", system_prompt});
    }
    messages.push_back({"user", user});
    return render(messages);
}

std::vector<int> LanguageModel::plain_prompt(const std::string& text) const {
    std::vector<int> ids = tokenizer_->encode(text, SpecialTokens::parse);
    if (tokenizer_->adds_bos() && tokenizer_->bos() >= 0) {
        ids.insert(ids.begin(), tokenizer_->bos());
    }
    if (ids.empty()) {
        throw Error("read prompt", "the prompt is empty; type some text");
    }
    return ids;
}

void LanguageModel::require_room(std::size_t prompt_tokens, int reply_tokens) const {
    const auto needed = static_cast<std::int64_t>(prompt_tokens) + reply_tokens;
    if (needed > decoder_->config().context) {
        throw Error("read prompt", "the prompt has " + std::to_string(prompt_tokens) + " tokens; with a reply of " +
                                       std::to_string(reply_tokens) + " that exceeds the model's context of " +
                                       std::to_string(decoder_->config().context) + "; shorten it");
    }
}

}  // namespace plumbline
