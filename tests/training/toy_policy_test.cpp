// The losses and optimisers on a policy whose optimum is known: under a KL penalty of weight beta, reward r
// and reference pi_ref it is pi_ref exp(r / beta) / Z (1907.00456; 2305.18290 eq. 4).

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/losses/kl_controller.h"
#include "core/losses/policy_gradient.h"
#include "core/losses/preference.h"
#include "core/training/best_of_n.h"
#include "core/training/make_optimizer.h"
#include "tests/training/table_policy.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::TablePolicy;
using testing::total_variation;

const std::vector<double> reference_logits{0.4, -0.3, 0.1, 1.0, 0.0, -0.5, -0.2, 0.6, 0.3, 0.0, -1.0, 0.8};
// A reward that no sum over the two tokens can express.
const Tensor reward = at::tensor({0.9, 0.1, -0.4, 0.0, 0.7, 0.3, -0.6, 0.5, 1.0}, at::kDouble);
constexpr double beta = 0.5, close = 0.02;

const TablePolicy reference(reference_logits);

Tensor optimum(double kl_weight) {
    return (reference.logprobs().detach() + reward / kl_weight).softmax(0);
}

struct Sampled {
    Tensor replies;                   // (B)
    Tensor logprobs, token_logprobs;  // (B), (B, 2): of the policy, with gradient
    Tensor reference_logprobs;        // (B)
    Tensor rewards;                   // (B)
};

constexpr std::int64_t groups = 32, group_size = 8;

// One on-policy step: samples, the loss of `objective`, an AdamW step whose rate falls to zero.
void train(TablePolicy& policy, int steps, const std::function<Tensor(const Sampled&)>& objective) {
    AdamW optimizer({policy.table()}, {"table"});
    for (int step = 0; step < steps; ++step) {
        const Tensor replies = policy.sample(groups * group_size, 11, static_cast<std::uint32_t>(step));
        const Tensor tokens = policy.token_logprobs().index_select(0, replies);  // (B, 2)
        const Sampled batch{replies, tokens.sum(1), tokens,
                            reference.logprobs().detach().index_select(0, replies),
                            reward.index_select(0, replies)};
        objective(batch).backward();
        optimizer.step(0.03 * (1 - static_cast<double>(step) / steps), 0, 1);
    }
}

Tensor penalised(const Sampled& batch, double kl_weight) {
    return batch.rewards - kl_weight * kl_k1(batch.logprobs.detach(), batch.reference_logprobs);
}

// RLOO with k1 in the reward. At the optimum every penalised reward is equal, so the advantages and with them
// the gradient's noise vanish.
TEST(ToyPolicy, RlooApproachesTheKnownOptimum) {
    TablePolicy policy(reference_logits);
    train(policy, 400, [](const Sampled& batch) {
        const Tensor advantages =
            leave_one_out_advantages(penalised(batch, beta).view({groups, group_size})).view({-1});
        return clipped_sequence_loss(batch.logprobs, batch.logprobs.detach(), advantages, 0.2).mean();
    });
    EXPECT_LT(total_variation(policy.probabilities(), optimum(beta)), close);
    EXPECT_GT(total_variation(policy.probabilities(), optimum(0.85 * beta)), close)
        << "another leash is told apart";
    EXPECT_GT(total_variation(reference.probabilities(), optimum(beta)), 10 * close) << "it had far to go";
}

// GRPO's token objective, the advantages not divided by the deviation, which would change the leash's weight.
TEST(ToyPolicy, GroupRelativeTokenLossApproachesTheKnownOptimum) {
    std::vector<std::int64_t> starts;
    for (std::int64_t i = 0; i <= groups * group_size; ++i) {
        starts.push_back(2 * i);
    }
    for (const Averaging averaging : {Averaging::grpo, Averaging::dr_grpo, Averaging::dapo}) {
        TablePolicy policy(reference_logits);
        train(policy, 400, [&](const Sampled& batch) {
            const Tensor advantages =
                group_centred_advantages(penalised(batch, beta).view({groups, group_size})).view({-1});
            const Tensor tokens = batch.token_logprobs.reshape({-1});  // (M)
            const Tensor losses =
                clipped_token_loss(tokens, tokens.detach(), spread_to_tokens(advantages, starts), 0.2, 0.2);
            return average_tokens(losses, starts, averaging, 2);
        });
        EXPECT_LT(total_variation(policy.probabilities(), optimum(beta)), close);
        EXPECT_GT(total_variation(policy.probabilities(), optimum(0.85 * beta)), close);
    }
}

