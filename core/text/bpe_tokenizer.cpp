#include "core/text/bpe_tokenizer.h"

#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "core/text/byte_alphabet.h"
#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

[[noreturn]] void fail(const GgufFile& file, const std::string& what) {
    throw Error("open model", file.path().string() + ": " + what + "; the file is damaged");
}

// The file's numbers in tokenizer.ggml.token_type.
constexpr std::int64_t first_type = 1, unknown_type = 2, control_type = 3, user_defined_type = 4,
                       last_type = 6;

}  // namespace

BpeTokenizer::BpeTokenizer(const GgufFile& file)
    : pre_tokenizer_(file.find_text("tokenizer.ggml.pre").value_or("default")),
      pairs_(file.texts("tokenizer.ggml.merges").size()) {
    const Ids ids = read_vocabulary(file);
    read_merges(file, ids);
    read_special_ids(file);
}

BpeTokenizer::Ids BpeTokenizer::read_vocabulary(const GgufFile& file) {
    const std::vector<std::string>& texts = file.texts("tokenizer.ggml.tokens");
    const std::vector<std::int64_t>* types = file.find_integers("tokenizer.ggml.token_type");
    if (texts.empty()) fail(file, "tokenizer.ggml.tokens is empty");
    if (types != nullptr && types->size() != texts.size()) {
        fail(file, "tokenizer.ggml.token_type has " + std::to_string(types->size()) + " entries for " +
                       std::to_string(texts.size()) + " tokens");
    }
    vocab_size_ = static_cast<int>(texts.size());
    bytes_.reserve(texts.size());
    kinds_.assign(texts.size(), Kind::normal);
    Ids ids;
    ids.reserve(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const int id = static_cast<int>(i);
        if (types != nullptr) {
            const std::int64_t type = (*types)[i];
            if (type < first_type || type > last_type) {
                fail(file, "tokenizer.ggml.token_type of token " + std::to_string(i) + " is " +
                               std::to_string(type));
            }
            if (type == control_type || type == unknown_type) kinds_[i] = Kind::control;
            if (type == user_defined_type) kinds_[i] = Kind::user_defined;
        }
        const auto [other, is_new] = ids.emplace(texts[i], id);
        if (!is_new && !texts[i].empty()) {
            fail(file,
                 "tokens " + std::to_string(other->second) + " and " + std::to_string(i) + " are the same");
        }
        if (kinds_[i] == Kind::normal) {
            bytes_.push_back(bytes_behind(texts[i]).value_or(texts[i]));
            continue;
        }
        bytes_.push_back(texts[i]);
        if (texts[i].empty()) continue;
        all_special_.add(texts[i], id);
        if (kinds_[i] == Kind::user_defined) user_defined_.add(texts[i], id);
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const auto found = ids.find(byte_characters()[byte]);
        id_of_byte_[byte] = found != ids.end() ? found->second : -1;
    }
    if (pre_tokenizer_.whole_words_first()) {
        for (std::size_t i = 0; i < bytes_.size(); ++i) {
            if (kinds_[i] == Kind::normal) id_of_bytes_.emplace(bytes_[i], static_cast<int>(i));
        }
    }
    return ids;
}

void BpeTokenizer::read_merges(const GgufFile& file, const Ids& ids) {
    const std::vector<std::string>& merges = file.texts("tokenizer.ggml.merges");
    std::string joined;
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
        const std::string_view merge = merges[rank];
        const std::size_t space = merge.find(' ', 1);
        if (space == std::string_view::npos)
            fail(file, "merge " + std::to_string(rank) + " has no two parts");
        const std::string_view left = merge.substr(0, space), right = merge.substr(space + 1);
        joined.assign(left).append(right);
        const auto left_id = ids.find(left), right_id = ids.find(right), joined_id = ids.find(joined);
        if (left_id == ids.end() || right_id == ids.end() || joined_id == ids.end()) {
            fail(file, "merge " + std::to_string(rank) + " joins what is not in the vocabulary");
        }
        pairs_.add(left_id->second, right_id->second, static_cast<int>(rank), joined_id->second);
    }
}

void BpeTokenizer::read_special_ids(const GgufFile& file) {
    const auto id = [&](const char* key) {
        return static_cast<int>(file.find_integer(key, 0, vocab_size_ - 1).value_or(-1));
    };
    bos_ = id("tokenizer.ggml.bos_token_id");
    eos_ = id("tokenizer.ggml.eos_token_id");
    pad_ = id("tokenizer.ggml.padding_token_id");
    adds_bos_ = file.find_flag("tokenizer.ggml.add_bos_token").value_or(pre_tokenizer_.adds_bos());
    if (adds_bos_ && bos_ < 0)
        fail(file, "tokenizer.ggml.add_bos_token is set without tokenizer.ggml.bos_token_id");
}

std::vector<int> BpeTokenizer::encode(std::string_view text, SpecialTokens special) const {
    const std::string valid = valid_utf8(text);
    const std::string_view whole = valid;
    const TokenTexts& tokens = special == SpecialTokens::parse ? all_special_ : user_defined_;
    std::vector<int> out;
    for (std::size_t at = 0; at < whole.size();) {
        const TokenTexts::Found found = tokens.find(whole, at);
        encode_plain(whole.substr(at, found.begin - at), out);
        if (found.id < 0) break;
        out.push_back(found.id);
        at = found.begin + found.length;
    }
    return out;
}

void BpeTokenizer::encode_plain(std::string_view text, std::vector<int>& out) const {
    std::vector<std::string_view> words;
    std::vector<int> symbols;
    pre_tokenizer_.split(text, words);
    for (const std::string_view word : words) encode_word(word, symbols, out);
}

void BpeTokenizer::encode_word(std::string_view word, std::vector<int>& symbols,
                               std::vector<int>& out) const {
    if (pre_tokenizer_.whole_words_first()) {
        const auto found = id_of_bytes_.find(word);
        if (found != id_of_bytes_.end()) {
            out.push_back(found->second);
            return;
        }
    }
    symbols.clear();
    for (const char c : word) {
        const int id = id_of_byte_[static_cast<unsigned char>(c)];
        if (id >= 0) symbols.push_back(id);
    }
    pairs_.merge(symbols);
    out.insert(out.end(), symbols.begin(), symbols.end());
}

std::size_t BpeTokenizer::checked(int id) const {
    if (id < 0 || id >= vocab_size_) {
        throw Error("decode", "token id " + std::to_string(id) + " is not in 0.." +
                                  std::to_string(vocab_size_ - 1) + "; use ids of this model's vocabulary");
    }
    return static_cast<std::size_t>(id);
}

std::string_view BpeTokenizer::bytes_of(int id) const {
    return bytes_[checked(id)];
}

bool BpeTokenizer::is_special(int id) const {
    return kinds_[checked(id)] == Kind::control;
}

}  // namespace plumbline
