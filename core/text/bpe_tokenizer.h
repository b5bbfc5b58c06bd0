#pragma once
// The byte-level BPE tokenizer of a GGUF file.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/byte_pairs.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/special_tokens.h"
#include "core/text/tokenizer.h"

namespace plumbline {

class BpeTokenizer final : public Tokenizer {
  public:
    /// Throws Error "open model: <file>: …".
    explicit BpeTokenizer(const GgufFile& file);

    std::vector<int> encode(std::string_view text, SpecialTokens special) const override;
    std::string_view bytes_of(int id) const override;
    bool is_special(int id) const override;

  private:
    enum class Kind : std::uint8_t { normal, control, user_defined };

    using Ids = std::unordered_map<std::string_view, int>;

    /// Returns the ids by the tokens' texts in the file; the views lie in it.
    Ids read_vocabulary(const GgufFile& file);
    void read_merges(const GgufFile& file, const Ids& ids);
    void read_special_ids(const GgufFile& file);
    void encode_plain(std::string_view text, std::vector<int>& out) const;
    void encode_word(std::string_view word, std::vector<int>& symbols, std::vector<int>& out) const;
    std::size_t checked(int id) const;

    PreTokenizer pre_tokenizer_;
    BytePairs pairs_;
    std::vector<std::string> bytes_;     // by id
    std::vector<Kind> kinds_;            // by id
    Ids id_of_bytes_;                    // normal tokens, when whole words come first; views into bytes_
    std::array<int, 256> id_of_byte_{};  // -1: the vocabulary lacks it
    TokenTexts user_defined_;            // matched in every text
    TokenTexts all_special_;             // the same and the control tokens
};

}  // namespace plumbline
