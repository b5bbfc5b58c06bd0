#pragma once
// A set of texts, each with a number, that is searched for at a place of another text.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plumbline {

/// Immutable after construction; may be used from any thread.
class ByteTrie {
  public:
    /// Texts must not be empty; of equal ones the last counts.
    explicit ByteTrie(std::vector<std::pair<std::string, int>> texts = {});

    bool empty() const { return nodes_.size() == 1; }
    bool begins_with(char byte) const { return first_[static_cast<unsigned char>(byte)] != 0; }
    struct Match {
        std::size_t length = 0;
        int value = -1;  // -1: none
    };
    /// The longest of the texts that stands at `at`.
    Match longest(std::string_view text, std::size_t at) const {
        Match out;
        each(text, at, [&](std::size_t length, int value) { out = {length, value}; });
        return out;
    }
    /// Calls visit(length, value) for each of the texts that stands at `at`, the shortest first.
    template <class Visit>
    void each(std::string_view text, std::size_t at, Visit visit) const {
        if (at >= text.size()) return;
        std::uint32_t node = first_[static_cast<unsigned char>(text[at])];
        for (std::size_t length = 1; node != 0; ++length) {
            if (nodes_[node].value >= 0) visit(length, nodes_[node].value);
            if (at + length >= text.size()) return;
            node = child(nodes_[node], static_cast<unsigned char>(text[at + length]));
        }
    }

  private:
    struct Node {
        std::uint32_t children = 0;  // place of the first; they lie together, by byte
        std::uint16_t count = 0;
        unsigned char byte = 0;
        int value = -1;
    };
    std::uint32_t child(const Node& node, unsigned char byte) const {
        std::uint32_t low = node.children, high = low + node.count;
        while (low < high) {
            const std::uint32_t middle = (low + high) / 2;
            if (nodes_[middle].byte < byte) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low < node.children + node.count && nodes_[low].byte == byte ? low : 0;
    }

    std::vector<Node> nodes_;  // the root first
    std::array<std::uint32_t, 256> first_{};  // the root's children; 0: none
};

}  // namespace plumbline
