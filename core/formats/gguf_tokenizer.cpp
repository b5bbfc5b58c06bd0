#include "core/formats/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/formats/json_file.h"
#include "core/text/chat_template.h"
#include "core/text/gguf_pre_tokenizers.h"
#include "core/text/reply_ends.h"
#include "core/text/tokenizer.h"

namespace plumbline {

namespace {

using nlohmann::json;

constexpr std::size_t longest_file = 256u << 20;
// llama.cpp's token types.
constexpr std::int32_t normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6;

[[noreturn]] void refuse(const std::string& what) {
    throw Error("export", "tokenizer.json: " + what + "; write a folder instead");
}

struct Tables {
    std::vector<std::string> texts;   // by id
    std::vector<std::int32_t> types;
};

/// Ids that nothing in the file names are there for the sake of the matrix's size.
Tables tables_of(const json& file, std::int64_t size) {
    Tables out{std::vector<std::string>(static_cast<std::size_t>(size)),
               std::vector<std::int32_t>(static_cast<std::size_t>(size), unused)};
    const auto put = [&](const std::string& text, std::int64_t id, std::int32_t type) {
        if (id < 0 || id >= size) {
            refuse("token " + std::to_string(id) + " is beyond the model's vocabulary of " + std::to_string(size));
        }
        out.texts[static_cast<std::size_t>(id)] = text;
        out.types[static_cast<std::size_t>(id)] = type;
    };
    for (const auto& [text, id] : file.at("model").at("vocab").items()) {
        put(text, id.get<std::int64_t>(), normal);
    }
    for (const json& token : file.value("added_tokens", json::array())) {
        put(token.at("content").get<std::string>(), token.at("id").get<std::int64_t>(),
            token.value("special", false) ? control : user_defined);
    }
    for (std::int64_t id = 0; id < size; ++id) {
        std::string& text = out.texts[static_cast<std::size_t>(id)];
        if (text.empty()) {
            text = "[PAD" + std::to_string(id) + "]";
        }
    }
    return out;
}

std::vector<std::pair<std::string, std::string>> merges_of(const json& model) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const json& merge : model.at("merges")) {
        if (merge.is_array()) {
            out.emplace_back(merge.at(0).get<std::string>(), merge.at(1).get<std::string>());
        } else {
            const auto text = merge.get<std::string>();
            const std::size_t space = text.find(' ', 1);
            out.emplace_back(text.substr(0, space), text.substr(std::min(space, text.size() - 1) + 1));
        }
    }
    return out;
}

/// Spellings that mean the same in a regular expression that never has to go back.
std::string usual_spelling(std::string pattern) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> same = {{
        {R"(\p{White_Space})", R"(\s)"}, {R"(\P{White_Space})", R"(\S)"}, {"++", "+"}, {"*+", "*"}}};
    for (const auto& [from, to] : same) {
        for (std::size_t at = pattern.find(from); at != std::string::npos; at = pattern.find(from, at + to.size())) {
            pattern.replace(at, from.size(), to);
        }
    }
    return pattern;
}

std::vector<std::string> patterns_named(std::string_view name) {
    std::vector<std::string> out;
    for (const std::string_view pattern : gguf_patterns(name)) {
        out.push_back(usual_spelling(std::string(pattern)));
    }
    return out;
}

void add_patterns(const json& step, std::vector<std::string>& out) {
    const std::string type = step.value("type", "");
    if (type == "Sequence") {
        for (const json& part : step.at("pretokenizers")) {
            add_patterns(part, out);
        }
    } else if (type == "Digits" && step.value("individual_digits", false)) {
        out.push_back(R"(\p{N})");
    } else if (type == "Split" && step.at("pattern").contains("Regex") && step.value("behavior", "") == "Isolated") {
        out.push_back(usual_spelling(step.at("pattern").at("Regex").get<std::string>()));
    } else if (type == "ByteLevel" && !step.value("add_prefix_space", true)) {
        if (step.value("use_regex", true)) {
            out.push_back(patterns_named("gpt-2").front());
        }
    } else {
        refuse("pre_tokenizer " + step.dump() + " has no name in llama.cpp");
    }
}

