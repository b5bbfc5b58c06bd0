// Tokenizers of GGUF files.

#include <algorithm>
#include <map>

#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "core/text/bpe_model.h"
#include "core/text/gguf_pre_tokenizers.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_parts.h"
#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

[[noreturn]] void fail(const GgufFile& file, const std::string& what) {
    throw Error("open model", file.path().string() + ": " + what + "; the file is damaged");
}

/// The file's numbers in tokenizer.ggml.token_type.
enum class TokenType { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

struct Vocabulary {
    std::vector<std::string> texts;  // by id
    std::vector<TokenType> types;
    TextIds ids;                     // of all texts that are not empty
};

Vocabulary read_vocabulary(const GgufFile& file) {
    Vocabulary out;
    const std::vector<std::string>& texts = file.texts("tokenizer.ggml.tokens");
    const std::vector<std::int64_t>* types = file.find_integers("tokenizer.ggml.token_type");
    if (texts.empty()) fail(file, "tokenizer.ggml.tokens is empty");
    if (types != nullptr && types->size() != texts.size()) {
        fail(file, "tokenizer.ggml.token_type has " + std::to_string(types->size()) + " entries for " +
                       std::to_string(texts.size()) + " tokens");
    }
    out.types.assign(texts.size(), TokenType::normal);
    out.ids.reserve(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (types != nullptr) {
            const std::int64_t type = (*types)[i];
            if (type < static_cast<int>(TokenType::normal) || type > static_cast<int>(TokenType::byte)) {
                fail(file, "tokenizer.ggml.token_type of token " + std::to_string(i) + " is " + std::to_string(type));
            }
            out.types[i] = static_cast<TokenType>(type);
        }
        out.texts.push_back(valid_utf8(texts[i]));
        if (out.texts.back().empty()) continue;
        const auto [other, is_new] = out.ids.emplace(out.texts.back(), static_cast<int>(i));
        if (!is_new)
            fail(file, "tokens " + std::to_string(other->second) + " and " + std::to_string(i) + " are the same");
    }
    return out;
}

bool is_special(TokenType type) {
    return type == TokenType::control || type == TokenType::unknown;
}

AddedTokens added_tokens_of(const Vocabulary& vocabulary) {
    std::vector<AddedToken> out;
    for (std::size_t i = 0; i < vocabulary.texts.size(); ++i) {
        const TokenType type = vocabulary.types[i];
        if (!is_special(type) && type != TokenType::user_defined) continue;
        AddedToken& token = out.emplace_back();
        token.text = vocabulary.texts[i];
        token.id = static_cast<int>(i);
        token.special = is_special(type);
    }
    return AddedTokens(std::move(out));
}

void read_special_ids(const GgufFile& file, bool adds_bos_by_default, TokenizerParts& out) {
    const auto id = [&](const char* key) {
        const auto most = static_cast<std::int64_t>(out.tokens.size()) - 1;
        return static_cast<int>(file.find_integer(key, 0, most).value_or(-1));
    };
    out.bos = id("tokenizer.ggml.bos_token_id");
    out.eos = id("tokenizer.ggml.eos_token_id");
    out.pad = id("tokenizer.ggml.padding_token_id");
    out.ends = {id("tokenizer.ggml.eot_token_id"), id("tokenizer.ggml.eom_token_id")};
    out.adds_bos = file.find_flag("tokenizer.ggml.add_bos_token").value_or(adds_bos_by_default);
    if (out.adds_bos && out.bos < 0)
        fail(file, "tokenizer.ggml.add_bos_token is set without tokenizer.ggml.bos_token_id");
}

// Model "gpt2": byte-level BPE with a merge list.

std::vector<BpeRules::Merge> read_merges(const GgufFile& file, const Vocabulary& vocabulary) {
    std::vector<BpeRules::Merge> out;
    const std::vector<std::string>& merges = file.texts("tokenizer.ggml.merges");
    out.reserve(merges.size());
    std::string joined;
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
        const std::string_view merge = merges[rank];
        const std::size_t space = merge.find(' ', 1);
        if (space == std::string_view::npos) fail(file, "merge " + std::to_string(rank) + " has no two parts");
        const std::string_view left = merge.substr(0, space), right = merge.substr(space + 1);
        joined.assign(left).append(right);
        const auto left_id = vocabulary.ids.find(left), right_id = vocabulary.ids.find(right),
                   joined_id = vocabulary.ids.find(joined);
        const auto end = vocabulary.ids.end();
        if (left_id == end || right_id == end || joined_id == end) {
            fail(file, "merge " + std::to_string(rank) + " joins what is not in the vocabulary");
        }
        out.push_back({left_id->second, right_id->second, joined_id->second, static_cast<int>(rank)});
    }
    return out;
}

TokenizerParts byte_level_parts(const GgufFile& file) {
    GgufPreTokenizer pre = gguf_pre_tokenizer(file.find_text("tokenizer.ggml.pre").value_or("default"));
    const Vocabulary vocabulary = read_vocabulary(file);
    BpeRules rules;
    rules.vocabulary = static_cast<int>(vocabulary.texts.size());
    rules.merges = read_merges(file, vocabulary);
    rules.whole_words_first = pre.whole_words_first;
    const TokenDecoder decoder{{BytesOfAlphabetStep{}}};
    TokenizerParts out;
    for (std::size_t i = 0; i < vocabulary.texts.size(); ++i) {
        const bool normal = !is_special(vocabulary.types[i]) && vocabulary.types[i] != TokenType::user_defined;
        out.tokens.push_back({decoder.bytes_of(vocabulary.texts[i], !normal), is_special(vocabulary.types[i])});
        if (normal && !vocabulary.texts[i].empty()) rules.ids.emplace(vocabulary.texts[i], static_cast<int>(i));
    }
    out.in_text = added_tokens_of(vocabulary);
    pre.steps.emplace_back(ByteAlphabetStep{});
    out.pre_tokenizer = PreTokenizer(std::move(pre.steps));
    out.model = std::make_unique<const BpeModel>(std::move(rules));
    read_special_ids(file, pre.adds_bos, out);
    return out;
}

