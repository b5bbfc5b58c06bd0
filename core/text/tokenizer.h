#pragma once
// Text to token ids and back.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

class GgufFile;
struct TokenizerParts;

enum class SpecialTokens { parse, as_text };   // whether "<|im_end|>" in a text becomes its one token

/// Immutable after construction; may be used from any thread.
class Tokenizer {
  public:
    /// GGUF's tokenizer models "gpt2" (byte-level BPE) and "llama" (SentencePiece's BPE). Throws Error
    /// "open model: …" for another model, an unknown pre-tokenizer, and damaged tables.
    static std::shared_ptr<const Tokenizer> from_gguf(const GgufFile& file);
    /// A tokenizer.json of Hugging Face's tokenizers library, or the folder that it is in; what is special comes from
    /// tokenizer_config.json, special_tokens_map.json and config.json beside it, where they are. Throws Error
    /// "open model: …" for what is damaged, and for what is not supported, by its name.
    static std::shared_ptr<const Tokenizer> from_json(const std::filesystem::path& folder_or_file);

    explicit Tokenizer(TokenizerParts parts);
    ~Tokenizer();

    /// Adds neither BOS nor EOS. What is not UTF-8 counts as U+FFFD; what the vocabulary cannot write is left out, or
    /// becomes its unknown token.
    std::vector<int> encode(std::string_view text, SpecialTokens special) const;
    /// The token's bytes: possibly a part of a UTF-8 character. Control tokens give their text.
    std::string_view bytes_of(int id) const;
    /// The same for the first token of a text: SentencePiece's vocabularies write a space before the first word, which
    /// the text does not have.
    std::string_view first_bytes_of(int id) const;
    /// Whole text as valid UTF-8; control tokens are left out when `skip_special`. Ids out of range throw Error.
    std::string decode(const std::vector<int>& ids, bool skip_special = false) const;

    bool is_special(int id) const;
    int vocab_size() const;   // the largest id and one
    int bos() const;          // -1: none; likewise below
    int eos() const;
    int pad() const;          // may be the same as EOS
    /// EOS and what else the files name as the end of a reply, ascending.
    const std::vector<int>& ends() const;
    bool adds_bos() const;    // whether a text begins with BOS

  private:
    void encode_normalized(const std::string& text, bool at_start, SpecialTokens special, std::vector<int>& out) const;
    void encode_words(std::string text, bool at_start, std::vector<int>& out) const;

    std::unique_ptr<const TokenizerParts> parts_;
};

}  // namespace plumbline