/// The name under which llama.cpp knows the way of cutting words.
std::string rule_name(const json& file) {
    std::vector<std::string> patterns;
    add_patterns(file.at("pre_tokenizer"), patterns);
    const bool whole_words_first = file.at("model").value("ignore_merges", false);
    for (const char* name : {"gpt-2", "smollm", "llama-bpe", "dbrx", "qwen2"}) {
        if (patterns == patterns_named(name) && whole_words_first == gguf_pre_tokenizer(name).whole_words_first) {
            return name;
        }
    }
    refuse("pre_tokenizer " + file.at("pre_tokenizer").dump() + " has no name in llama.cpp");
}

void add_byte_level(const json& file, GgufWriter& to) {
    std::vector<std::string> merges;
    for (const auto& [left, right] : merges_of(file.at("model"))) {
        merges.push_back(left + " " + right);
    }
    to.set("tokenizer.ggml.model", std::string("gpt2"));
    to.set("tokenizer.ggml.pre", rule_name(file));
    to.set("tokenizer.ggml.merges", std::move(merges));
}

/// SentencePiece's BPE merges by score: the earlier a merge stands in the list, the better the token that it makes.
void add_sentencepiece(const json& file, Tables& tables, GgufWriter& to) {
    std::map<std::string, float, std::less<>> scores;
    float score = 0;
    for (const auto& [left, right] : merges_of(file.at("model"))) {
        scores.emplace(left + right, score--);
    }
    std::vector<float> by_id;
    for (std::size_t id = 0; id < tables.texts.size(); ++id) {
        const std::string& text = tables.texts[id];
        if (tables.types[id] == normal && text.size() == 6 && text.starts_with("<0x") && text.ends_with(">")) {
            tables.types[id] = byte;
        }
        if (text == file.at("model").value("unk_token", "")) {
            tables.types[id] = unknown;
        }
        const auto found = scores.find(text);
        by_id.push_back(found == scores.end() ? score - 1 : found->second);
    }
    const json normalizer = file.value("normalizer", json());
    to.set("tokenizer.ggml.model", std::string("llama"));
    to.set("tokenizer.ggml.pre", std::string("default"));
    to.set("tokenizer.ggml.scores", std::move(by_id));
    to.set("tokenizer.ggml.add_space_prefix", normalizer.dump().find("Prepend") != std::string::npos);
}

}  // namespace

void add_chat_template(const ModelFiles& model, const std::string& jinja, GgufWriter& to) {
    if (jinja.empty()) {
        return;
    }
    to.set("tokenizer.chat_template", jinja);
    const auto tokenizer = model.tokenizer();
    const int end = reply_ends(*tokenizer, chat_template_of(jinja, *tokenizer)).written;
    if (end >= 0 && end != tokenizer->eos()) {
        to.set("tokenizer.ggml.eot_token_id", static_cast<std::uint32_t>(end));
    }
}

void add_tokenizer(const ModelFiles& model, GgufWriter& to) {
    const auto tokenizer = model.tokenizer();   // checks the file
    const json file = read_json_object(model.path() / "tokenizer.json", "export", longest_file);
    try {
        const json& rules = file.at("model");
        if (rules.value("type", "BPE") != "BPE") {
            refuse("model " + rules.at("type").dump() + " is not written as GGUF");
        }
        Tables tables = tables_of(file, model.config().vocab);
        if (rules.value("byte_fallback", false)) {
            add_sentencepiece(file, tables, to);
        } else {
            add_byte_level(file, to);
        }
        to.set("tokenizer.ggml.tokens", std::move(tables.texts));
        to.set("tokenizer.ggml.token_type", std::move(tables.types));
    } catch (const json::exception& error) {
        refuse("it does not have the usual parts (" + std::string(error.what()) + ")");
    }
    const auto add_id = [&](const char* key, int id) {
        if (id >= 0) {
            to.set(key, static_cast<std::uint32_t>(id));
        }
    };
    add_id("tokenizer.ggml.bos_token_id", tokenizer->bos());
    add_id("tokenizer.ggml.eos_token_id", tokenizer->eos());
    add_id("tokenizer.ggml.padding_token_id", tokenizer->pad());
    to.set("tokenizer.ggml.add_bos_token", tokenizer->adds_bos());
    add_chat_template(model, model.chat_template(), to);
}

}  // namespace plumbline
