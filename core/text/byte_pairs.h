#pragma once
// Byte-pair merging: neighbours that the merge list knows are joined, the earliest rule of the list first,
// the leftmost place first among equals, until none is left.

#include <cstdint>
#include <vector>

namespace plumbline {

/// Immutable once filled; may be used from any thread.
class BytePairs {
  public:
    /// For about `count` rules.
    explicit BytePairs(std::size_t count);
    /// (left, right) becomes `merged`. A later rule for the same pair takes the earlier one's place.
    void add(int left, int right, int rank, int merged);
    bool has(int left, int right) const { return find(left, right) != nullptr; }
    /// Merges token ids in place: O(n log n) for n tokens.
    void merge(std::vector<int>& tokens) const;

  private:
    struct Rule {
        std::uint64_t pair = 0;  // 0: a free place
        int rank = 0, merged = 0;
    };
    const Rule* find(int left, int right) const;
    std::size_t place_of(std::uint64_t pair) const;
    void merge_by_scanning(std::vector<int>& tokens) const;
    void merge_by_queue(std::vector<int>& tokens) const;

    std::vector<Rule> rules_;  // a hash table with linear probing, at most half full
};

}  // namespace plumbline
