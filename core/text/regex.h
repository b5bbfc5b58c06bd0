#pragma once
// Regular expressions of tokenizer files.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/unicode.h"

namespace plumbline {

/// Immutable after construction; may be used from any thread. Properties of characters are those of the installed
/// PCRE2 (10.42: Unicode 14).
class Regex {
  public:
    /// A PCRE2 pattern; throws std::invalid_argument with PCRE2's words for one that does not compile.
    explicit Regex(std::string_view pattern);
    /// A pattern of Oniguruma's Ruby syntax, which tokenizer.json is written in.
    static Regex from_oniguruma(std::string_view pattern);

    /// Finds matches in one text after another. Not shared by threads; the Regex outlives it.
    class Search {
      public:
        explicit Search(const Regex& regex);
        ~Search();
        Search(const Search&) = delete;
        Search& operator=(const Search&) = delete;
        /// Replaces `out` by the matches that are not empty, from the left, none overlapping. `text` must be valid
        /// UTF-8. Throws Error "tokenize: …" where a match takes too much time or memory.
        void find_all(std::string_view text, std::vector<Range>& out);

      private:
        struct Scratch;
        const Regex& regex_;
        std::unique_ptr<Scratch> scratch_;
    };

  private:
    struct Code;
    std::shared_ptr<const Code> code_;
};

/// The same pattern in PCRE2's syntax; throws std::invalid_argument for what has no counterpart there.
std::string pcre2_from_oniguruma(std::string_view pattern);

}  // namespace plumbline
