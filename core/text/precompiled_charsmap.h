#pragma once
// SentencePiece's compiled normalisation rules: a double-array trie (darts-clone) from sequences to replacements.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// Immutable after construction; may be used from any thread.
class PrecompiledCharsmap {
  public:
    /// From the blob as tokenizer.json has it, in base64. Throws std::invalid_argument for a damaged one.
    explicit PrecompiledCharsmap(std::string_view base64);
    /// As the tokenizers library applies it: by grapheme clusters of fewer than 6 bytes, else by characters.
    std::string apply(std::string_view text) const;

  private:
    std::optional<std::string_view> replacement_of(std::string_view sequence) const;

    std::vector<std::uint32_t> units_;
    std::string replacements_;  // each ends with a zero byte
};

}  // namespace plumbline