// Without the penalty the policy leaves the optimum for the best reply alone.
TEST(ToyPolicy, WithoutTheLeashItCollapsesOnTheBestReply) {
    TablePolicy policy(reference_logits);
    train(policy, 400, [](const Sampled& batch) {
        const Tensor advantages =
            leave_one_out_advantages(batch.rewards.view({groups, group_size})).view({-1});
        return clipped_sequence_loss(batch.logprobs, batch.logprobs.detach(), advantages, 0.2).mean();
    });
    EXPECT_GT(policy.probabilities()[8].item<double>(), 0.95);
    EXPECT_GT(total_variation(policy.probabilities(), optimum(beta)), 0.3);
}

// k3 as a term of the loss has on average the gradient of KL(pi_ref || pi), the other direction: its optimum
// is beta pi_ref / (lambda - r), lambda such that it sums to 1, and not pi_ref exp(r / beta) / Z.
TEST(ToyPolicy, K3InTheLossHasAnOptimumOfItsOwn) {
    constexpr double weight = 0.4;
    TablePolicy policy(reference_logits);
    train(policy, 600, [](const Sampled& batch) {
        const Tensor advantages =
            leave_one_out_advantages(batch.rewards.view({groups, group_size})).view({-1});
        const Tensor losses = clipped_sequence_loss(batch.logprobs, batch.logprobs.detach(), advantages, 0.2);
        return (losses + weight * kl_k3(batch.logprobs, batch.reference_logprobs)).mean();
    });
    double low = reward.max().item<double>(), high = low + weight;  // lambda by bisection
    Tensor own;
    for (int i = 0; i < 60; ++i) {
        const double lambda = 0.5 * (low + high);
        own = weight * reference.probabilities() / (lambda - reward);
        (own.sum().item<double>() > 1 ? low : high) = lambda;
    }
    ASSERT_NEAR(own.sum().item<double>(), 1, 1e-9);
    EXPECT_LT(total_variation(policy.probabilities(), own), close);
    EXPECT_GT(total_variation(policy.probabilities(), optimum(weight)), close);
}

// Ample labels: every pair judged 20,000 times with probability sigmoid(r_a - r_b), then all of them in every
// step.
Tensor counted_labels(std::int64_t each) {
    Tensor wins = at::zeros({9, 9}, at::kDouble);
    auto count = wins.accessor<double, 2>();
    const auto r = reward.accessor<double, 1>();
    for (std::int64_t a = 0; a < 9; ++a) {
        for (std::int64_t b = 0; b < a; ++b) {
            const double p = 1 / (1 + std::exp(r[b] - r[a]));
            for (std::int64_t i = 0; i < each; ++i) {
                const bool a_wins = uniform({5, static_cast<std::uint32_t>(9 * a + b), 0,
                                             static_cast<std::uint32_t>(i), 0}) < p;
                (a_wins ? count[a][b] : count[b][a]) += 1;
            }
        }
    }
    return wins;  // (9, 9) how often a row won against a column
}

using Loss = std::function<Tensor(const Tensor& chosen, const Tensor& rejected, const Tensor& ref_c,
                                  const Tensor& ref_r)>;

TablePolicy fit_pairs(const Tensor& wins, int steps, const Loss& loss) {
    TablePolicy policy(reference_logits);
    AdamW optimizer({policy.table()}, {"table"});
    const Tensor chosen = at::arange(9).repeat_interleave(9), rejected = at::arange(9).repeat(9);  // (81)
    const Tensor ref = reference.logprobs().detach();
    for (int step = 0; step < steps; ++step) {
        const Tensor logprobs = policy.logprobs();
        const Tensor losses = loss(logprobs.index_select(0, chosen), logprobs.index_select(0, rejected),
                                   ref.index_select(0, chosen), ref.index_select(0, rejected));  // (81)
        ((losses * wins.view({-1})).sum() / wins.sum()).backward();
        optimizer.step(0.05 * (1 - static_cast<double>(step) / steps), 0, 1);
    }
    return policy;
}

