#pragma once
// Cuts a text into the words that a vocabulary's model works on one by one, and writes them as the vocabulary does.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/text/regex.h"
#include "core/text/unicode.h"

namespace plumbline {

/// A text and the words in it. Steps cut the words and may write the text anew.
struct Words {
    std::string text;          // valid UTF-8
    std::vector<Range> words;  // none empty, in order, none overlapping
    bool at_start = true;      // whether `text` began the text that is to be tokenized

    explicit Words(std::string whole, bool starts = true);
    std::string_view operator[](std::size_t i) const {
        return std::string_view(text).substr(words[i].begin, words[i].end - words[i].begin);
    }
};

/// What a word is cut at: a pattern, a text, or single characters of a kind.
using Delimiter = std::variant<Regex, std::string, bool (*)(char32_t)>;

/// Finds a delimiter in one text after another. Not shared by threads; the delimiter outlives it.
class DelimiterSearch {
  public:
    explicit DelimiterSearch(const Delimiter& delimiter);
    /// Replaces `out` by its places in `text`, from the left.
    void find_all(std::string_view text, std::vector<Range>& out);

  private:
    const Delimiter& delimiter_;
    std::optional<Regex::Search> regex_;
};

/// What becomes of the delimiter.
enum class DelimiterPlace { removed, isolated, with_previous, with_next, contiguous };

struct SplitStep {
    Delimiter delimiter;
    DelimiterPlace place = DelimiterPlace::isolated;
    bool inverted = false;  // what is not the delimiter is
};
/// A space before each word that has none.
struct LeadingSpaceStep {};
/// Each byte becomes its character in GPT-2's alphabet.
struct ByteAlphabetStep {};
/// Spaces become `mark`, and one is put before a word that begins otherwise.
struct MetaspaceStep {
    enum class Before { always, first, never };
    std::string mark = "\u2581";
    Before before = Before::always;
};
using PreTokenizerStep = std::variant<SplitStep, LeadingSpaceStep, ByteAlphabetStep, MetaspaceStep>;

/// Immutable after construction; may be used from any thread.
class PreTokenizer {
  public:
    explicit PreTokenizer(std::vector<PreTokenizerStep> steps = {}) : steps_(std::move(steps)) {}
    void apply(Words& words) const;

  private:
    std::vector<PreTokenizerStep> steps_;
};

/// GPT-2's pattern, of which a ByteLevel step without a pattern of its own consists.
extern const char* const gpt2_pattern;

}  // namespace plumbline
