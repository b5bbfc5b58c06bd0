#include "core/text/byte_trie.h"

#include <algorithm>

namespace plumbline {

ByteTrie::ByteTrie(std::vector<std::pair<std::string, int>> texts) {
    std::stable_sort(texts.begin(), texts.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    struct Open {  // a node whose texts are texts[begin, end), all the same for `depth` bytes
        std::uint32_t node;
        std::size_t begin, end, depth;
    };
    nodes_.emplace_back();
    std::vector<Open> level = {{0, 0, texts.size(), 0}};
    for (std::size_t next = 0; next < level.size(); ++next) {  // by breadth, so that children lie together
        auto [node, begin, end, depth] = level[next];
        for (; begin < end && texts[begin].first.size() == depth; ++begin) nodes_[node].value = texts[begin].second;
        nodes_[node].children = static_cast<std::uint32_t>(nodes_.size());
        while (begin < end) {
            const char byte = texts[begin].first[depth];
            const std::size_t same_end = static_cast<std::size_t>(
                std::partition_point(texts.begin() + static_cast<std::ptrdiff_t>(begin),
                                     texts.begin() + static_cast<std::ptrdiff_t>(end),
                                     [&](const auto& text) { return text.first[depth] == byte; }) -
                texts.begin());
            level.push_back({static_cast<std::uint32_t>(nodes_.size()), begin, same_end, depth + 1});
            ++nodes_[node].count;
            nodes_.emplace_back().byte = static_cast<unsigned char>(byte);
            begin = same_end;
        }
    }
    for (std::uint32_t i = 0; i < nodes_[0].count; ++i) first_[nodes_[1 + i].byte] = 1 + i;
}

}  // namespace plumbline
