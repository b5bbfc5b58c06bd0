#include "core/text/bpe_trainer.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <queue>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/api/errors.h"
#include "core/text/byte_alphabet.h"
#include "core/text/gguf_pre_tokenizers.h"
#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw Error("train tokenizer", what);
}

struct Word {
    std::vector<int> symbols;
    std::int64_t count = 0;
};

using Pair = std::uint64_t;  // left id, right id
Pair pair_of(int left, int right) {
    return static_cast<Pair>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
}

/// A pair's count at the time that it was queued.
struct Candidate {
    std::int64_t count = 0;
    Pair pair = 0;
    bool operator<(const Candidate& other) const {
        return count != other.count ? count < other.count : pair > other.pair;
    }
};

/// Counts of all pairs of neighbours, and the words that may have them.
class PairCounts {
  public:
    void add(const Word& word, std::size_t place, std::int64_t sign) {
        for (std::size_t i = 1; i < word.symbols.size(); ++i) {
            const Pair pair = pair_of(word.symbols[i - 1], word.symbols[i]);
            counts_[pair] += sign * word.count;
            if (sign > 0) {
                words_[pair].insert(place);
                changed_.insert(pair);
            }
        }
    }
    /// Queues the pairs that may have grown since the last call.
    void queue_changed() {
        for (const Pair pair : changed_) {
            if (const std::int64_t count = counts_[pair]; count > 0) queue_.push({count, pair});
        }
        changed_.clear();
    }
    /// The most frequent pair; a count of 0 when none is left. Counts that fell since they were queued are
    /// corrected.
    Candidate take_best() {
        while (!queue_.empty()) {
            Candidate best = queue_.top();
            queue_.pop();
            const std::int64_t count = counts_[best.pair];
            if (count == best.count) return best;
            if (count > 0 && count < best.count) queue_.push({count, best.pair});
        }
        return {};
    }
    std::unordered_set<std::size_t> take_words(Pair pair) {
        auto node = words_.extract(pair);
        return node.empty() ? std::unordered_set<std::size_t>{} : std::move(node.mapped());
    }

  private:
    std::unordered_map<Pair, std::int64_t> counts_;
    std::unordered_map<Pair, std::unordered_set<std::size_t>> words_;
    std::unordered_set<Pair> changed_;
    std::priority_queue<Candidate> queue_;
};

void join(std::vector<int>& symbols, int left, int right, int joined) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        const bool found = i + 1 < symbols.size() && symbols[i] == left && symbols[i + 1] == right;
        symbols[kept++] = found ? joined : symbols[i];
        i += found ? 1 : 0;
    }
    symbols.resize(kept);
}

/// Distinct words in lexical order, so that nothing depends on the order of a hash table.
std::vector<Word> count_words(std::span<const std::string> texts, const PreTokenizer& pre_tokenizer,
                              const std::vector<int>& id_of_byte) {
    std::unordered_map<std::string, std::int64_t> counts;
    for (const std::string& text : texts) {
        Words words(valid_utf8(text));
        pre_tokenizer.apply(words);
        for (std::size_t i = 0; i < words.words.size(); ++i) ++counts[std::string(words[i])];
    }
    const std::map<std::string, std::int64_t> ordered(counts.begin(), counts.end());
    std::vector<Word> out;
    for (const auto& [text, count] : ordered) {
        Word word{{}, count};
        for (const char c : text) word.symbols.push_back(id_of_byte[static_cast<unsigned char>(c)]);
        out.push_back(std::move(word));
    }
    return out;
}

void check(const BpeTraining& training) {
    std::set<std::string> seen(byte_characters().begin(), byte_characters().end());
    for (const std::string& special : training.special_tokens) {
        if (special.empty() || !seen.insert(special).second) {
            fail("the special token '" + special +
                 "' is empty, given twice or a single byte's; give each its own text");
        }
    }
    if (training.vocabulary < 0 || static_cast<std::size_t>(training.vocabulary) < seen.size()) {
        fail("a vocabulary of " + std::to_string(training.vocabulary) + " has no room for 256 bytes and " +
             std::to_string(training.special_tokens.size()) + " special tokens; ask for " +
             std::to_string(seen.size()) + " or more");
    }
}

}  // namespace

BpeVocabulary train_bpe(std::span<const std::string> texts, const BpeTraining& training) {
    check(training);
    BpeVocabulary out;
    out.specials = static_cast<int>(training.special_tokens.size());
    const bool special_first = training.special_place == SpecialPlace::first;
    if (special_first) out.tokens = training.special_tokens;

    // Bytes in the order of the characters that stand for them; UTF-8 keeps the order of code points.
    std::vector<std::pair<std::string, int>> bytes;
    for (int byte = 0; byte < 256; ++byte)
        bytes.emplace_back(byte_characters()[static_cast<std::size_t>(byte)], byte);
    std::sort(bytes.begin(), bytes.end());
    std::vector<int> id_of_byte(256);
    std::unordered_map<std::string, int> ids;
    for (const auto& [character, byte] : bytes) {
        id_of_byte[static_cast<std::size_t>(byte)] = static_cast<int>(out.tokens.size());
        ids.emplace(character, static_cast<int>(out.tokens.size()));
        out.tokens.push_back(character);
    }
    if (special_first) {
        for (int i = 0; i < out.specials; ++i) ids.emplace(out.tokens[static_cast<std::size_t>(i)], i);
    }

    const PreTokenizer pre_tokenizer(gguf_pre_tokenizer(training.pre_tokenizer).steps);
    std::vector<Word> words = count_words(texts, pre_tokenizer, id_of_byte);
    if (words.empty()) fail("the texts have no word; give it texts to learn from");
    PairCounts counts;
    for (std::size_t place = 0; place < words.size(); ++place) counts.add(words[place], place, 1);
    counts.queue_changed();

    const std::size_t goal =
        static_cast<std::size_t>(training.vocabulary - (special_first ? 0 : out.specials));
    while (out.tokens.size() < goal) {
        const Candidate best = counts.take_best();
        if (best.count == 0) break;
        const int left = static_cast<int>(best.pair >> 32), right = static_cast<int>(best.pair & 0xffffffffu);
        const std::string &left_text = out.tokens[static_cast<std::size_t>(left)],
                          &right_text = out.tokens[static_cast<std::size_t>(right)];
        out.merges.push_back(left_text + " " + right_text);
        // Two ways to the same text are one token: "ab" + "c" and "a" + "bc".
        const std::string text = left_text + right_text;
        const auto [entry, is_new] = ids.emplace(text, static_cast<int>(out.tokens.size()));
        const int joined = entry->second;
        if (is_new) out.tokens.push_back(text);
        for (const std::size_t place : counts.take_words(best.pair)) {
            counts.add(words[place], place, -1);
            join(words[place].symbols, left, right, joined);
            counts.add(words[place], place, 1);
        }
        counts.queue_changed();
    }
    out.first_special = special_first ? 0 : static_cast<int>(out.tokens.size());
    if (!special_first)
        out.tokens.insert(out.tokens.end(), training.special_tokens.begin(), training.special_tokens.end());
    return out;
}

}  // namespace plumbline
