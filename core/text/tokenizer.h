#pragma once
// Text to token ids and back. The byte-level BPE of GPT-2's line (GGUF tokenizer model "gpt2").

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

class GgufFile;

enum class SpecialTokens { parse, as_text };   // whether "<|im_end|>" in a text becomes its one token

/// Immutable after construction; may be used from any thread.
class Tokenizer {
  public:
    /// Throws Error "open model: …" for an unknown tokenizer model or pre-tokenizer, and for damaged tables.
    static std::shared_ptr<const Tokenizer> from_gguf(const GgufFile& file);
    virtual ~Tokenizer() = default;

    /// Adds neither BOS nor EOS. What is not UTF-8 counts as U+FFFD; a byte that the vocabulary lacks is left out.
    virtual std::vector<int> encode(std::string_view text, SpecialTokens special) const = 0;
    /// The token's bytes: possibly a part of a UTF-8 character. Control tokens give their text.
    virtual std::string_view bytes_of(int id) const = 0;
    /// Whole text as valid UTF-8; control tokens are left out when `skip_special`. Ids out of range throw Error.
    std::string decode(const std::vector<int>& ids, bool skip_special = false) const;

    virtual bool is_special(int id) const = 0;
    int vocab_size() const { return vocab_size_; }
    int bos() const { return bos_; }   // -1: none; likewise below
    int eos() const { return eos_; }
    int pad() const { return pad_; }   // may be the same as EOS
    bool adds_bos() const { return adds_bos_; }   // whether a text begins with BOS

  protected:
    int vocab_size_ = 0, bos_ = -1, eos_ = -1, pad_ = -1;
    bool adds_bos_ = false;
};

}  // namespace plumbline
