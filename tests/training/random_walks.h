#pragma once
// Walks over a random graph towards node 0 (after the example of 2106.01345 sec. 3): the optimality of a walk is a
// reward in [0, 1], and a policy is one table of logits, the next node given the present one.

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/sampling/counter_random.h"

namespace plumbline::testing {

class RandomWalks {
  public:
    static constexpr int nodes = 21, longest = 10, goal = 0;  // longest: nodes of a walk, the first included

    /// Every edge with probability 0.1, redrawn until each node but the goal has one.
    explicit RandomWalks(std::uint64_t seed) {
        for (std::uint32_t draw = 0; !every_node_has_an_edge(); ++draw) {
            for (std::uint32_t i = 0; i < nodes * nodes; ++i) {
                const auto from = i / nodes, to = i % nodes;
                edge_[from][to] = from != goal && from != to && uniform({seed, draw, 0, i, 0}) < 0.1;
            }
        }
        shortest_.fill(longest + 1);
        shortest_[goal] = 1;
        for (int round = 0; round < longest; ++round) {
            for (int from = 0; from < nodes; ++from) {
                for (int to = 0; to < nodes; ++to) {
                    if (edge_[from][to]) {
                        shortest_[from] = std::min(shortest_[from], shortest_[to] + 1);
                    }
                }
            }
        }
        for (int node = 1; node < nodes; ++node) {
            if (shortest_[node] < longest) {
                starts_.push_back(node);
            }
        }
    }

    bool edge(int from, int to) const {
        return edge_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
    }
    /// Nodes from which a walk can be better than the worst.
    const std::vector<int>& starts() const { return starts_; }

    /// 1 for a shortest way to the goal, 0 for one that is as long as allowed, that ends elsewhere or leaves
    /// the graph.
    double optimality(const std::vector<int>& walk) const {
        std::size_t length = longest;
        for (std::size_t i = 1; i < walk.size() && edge(walk[i - 1], walk[i]); ++i) {
            if (walk[i] == goal) {
                length = i + 1;
                break;
            }
        }
        const int best = shortest_[static_cast<std::size_t>(walk[0])];
        return static_cast<double>(longest - static_cast<int>(length)) / (longest - best);
    }

  private:
    bool every_node_has_an_edge() const {
        for (int node = 1; node < nodes; ++node) {
            bool any = false;
            for (const bool e : edge_[static_cast<std::size_t>(node)]) {
                any = any || e;
            }
            if (!any) {
                return false;
            }
        }
        return true;
    }

    std::array<std::array<bool, nodes>, nodes> edge_{};
    std::array<int, nodes> shortest_{};  // nodes of a shortest walk to the goal; longest + 1: none that short
    std::vector<int> starts_;
};

/// B walks, their M steps end to end as replies' tokens are.
struct Walks {
    at::Tensor from, to;                     // (M) int64
    std::vector<std::int64_t> reply_starts;  // (B+1)
    at::Tensor scores;                       // (B) optimality
};

/// `each` walks from every start, one start after another. A walk ends at the goal, off the graph, or at its
/// longest.
inline Walks walk(const RandomWalks& graph, const at::Tensor& table, int each, std::uint64_t seed,
                  std::uint32_t stream) {
    const at::Tensor below = table.detach().softmax(1).cumsum(1).contiguous();  // (21, 21)
    const double* const rows = below.const_data_ptr<double>();
    std::vector<std::int64_t> from, to;
    std::vector<double> scores;
    Walks out{{}, {}, {0}, {}};
    std::uint32_t sample = 0;
    for (const int start : graph.starts()) {
        for (int i = 0; i < each; ++i, ++sample) {
            std::vector<int> nodes{start};
            while (static_cast<int>(nodes.size()) < RandomWalks::longest) {
                const int at = nodes.back();
                const double* const row = rows + at * RandomWalks::nodes;
                const double u = uniform({seed, stream, 0, sample, static_cast<std::uint32_t>(nodes.size())});
                int next = 0;
                while (next + 1 < RandomWalks::nodes && row[next] <= u) {
                    ++next;
                }
                nodes.push_back(next);
                from.push_back(at);
                to.push_back(next);
                if (next == RandomWalks::goal || !graph.edge(at, next)) {
                    break;
                }
            }
            out.reply_starts.push_back(static_cast<std::int64_t>(from.size()));
            scores.push_back(graph.optimality(nodes));
        }
    }
    out.from = at::tensor(from, at::kLong);
    out.to = at::tensor(to, at::kLong);
    out.scores = at::tensor(scores, at::kDouble);
    return out;
}

/// (M) of each step.
inline at::Tensor step_logprobs(const at::Tensor& table, const Walks& walks) {
    return at::log_softmax(table, 1).view({-1}).index_select(0, walks.from * RandomWalks::nodes + walks.to);
}

}  // namespace plumbline::testing