// Model "llama": SentencePiece's BPE, whose merges are all pairs of tokens that make a token, by its score.

/// By score, the best first; equal scores have the same rank.
std::vector<int> ranks_of(const GgufFile& file, const std::vector<double>& scores) {
    std::map<double, int, std::greater<>> ranks;
    for (const double score : scores) {
        if (!(score == score)) fail(file, "tokenizer.ggml.scores holds what is not a number");
        ranks.emplace(score, 0);
    }
    int next = 0;
    for (auto& [score, rank] : ranks) rank = next++;
    std::vector<int> out;
    for (const double score : scores) out.push_back(ranks.at(score));
    return out;
}

constexpr std::size_t longest_token = 1024;  // bytes; each way to cut it is tried

/// Every way to make a token of two that a text may become; single characters need not be tokens.
void add_merges(const GgufFile& file, const std::vector<int>& ranks, BpeRules& rules) {
    TextIds parts = rules.ids;
    for (const auto& [text, id] : rules.ids) {
        if (text.size() > longest_token) {
            fail(file, "token " + std::to_string(id) + " has " + std::to_string(text.size()) + " bytes, more than " +
                           std::to_string(longest_token));
        }
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t length = code_point_at(text, at).length;
            const auto [entry, is_new] = parts.emplace(
                text.substr(at, length), rules.vocabulary + static_cast<int>(rules.unwritten.size()));
            if (is_new) rules.unwritten.push_back(entry->first);
            at += length;
        }
    }
    for (const auto& [text, id] : rules.ids) {
        const std::string_view whole = text;
        for (std::size_t at = code_point_at(whole, 0).length; at < whole.size();
             at += code_point_at(whole, at).length) {
            const auto left = parts.find(whole.substr(0, at)), right = parts.find(whole.substr(at));
            if (left == parts.end() || right == parts.end()) continue;
            rules.merges.push_back({left->second, right->second, id, ranks[static_cast<std::size_t>(id)]});
        }
    }
}

TokenizerParts sentencepiece_parts(const GgufFile& file) {
    const Vocabulary vocabulary = read_vocabulary(file);
    const std::vector<double>& scores = file.reals("tokenizer.ggml.scores");
    if (scores.size() != vocabulary.texts.size()) {
        fail(file, "tokenizer.ggml.scores has " + std::to_string(scores.size()) + " entries for " +
                       std::to_string(vocabulary.texts.size()) + " tokens");
    }
    BpeRules rules;
    rules.vocabulary = static_cast<int>(vocabulary.texts.size());
    std::array<int, 256> bytes;
    bytes.fill(-1);
    const TokenDecoder decoder{{ReplaceStep{std::string("\u2581"), " "}, BytesOfNamesStep{}}};
    TokenizerParts out;
    for (std::size_t i = 0; i < vocabulary.texts.size(); ++i) {
        const std::string& text = vocabulary.texts[i];
        const TokenType type = vocabulary.types[i];
        out.tokens.push_back({is_special(type) ? text : decoder.bytes_of(text, false), is_special(type)});
        if (type == TokenType::unknown && rules.unknown < 0) rules.unknown = static_cast<int>(i);
        if (type == TokenType::byte) {
            const int byte = byte_of_name(text);
            if (byte < 0) fail(file, "token " + std::to_string(i) + " is a byte's, but not named <0x00> to <0xFF>");
            bytes[static_cast<std::size_t>(byte)] = static_cast<int>(i);
        } else if (!is_special(type) && !text.empty()) {
            rules.ids.emplace(text, static_cast<int>(i));
        }
    }
    if (std::find(bytes.begin(), bytes.end(), -1) == bytes.end()) rules.byte_fallback = bytes;
    add_merges(file, ranks_of(file, scores), rules);

    std::vector<NormalizerStep> steps;
    if (file.find_flag("tokenizer.ggml.add_space_prefix").value_or(true)) {
        steps.emplace_back(PrependStep{" "});
        out.first_spaces = FirstSpaces::one_dropped;
    }
    steps.emplace_back(ReplaceStep{std::string(" "), "\u2581"});
    out.normalizer = Normalizer(std::move(steps));
    out.in_text = added_tokens_of(vocabulary);
    out.model = std::make_unique<const BpeModel>(std::move(rules));
    read_special_ids(file, true, out);
    return out;
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::from_gguf(const GgufFile& file) {
    const std::string model = file.text("tokenizer.ggml.model");
    if (model == "gpt2") return std::make_shared<const Tokenizer>(byte_level_parts(file));
    if (model == "llama") return std::make_shared<const Tokenizer>(sentencepiece_parts(file));
    throw Error("open model", file.path().string() + ": tokenizer.ggml.model '" + model +
                                  "' is not supported; use a model with a tokenizer of 'gpt2' (byte-level BPE) or "
                                  "'llama' (SentencePiece's BPE)");
}

}  // namespace plumbline
