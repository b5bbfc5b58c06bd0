#include "core/training/pretrained_file.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/api/errors.h"

namespace plumbline {

using at::Tensor;

namespace {

/// Rows in the order of the transformers library, two halves a head, to GGUF's, pairs beside each other.
Tensor interleaved(const Tensor& rows, std::int64_t heads, std::int64_t head_dim) {
    const std::int64_t in = rows.size(1);
    return rows.reshape({heads, 2, head_dim / 2, in}).transpose(1, 2).reshape({heads * head_dim, in});
}

void add(GgufWriter& file, const std::string& name, GgufType type, const Tensor& tensor) {
    const Tensor plain = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
    file.add_tensor(name, type, plain.sizes().vec(),
                    {plain.data_ptr<float>(), static_cast<std::size_t>(plain.numel())});
}

std::uint32_t number(std::int64_t value) {
    return static_cast<std::uint32_t>(value);
}

}  // namespace

void add_decoder(GgufWriter& file, const FullWeights& weights, GgufType type) {
    const DecoderConfig& c = weights.config();
    file.set("general.architecture", std::string("llama"));
    file.set("llama.vocab_size", number(c.vocab));
    file.set("llama.embedding_length", number(c.hidden));
    file.set("llama.block_count", number(c.blocks));
    file.set("llama.feed_forward_length", number(c.mlp));
    file.set("llama.context_length", number(c.context));
    file.set("llama.attention.head_count", number(c.heads));
    file.set("llama.attention.head_count_kv", number(c.kv_heads));
    file.set("llama.attention.key_length", number(c.head_dim));
    file.set("llama.attention.value_length", number(c.head_dim));
    file.set("llama.attention.layer_norm_rms_epsilon", static_cast<float>(c.norm_eps));
    file.set("llama.rope.dimension_count", number(c.head_dim));
    file.set("llama.rope.freq_base", static_cast<float>(c.rope.theta));

    add(file, "token_embd.weight", type, weights.embedding());
    for (int i = 0; i < c.blocks; ++i) {
        const FullWeights::Block& block = weights.block(i);
        const std::string at_block = "blk." + std::to_string(i) + ".";
        const std::int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
        add(file, at_block + "attn_norm.weight", GgufType::f32, block.vector(BlockVector::attention_norm));
        add(file, at_block + "attn_q.weight", type,
            interleaved(block.qkv.narrow(0, 0, q), c.heads, c.head_dim));
        add(file, at_block + "attn_k.weight", type,
            interleaved(block.qkv.narrow(0, q, kv), c.kv_heads, c.head_dim));
        add(file, at_block + "attn_v.weight", type, block.qkv.narrow(0, q + kv, kv));
        add(file, at_block + "attn_output.weight", type, block.output);
        add(file, at_block + "ffn_norm.weight", GgufType::f32, block.vector(BlockVector::mlp_norm));
        add(file, at_block + "ffn_gate.weight", type, block.gate_up.narrow(0, 0, c.mlp));
        add(file, at_block + "ffn_up.weight", type, block.gate_up.narrow(0, c.mlp, c.mlp));
        add(file, at_block + "ffn_down.weight", type, block.down);
    }
    add(file, "output_norm.weight", GgufType::f32, weights.final_norm({}));
    if (!c.tied_embeddings) add(file, "output.weight", type, weights.output_layer());
}

void add_dialogue_tokenizer(GgufWriter& file, const BpeVocabulary& vocabulary,
                            const std::string& pre_tokenizer) {
    const auto id = [&](const char* token) {
        const auto found = std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), token);
        if (found == vocabulary.tokens.end()) {
            throw Error("write model",
                        std::string("the vocabulary has no ") + token + "; train it with that special token");
        }
        return static_cast<std::uint32_t>(found - vocabulary.tokens.begin());
    };
    constexpr std::int32_t normal = 1, control = 3;  // llama.cpp's token types
    std::vector<std::int32_t> types(vocabulary.tokens.size(), normal);
    std::fill_n(types.begin() + vocabulary.first_special, vocabulary.specials, control);

    using Marks = DialogueMarks;
    file.set("tokenizer.ggml.model", std::string("gpt2"));
    file.set("tokenizer.ggml.pre", pre_tokenizer);
    file.set("tokenizer.ggml.tokens", vocabulary.tokens);
    file.set("tokenizer.ggml.token_type", types);
    file.set("tokenizer.ggml.merges", vocabulary.merges);
    file.set("tokenizer.ggml.padding_token_id", id(Marks::pad));
    file.set("tokenizer.ggml.bos_token_id", id(Marks::bos));
    file.set("tokenizer.ggml.eos_token_id", id(Marks::eos));
    file.set("tokenizer.ggml.add_bos_token", false);
    const std::string user = Marks::user, bot = Marks::bot, eos = Marks::eos;
    file.set("tokenizer.chat_template",
             "{% for message in messages %}{% if message['role'] == 'user' %}{{ '" + user +
                 "' + message['content'] }}{% elif message['role'] == 'assistant' %}{{ '" + bot +
                 "' + message['content'] + '" + eos +
                 "' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '" + bot + "' }}{% endif %}");
}

}  // namespace plumbline
