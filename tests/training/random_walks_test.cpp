// Learning to walk a random graph by the shortest way, from a policy that was taught to walk it at random.

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/losses/policy_gradient.h"
#include "core/losses/ppo.h"
#include "core/training/make_optimizer.h"
#include "tests/training/random_walks.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::RandomWalks;
using testing::step_logprobs;
using testing::walk;
using testing::Walks;

constexpr int group_size = 8, steps = 120;
constexpr double beta = 0.02;

Tensor fresh_table() {
    at::set_num_threads(1);
    return at::zeros({RandomWalks::nodes, RandomWalks::nodes}, at::kDouble).requires_grad_(true);
}

// The edges with equal probability, other nodes almost never: next-node training on 50 random walks from each
// start.
Tensor taught(const RandomWalks& graph) {
    Tensor edges = at::full({RandomWalks::nodes, RandomWalks::nodes}, -30.0, at::kDouble);
    for (int from = 0; from < RandomWalks::nodes; ++from) {
        for (int to = 0; to < RandomWalks::nodes; ++to) {
            if (graph.edge(from, to)) {
                edges[from][to] = 0;
            }
        }
    }
    const Walks demonstrations = walk(graph, edges, 50, 1, 0);
    const Tensor table = fresh_table();
    AdamW optimizer({table}, {"table"});
    for (int step = 0; step < 100; ++step) {
        (-step_logprobs(table, demonstrations).mean()).backward();
        optimizer.step(0.1, 0, 0);
    }
    return table.detach();
}

struct Outcome {
    double before = 0, after = 0;  // mean optimality of 20 walks from each start
};

// `update` takes the table, the batch and the reference's log-probs (M), and makes its steps.
using Update = std::function<void(const Tensor& table, const Walks& batch, const Tensor& reference)>;

Outcome learn(std::uint64_t seed, const Tensor& table, const Update& update) {
    const RandomWalks graph(seed);
    const Tensor reference = taught(graph);
    {
        at::NoGradGuard copying;
        Tensor(table).copy_(reference);
    }
    Outcome out{walk(graph, table, 20, seed, 1).scores.mean().item<double>(), 0};
    for (std::uint32_t step = 0; step < steps; ++step) {
        const Walks batch = walk(graph, table, group_size, seed, 100 + step);
        update(table, batch, step_logprobs(reference, batch));
    }
    out.after = walk(graph, table, 20, seed, 2).scores.mean().item<double>();
    return out;
}

// (M) -> (B)
Tensor sums(const Tensor& per_token, const std::vector<std::int64_t>& starts) {
    const Tensor walks = at::arange(static_cast<std::int64_t>(starts.size()) - 1);
    return at::zeros({walks.size(0)}, at::kDouble).index_add(0, spread_to_tokens(walks, starts), per_token);
}

constexpr std::uint64_t seeds[] = {1, 2, 3};

void expect_learning(const Outcome& outcome, std::uint64_t seed) {
    EXPECT_LT(outcome.before, 0.2) << "graph " << seed;
    EXPECT_GT(outcome.after, 0.95) << "graph " << seed;
}

TEST(RandomWalks, KnowsTheOptimalityOfAWalk) {
    const RandomWalks graph(1);
    const auto step_to_goal = [&](int node) { return graph.edge(node, RandomWalks::goal); };
    const auto neighbour = std::ranges::find_if(graph.starts(), step_to_goal);
    ASSERT_NE(neighbour, graph.starts().end());
    EXPECT_EQ(graph.optimality({*neighbour, RandomWalks::goal}), 1);
    EXPECT_EQ(graph.optimality({*neighbour, *neighbour, RandomWalks::goal}), 0) << "there is no such edge";
    EXPECT_EQ(graph.optimality({*neighbour}), 0) << "it stays away from the goal";
}

TEST(RandomWalks, RlooRaisesTheirOptimality) {
    for (const std::uint64_t seed : seeds) {
        const Tensor table = fresh_table();
        AdamW optimizer({table}, {"table"});
        expect_learning(
            learn(seed, table,
                  [&](const Tensor& policy, const Walks& batch, const Tensor& reference) {
                      const Tensor logprobs = step_logprobs(policy, batch);
                      const Tensor kl = sums(kl_k1(logprobs.detach(), reference), batch.reply_starts);
                      const Tensor advantages =
                          leave_one_out_advantages((batch.scores - beta * kl).view({-1, group_size}))
                              .view({-1});
                      const Tensor whole = sums(logprobs, batch.reply_starts);
                      clipped_sequence_loss(whole, whole.detach(), advantages, 0.2).mean().backward();
                      optimizer.step(0.1, 0, 1);
                  }),
            seed);
    }
}