TEST(ToyPolicy, DpoWithAmpleLabelsApproachesTheKnownOptimum) {
    const TablePolicy policy =
        fit_pairs(counted_labels(20000), 500,
                  [](const Tensor& c, const Tensor& r, const Tensor& ref_c, const Tensor& ref_r) {
                      return dpo_loss(c, r, ref_c, ref_r, beta).losses;
                  });
    EXPECT_LT(total_variation(policy.probabilities(), optimum(beta)), close);
    EXPECT_GT(total_variation(policy.probabilities(), optimum(0.85 * beta)), close);
}

// A fifth of the labels flipped: robust DPO still finds the optimum, DPO finds a weaker preference.
TEST(ToyPolicy, RobustDpoSeesThroughFlippedLabels) {
    const Tensor wins = counted_labels(20000);
    const Tensor flipped = 0.8 * wins + 0.2 * wins.t();
    const TablePolicy robust = fit_pairs(
        flipped, 500, [](const Tensor& c, const Tensor& r, const Tensor& ref_c, const Tensor& ref_r) {
            return robust_dpo_loss(c, r, ref_c, ref_r, beta, 0.2).losses;
        });
    const TablePolicy plain = fit_pairs(
        flipped, 500, [](const Tensor& c, const Tensor& r, const Tensor& ref_c, const Tensor& ref_r) {
            return dpo_loss(c, r, ref_c, ref_r, beta).losses;
        });
    EXPECT_LT(total_variation(robust.probabilities(), optimum(beta)), close);
    EXPECT_GT(total_variation(plain.probabilities(), optimum(beta)), 2 * close);
}

TablePolicy trained() {
    TablePolicy policy(reference_logits);
    at::NoGradGuard no_grad;
    policy.table().add_(
        at::tensor({0.5, -0.2, 0.0, -0.6, 0.3, 0.9, 0.1, -0.4, 0.7, 0.2, 0.8, -0.5}, at::kDouble)
            .view({4, 3}));
    return policy;
}

struct Estimate {
    double mean, error;  // its standard error
};

Estimate estimate(const Tensor& samples) {
    return {samples.mean().item<double>(),
            samples.std().item<double>() / std::sqrt(static_cast<double>(samples.size(0)))};
}

TEST(ToyPolicy, SampledKlAgreesWithTheExactOne) {
    const TablePolicy policy = trained();
    const Tensor log_p = policy.logprobs().detach(), log_ref = reference.logprobs().detach();
    const double exact = (log_p.exp() * (log_p - log_ref)).sum().item<double>();
    const Tensor replies = policy.sample(20000, 3, 0);
    const Tensor p = log_p.index_select(0, replies), ref = log_ref.index_select(0, replies);
    const Estimate k1 = estimate(kl_k1(p, ref)), k3 = estimate(kl_k3(p, ref));
    EXPECT_LT(std::abs(k1.mean - exact), 3 * k1.error);
    EXPECT_LT(std::abs(k3.mean - exact), 3 * k3.error);
    EXPECT_LT(k3.error, k1.error) << "what k3 is for";

    // The twins: replies of the reference instead of the policy, and log-probs at a slightly other
    // temperature.
    const Tensor off = reference.sample(20000, 3, 0);
    const Estimate wrong = estimate(kl_k1(log_p.index_select(0, off), log_ref.index_select(0, off)));
    EXPECT_GT(std::abs(wrong.mean - exact), 3 * wrong.error);
    const Estimate warm = estimate(kl_k3(p / 0.95, ref / 0.95));
    EXPECT_GT(std::abs(warm.mean - exact), 3 * warm.error);
}

