#include "core/text/tokenizer.h"

#include <algorithm>

#include "core/api/errors.h"
#include "core/text/tokenizer_parts.h"
#include "core/text/utf8_stream.h"

namespace plumbline {

namespace {

TokenizerParts with_ends(TokenizerParts parts) {
    std::vector<int>& ends = parts.ends;
    ends.push_back(parts.eos);
    std::sort(ends.begin(), ends.end());
    ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
    ends.erase(ends.begin(), std::lower_bound(ends.begin(), ends.end(), 0));
    return parts;
}

}  // namespace

Tokenizer::Tokenizer(TokenizerParts parts)
    : parts_(std::make_unique<const TokenizerParts>(with_ends(std::move(parts)))) {}
Tokenizer::~Tokenizer() = default;

int Tokenizer::vocab_size() const { return static_cast<int>(parts_->tokens.size()); }
int Tokenizer::bos() const { return parts_->bos; }
int Tokenizer::eos() const { return parts_->eos; }
int Tokenizer::pad() const { return parts_->pad; }
const std::vector<int>& Tokenizer::ends() const { return parts_->ends; }
bool Tokenizer::adds_bos() const { return parts_->adds_bos; }

std::vector<int> Tokenizer::encode(std::string_view text, SpecialTokens special) const {
    const std::string valid = valid_utf8(text);
    std::vector<AddedTokens::Section> sections;
    parts_->in_text.split(valid, special == SpecialTokens::parse, sections);
    std::vector<int> out;
    for (const auto& [range, id] : sections) {
        if (id >= 0) {
            out.push_back(id);
            continue;
        }
        const std::string section = valid.substr(range.begin, range.end - range.begin);
        encode_normalized(parts_->normalizer.apply(section), range.begin == 0, special, out);
    }
    return out;
}

void Tokenizer::encode_normalized(const std::string& text, bool at_start, SpecialTokens special,
                                  std::vector<int>& out) const {
    std::vector<AddedTokens::Section> sections;
    parts_->in_normalized.split(text, special == SpecialTokens::parse, sections);
    for (const auto& [range, id] : sections) {
        if (id >= 0) {
            out.push_back(id);
        } else {
            encode_words(text.substr(range.begin, range.end - range.begin), at_start && range.begin == 0, out);
        }
    }
}

void Tokenizer::encode_words(std::string text, bool at_start, std::vector<int>& out) const {
    Words words(std::move(text), at_start);
    parts_->pre_tokenizer.apply(words);
    for (std::size_t i = 0; i < words.words.size(); ++i) parts_->model->encode(words[i], out);
}

std::string_view Tokenizer::bytes_of(int id) const {
    if (id < 0 || id >= vocab_size()) {
        throw Error("decode", "token id " + std::to_string(id) + " is not in 0.." + std::to_string(vocab_size() - 1) +
                                  "; use ids of this model's vocabulary");
    }
    return parts_->tokens[static_cast<std::size_t>(id)].bytes;
}

std::string_view Tokenizer::first_bytes_of(int id) const {
    std::string_view bytes = bytes_of(id);
    if (parts_->first_spaces == FirstSpaces::kept) return bytes;
    do {
        if (!bytes.starts_with(' ')) break;
        bytes.remove_prefix(1);
    } while (parts_->first_spaces == FirstSpaces::all_dropped);
    return bytes;
}

bool Tokenizer::is_special(int id) const {
    bytes_of(id);
    return parts_->tokens[static_cast<std::size_t>(id)].special;
}

std::string Tokenizer::decode(const std::vector<int>& ids, bool skip_special) const {
    std::string bytes;
    bool first = true;
    for (const int id : ids) {
        if (is_special(id) && skip_special) continue;
        bytes += first ? first_bytes_of(id) : bytes_of(id);
        first = false;
    }
    return valid_utf8(bytes);
}

}  // namespace plumbline