TEST(RandomWalks, GrpoRaisesTheirOptimality) {
    for (const std::uint64_t seed : seeds) {
        const Tensor table = fresh_table();
        AdamW optimizer({table}, {"table"});
        expect_learning(
            learn(seed, table,
                  [&](const Tensor& policy, const Walks& batch, const Tensor& reference) {
                      const Tensor advantages =
                          group_normalised_advantages(batch.scores.view({-1, group_size})).view({-1});
                      const Tensor logprobs = step_logprobs(policy, batch);
                      const Tensor losses =
                          clipped_token_loss(logprobs, logprobs.detach(),
                                             spread_to_tokens(advantages, batch.reply_starts), 0.2, 0.2);
                      average_tokens(losses + beta * kl_k3(logprobs, reference), batch.reply_starts,
                                     Averaging::grpo, 0)
                          .backward();
                      optimizer.step(0.1, 0, 1);
                  }),
            seed);
    }
}

// Everything of PPO: values of nodes, rewards per token, generalised advantages, whitening, two epochs of
// both clipped losses, Adam with epsilon outside.
TEST(RandomWalks, PpoRaisesTheirOptimality) {
    for (const std::uint64_t seed : seeds) {
        const Tensor table = fresh_table(),
                     node_values = at::zeros({RandomWalks::nodes}, at::kDouble).requires_grad_(true);
        const AdamWSettings settings{0.9, 0.999, 1e-5, AdamForm::tensorflow};
        AdamW optimizer({table, node_values}, {"table", "values"}, settings);
        expect_learning(
            learn(seed, table,
                  [&](const Tensor& policy, const Walks& batch, const Tensor& reference) {
                      const Tensor old = step_logprobs(policy, batch).detach();
                      const Tensor old_values = node_values.detach().index_select(0, batch.from);
                      const Tensor rewards =
                          token_rewards(kl_k1(old, reference), batch.scores, batch.reply_starts, beta);
                      const Advantages targets =
                          generalised_advantages(rewards, old_values, batch.reply_starts, 1, 0.95);
                      const Tensor advantages = whiten(targets.advantages, Whitening::shift_to_zero);
                      for (int epoch = 0; epoch < 2; ++epoch) {
                          const Tensor losses =
                              clipped_token_loss(step_logprobs(policy, batch), old, advantages, 0.2, 0.2);
                          const Tensor value_losses = clipped_value_loss(
                              node_values.index_select(0, batch.from), old_values, targets.returns, 0.2);
                          (average_tokens(losses, batch.reply_starts, Averaging::dapo, 0) +
                           0.1 * value_losses.mean())
                              .backward();
                          optimizer.step(0.1, 0, 1);
                      }
                  }),
            seed);
    }
}

// The twin: the same steps with a reward that has nothing to do with the walk teach nothing.
TEST(RandomWalks, RewardsOfChanceTeachNothing) {
    const Tensor table = fresh_table();
    AdamW optimizer({table}, {"table"});
    std::uint64_t draw = 0;
    const Outcome outcome =
        learn(seeds[0], table, [&](const Tensor& policy, const Walks& batch, const Tensor& reference) {
            std::vector<double> chance;
            for (std::int64_t i = 0; i < batch.scores.size(0); ++i) {
                chance.push_back(uniform({9, 0, 0, 0, static_cast<std::uint32_t>(draw++)}));
            }
            const Tensor logprobs = step_logprobs(policy, batch);
            const Tensor kl = sums(kl_k1(logprobs.detach(), reference), batch.reply_starts);
            const Tensor rewards = at::tensor(chance, at::kDouble) - beta * kl;
            const Tensor whole = sums(logprobs, batch.reply_starts);
            clipped_sequence_loss(whole, whole.detach(),
                                  leave_one_out_advantages(rewards.view({-1, group_size})).view({-1}), 0.2)
                .mean()
                .backward();
            optimizer.step(0.1, 0, 1);
        });
    EXPECT_LT(outcome.after, 0.2);
}

}  // namespace
}  // namespace plumbline