// KL(best of n || pi) where the best of n has F(y)^n - F(<y)^n, F the share of pi at or below y's reward.
double exact_best_of_n_kl(const Tensor& probabilities, const Tensor& rewards, int n) {
    const Tensor p = probabilities.index_select(0, rewards.argsort());  // worst first
    const Tensor up_to = p.cumsum(0);
    const Tensor q = up_to.pow(n) - (up_to - p).clamp_min(0).pow(n);
    return (q * (q / p).log()).nansum().item<double>();  // a reply that is never the best adds 0
}

TEST(BestOfN, StaysBelowItsKlBound) {
    for (int n = 1; n <= 64; ++n) {
        EXPECT_LE(exact_best_of_n_kl(reference.probabilities(), reward, n), best_of_n_kl(n) + 1e-12) << n;
    }
    EXPECT_LT(exact_best_of_n_kl(reference.probabilities(), reward, 64), best_of_n_kl(64) - 1)
        << "few replies: far below";
    // Where no reply is likely the bound is met, so a smaller one would be wrong.
    const Tensor many = at::full({20000}, 1 / 20000.0, at::kDouble), rising = at::arange(20000, at::kDouble);
    for (const int n : {1, 2, 4, 16}) {
        const double exact = exact_best_of_n_kl(many, rising, n);
        EXPECT_LE(exact, best_of_n_kl(n) + 1e-12);
        EXPECT_GT(exact, best_of_n_kl(n) - 1e-3);
    }
    EXPECT_EQ(best_of_n_kl(1), 0);
}

// The chosen replies of 20,000 groups of 4, counted, against the exact distribution of the best of 4.
TEST(BestOfN, ChoosesAsTheExactDistributionSays) {
    constexpr int n = 4, draws = 20000;
    const Tensor replies = reference.sample(n * draws, 4, 0);
    const Tensor scores = reward.index_select(0, replies);
    std::vector<Rollout> rollouts(static_cast<std::size_t>(n) * draws);
    for (std::size_t i = 0; i < rollouts.size(); ++i) {
        rollouts[i].score = scores.const_data_ptr<double>()[i];
        rollouts[i].ended = true;
    }
    PolicyGradientSettings settings;
    settings.group_size = n;
    Tensor counted = at::zeros({9}, at::kDouble);
    for (const std::size_t best : best_of_groups(rollouts, settings)) {
        counted[replies[static_cast<std::int64_t>(best)].item<std::int64_t>()] += 1.0 / draws;
    }
    const Tensor order = reward.argsort(), p = reference.probabilities().index_select(0, order),
                 up_to = p.cumsum(0);
    const auto exact = [&](int of) { return up_to.pow(of) - (up_to - p).clamp_min(0).pow(of); };
    EXPECT_LT(total_variation(counted.index_select(0, order), exact(n)), 0.015);
    EXPECT_GT(total_variation(counted.index_select(0, order), exact(n - 1)), 0.015);
}

// The adaptive coefficient brings the KL of the policy to its target, and the policy to the optimum of the
// coefficient that it settled on.
TEST(ToyPolicy, TheAdaptiveLeashFindsItsTarget) {
    TablePolicy policy(reference_logits);
    KlController controller(0.1, 0.25, 2000);
    train(policy, 600, [&](const Sampled& batch) {
        const Tensor advantages =
            leave_one_out_advantages(penalised(batch, controller.beta()).view({groups, group_size}))
                .view({-1});
        controller.update(kl_k1(batch.logprobs.detach(), batch.reference_logprobs).mean().item<double>(),
                          groups * group_size);
        return clipped_sequence_loss(batch.logprobs, batch.logprobs.detach(), advantages, 0.2).mean();
    });
    const Tensor log_p = policy.logprobs().detach(), log_ref = reference.logprobs().detach();
    EXPECT_NEAR((log_p.exp() * (log_p - log_ref)).sum().item<double>(), 0.25, 0.05);
    EXPECT_LT(total_variation(policy.probabilities(), optimum(controller.beta())), 3 * close);
    // The twin: the coefficient that it started with leads elsewhere, and further than the target.
    const Tensor loose = optimum(0.1);
    EXPECT_GT((loose * (loose.log() - log_ref)).sum().item<double>(), 0.25 + 0.05);
    EXPECT_GT(total_variation(policy.probabilities(), loose), 3 * close);
}

}  // namespace
}  // namespace plumbline
