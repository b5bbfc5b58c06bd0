#pragma once
// Cuts a text into the words that byte-pair merging must not cross. Each family of models has its own rule;
// a GGUF file names it in tokenizer.ggml.pre.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// Immutable after construction; may be used from any thread. Properties of characters are those of the
/// installed PCRE2 (10.42: Unicode 14).
class PreTokenizer {
  public:
    /// By the name in the file, e.g. "smollm"; throws Error "open model: …" with the known names for another.
    explicit PreTokenizer(std::string_view name);
    ~PreTokenizer();

    /// Appends the words of `text`, which must be valid UTF-8. Together they are the text, in order.
    void split(std::string_view text, std::vector<std::string_view>& words) const;

    /// A word that is a token as a whole is that token, whatever the merges would make of it.
    bool whole_words_first() const { return whole_words_first_; }
    /// Whether a text begins with BOS when the file does not say.
    bool adds_bos() const { return adds_bos_; }

  private:
    struct Pattern;
    void split_by(std::size_t pattern, std::string_view text, std::vector<std::string_view>& words) const;

    std::vector<std::unique_ptr<const Pattern>>
        patterns_;  // applied in order, each to the pieces of the one before
    bool whole_words_first_ = false, adds_bos_ = false;
};

}  // namespace plumbline
