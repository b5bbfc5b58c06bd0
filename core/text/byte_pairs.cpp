#include "core/text/byte_pairs.h"

#include <bit>
#include <limits>
#include <queue>
#include <stdexcept>

namespace plumbline {
namespace {

constexpr int no_rank = std::numeric_limits<int>::max();

std::uint64_t key_of(int left, int right) {  // never 0
    return (static_cast<std::uint64_t>(left) + 1) << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

BytePairs::BytePairs(std::size_t count) : rules_(std::bit_ceil(2 * count + 2)) {}

std::size_t BytePairs::place_of(std::uint64_t pair) const {
    const std::size_t mask = rules_.size() - 1;
    std::size_t place = (pair * 0x9E3779B97F4A7C15ull) >> 32 & mask;
    while (rules_[place].pair != 0 && rules_[place].pair != pair) place = (place + 1) & mask;
    return place;
}

void BytePairs::add(int left, int right, int rank, int merged) {
    const std::uint64_t pair = key_of(left, right);
    rules_[place_of(pair)] = {pair, rank, merged};
}

const BytePairs::Rule* BytePairs::find(int left, int right) const {
    const Rule& rule = rules_[place_of(key_of(left, right))];
    return rule.pair != 0 ? &rule : nullptr;
}

void BytePairs::merge(std::vector<int>& tokens) const {
    constexpr std::size_t short_word = 32;  // below it a scan for the best pair is faster than a queue
    if (tokens.size() <= short_word) {
        merge_by_scanning(tokens);
    } else {
        merge_by_queue(tokens);
    }
}

void BytePairs::merge_by_scanning(std::vector<int>& tokens) const {
    // ranks[i], merged[i]: of the rule for tokens i and i + 1
    int ranks[32], merged[32];
    const auto look_up = [&](std::size_t i) {
        const Rule* rule = i + 1 < tokens.size() ? find(tokens[i], tokens[i + 1]) : nullptr;
        ranks[i] = rule != nullptr ? rule->rank : no_rank;
        merged[i] = rule != nullptr ? rule->merged : 0;
    };
    for (std::size_t i = 0; i < tokens.size(); ++i) look_up(i);
    for (;;) {
        std::size_t best = 0;
        for (std::size_t i = 1; i < tokens.size(); ++i) {
            if (ranks[i] < ranks[best]) best = i;
        }
        if (tokens.empty() || ranks[best] == no_rank) return;
        tokens[best] = merged[best];
        tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(best) + 1);
        for (std::size_t i = best + 1; i < tokens.size(); ++i) {
            ranks[i] = ranks[i + 1];
            merged[i] = merged[i + 1];
        }
        look_up(best);
        if (best > 0) look_up(best - 1);
    }
}

void BytePairs::merge_by_queue(std::vector<int>& tokens) const {
    struct Node {
        int token, previous, next;  // places; -1: none. A merged-away node has token -1
    };
    struct Candidate {
        int rank, left, left_token, right_token, merged;
        bool operator<(const Candidate& other) const {  // the queue's top is the largest
            return rank != other.rank ? rank > other.rank : left > other.left;
        }
    };
    if (tokens.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw std::length_error("a word is too long to be tokenized");
    }
    const int count = static_cast<int>(tokens.size());
    std::vector<Node> nodes(tokens.size());
    for (int i = 0; i < count; ++i) {
        nodes[static_cast<std::size_t>(i)] = {tokens[static_cast<std::size_t>(i)], i - 1,
                                              i + 1 < count ? i + 1 : -1};
    }
    const auto node = [&](int place) -> Node& { return nodes[static_cast<std::size_t>(place)]; };
    std::priority_queue<Candidate> queue;
    const auto propose = [&](int left) {
        if (left < 0 || node(left).next < 0) return;
        const int right_token = node(node(left).next).token;
        if (const Rule* rule = find(node(left).token, right_token)) {
            queue.push({rule->rank, left, node(left).token, right_token, rule->merged});
        }
    };
    for (int i = 0; i + 1 < count; ++i) propose(i);
    while (!queue.empty()) {
        const Candidate top = queue.top();
        queue.pop();
        Node& left = node(top.left);
        // Stale when either side has been merged since.
        if (left.token != top.left_token || left.next < 0 || node(left.next).token != top.right_token)
            continue;
        Node& right = node(left.next);
        left.token = top.merged;
        left.next = right.next;
        right.token = -1;
        if (left.next >= 0) node(left.next).previous = top.left;
        propose(left.previous);
        propose(top.left);
    }
    tokens.clear();
    for (int i = 0; i >= 0; i = node(i).next) tokens.push_back(node(i).token);
}

}  // namespace plumbline
