#include "core/text/tokenizer_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "core/text/gguf_pre_tokenizers.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr const char* word_start = "\u2581";   // SentencePiece's space
// llama.cpp's token types.
constexpr std::int64_t unknown = 2, control = 3, user_defined = 4;

struct Tables {
    explicit Tables(const GgufFile& file) : source(file) {
        for (const std::string& text : file.texts("tokenizer.ggml.tokens")) texts.push_back(valid_utf8(text));
        const auto* stored = file.find_integers("tokenizer.ggml.token_type");
        types = stored != nullptr ? *stored : std::vector<std::int64_t>(texts.size(), 1);
    }
    /// The text of the token that a key names; null: none.
    json named(const char* key) const {
        const auto id = source.find_integer(key, 0, static_cast<std::int64_t>(texts.size()) - 1);
        return id ? json(texts[static_cast<std::size_t>(*id)]) : json();
    }

    const GgufFile& source;
    std::vector<std::string> texts;     // by id
    std::vector<std::int64_t> types;
};

json vocabulary_of(const Tables& tables) {
    json out = json::object();
    for (std::size_t id = 0; id < tables.texts.size(); ++id) {
        if (!tables.texts[id].empty()) out[tables.texts[id]] = id;
    }
    return out;
}

json added_tokens_of(const Tables& tables) {
    json out = json::array();
    for (std::size_t id = 0; id < tables.texts.size(); ++id) {
        const std::int64_t type = tables.types[id];
        if (type != unknown && type != control && type != user_defined) continue;
        out.push_back({{"id", id},
                       {"content", tables.texts[id]},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", type != user_defined}});
    }
    return out;
}

json bpe_model(json vocabulary, json merges) {
    return {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", std::move(vocabulary)},
            {"merges", std::move(merges)}};
}

json sequence(const char* of, json steps) {
    return {{"type", "Sequence"}, {of, std::move(steps)}};
}

json replace(const char* what, const char* by) {
    return {{"type", "Replace"}, {"pattern", {{"String", what}}}, {"content", by}};
}

// Model "gpt2": byte-level BPE with a list of merges.

void add_byte_level(const Tables& tables, json& out) {
    const std::string name = tables.source.find_text("tokenizer.ggml.pre").value_or("default");
    json steps = json::array();
    for (const std::string_view pattern : gguf_patterns(name)) {
        steps.push_back(
            {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}});
    }
    steps.push_back(
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}});
    json merges = json::array();
    for (const std::string& merge : tables.source.texts("tokenizer.ggml.merges")) {
        const std::string text = valid_utf8(merge);
        const std::size_t space = text.find(' ', 1);
        merges.push_back({text.substr(0, space), text.substr(space + 1)});
    }
    out["normalizer"] = nullptr;
    out["pre_tokenizer"] = sequence("pretokenizers", std::move(steps));
    out["decoder"] = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
    out["model"] = bpe_model(vocabulary_of(tables), std::move(merges));
    out["model"]["ignore_merges"] = gguf_pre_tokenizer(name).whole_words_first;
}

// Model "llama": SentencePiece's BPE, whose merges are all pairs of tokens that make a token, the best score first.

json merges_by_score(const Tables& tables) {
    std::unordered_map<std::string_view, std::size_t> ids;
    for (std::size_t id = 0; id < tables.texts.size(); ++id) ids.emplace(tables.texts[id], id);
    struct Merge {
        double score;
        std::size_t left, right;
    };
    std::vector<Merge> merges;
    const std::vector<double>& scores = tables.source.reals("tokenizer.ggml.scores");
    for (std::size_t id = 0; id < tables.texts.size(); ++id) {
        const std::string_view text = tables.texts[id];
        const std::size_t first = merges.size();
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            const auto left = ids.find(text.substr(0, cut)), right = ids.find(text.substr(cut));
            if (left != ids.end() && right != ids.end()) merges.push_back({scores[id], left->second, right->second});
        }
        const auto by_parts = [](const Merge& a, const Merge& b) {
            return std::pair(a.left, a.right) < std::pair(b.left, b.right);
        };
        std::sort(merges.begin() + static_cast<std::ptrdiff_t>(first), merges.end(), by_parts);
    }
    std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) { return a.score > b.score; });
    json out = json::array();
    for (const Merge& merge : merges) out.push_back({tables.texts[merge.left], tables.texts[merge.right]});
    return out;
}

void add_sentencepiece(const Tables& tables, json& out) {
    const bool prefix = tables.source.find_flag("tokenizer.ggml.add_space_prefix").value_or(true);
    json before = json::array(), after = {replace(word_start, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
    if (prefix) {
        before.push_back({{"type", "Prepend"}, {"prepend", word_start}});
        after.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    }
    before.push_back(replace(" ", word_start));
    out["normalizer"] = sequence("normalizers", std::move(before));
    out["pre_tokenizer"] = nullptr;
    out["decoder"] = sequence("decoders", std::move(after));
    out["model"] = bpe_model(vocabulary_of(tables), merges_by_score(tables));
    out["model"]["byte_fallback"] = true;
    out["model"]["fuse_unk"] = true;
    out["model"]["unk_token"] = tables.named("tokenizer.ggml.unknown_token_id");
}

/// BOS before a text, where the model wants one.
json post_processor(const Tables& tables, const Tokenizer& tokenizer) {
    if (!tokenizer.adds_bos()) return nullptr;
    const std::string& bos = tables.texts[static_cast<std::size_t>(tokenizer.bos())];
    const json first = {{"SpecialToken", {{"id", bos}, {"type_id", 0}}}};
    const auto text = [](const char* name, int type) { return json{{"Sequence", {{"id", name}, {"type_id", type}}}}; };
    return {{"type", "TemplateProcessing"},
            {"single", {first, text("A", 0)}},
            {"pair", {first, text("A", 0), {{"SpecialToken", {{"id", bos}, {"type_id", 1}}}}, text("B", 1)}},
            {"special_tokens", {{bos, {{"id", bos}, {"ids", {tokenizer.bos()}}, {"tokens", {bos}}}}}}};
}

json settings_of(const Tables& tables, const Tokenizer& tokenizer) {
    json out = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                {"bos_token", tables.named("tokenizer.ggml.bos_token_id")},
                {"eos_token", tables.named("tokenizer.ggml.eos_token_id")},
                {"unk_token", tables.named("tokenizer.ggml.unknown_token_id")},
                {"pad_token", tables.named("tokenizer.ggml.padding_token_id")},
                {"add_bos_token", tokenizer.adds_bos()},
                {"clean_up_tokenization_spaces", false}};
    const std::string context = tables.source.text("general.architecture") + ".context_length";
    if (const auto length = tables.source.find_integer(context, 1, 1 << 30)) out["model_max_length"] = *length;
    if (const auto chat = tables.source.find_text("tokenizer.chat_template")) out["chat_template"] = *chat;
    return out;
}

}  // namespace

TokenizerFiles tokenizer_files(const GgufFile& file) {
    const auto tokenizer = Tokenizer::from_gguf(file);   // checks the tables
    const Tables tables(file);
    json out = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
    out["added_tokens"] = added_tokens_of(tables);
    if (file.text("tokenizer.ggml.model") == "gpt2") {
        add_byte_level(tables, out);
    } else {
        add_sentencepiece(tables, out);
    }
    out["post_processor"] = post_processor(tables, *tokenizer);
    return {out.dump() + "\n", settings_of(tables, *tokenizer).dump(2) + "\n"};
}

}  // namespace plumbline
