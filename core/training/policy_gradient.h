#pragma once
// What the policy-gradient algorithms (reinforce.h, rloo.h, grpo.h, ppo.h) share: their settings, the reward
// of a reply with its penalties, the metrics of a batch, and the forward pass of one group.

#include <span>
#include <vector>

#include "core/api/configs.h"
#include "core/training/metrics.h"
#include "core/training/rollouts.h"

namespace plumbline {

/// Each algorithm reads what it names. Nats are of the policy at `temperature`.
struct PolicyGradientSettings {
    double beta = 0.05;                          // KL weight, 0..100
    KlPlace kl_in = KlPlace::reward;             // ppo: reward only
    KlEstimator kl_estimator = KlEstimator::k1;  // in the loss k3 only: the gradient of k1 is 0 on average
    double temperature = 0.9;                    // of sampling and log-probs, 0.05..5
    double clip_range = 0.2;                     // ratio kept in 1 +- this, 0.01..10
    double missing_eos_reward = -1;              // replaces the score of a reply without EOS, -100..100
    bool keep_score_without_eos = false;         // true: a reply cut off keeps its score
    double entropy_bonus = 0;   // c of -c log pi(reply) in the reward, 0..10: its mean is c times the
                                // entropy of a reply
    double advantage_clip = 0;  // advantages kept in +- this, 0..1000; 0: as they are
    int group_size = 4;         // samples a prompt: rloo, grpo 2..64; reinforce, ppo 1..64
    Averaging averaging = Averaging::grpo;  // grpo: of token losses
    int max_new_tokens = 48;                // grpo: the constant of dr_grpo, 1..4096
    // ppo
    double gae_lambda = 0.95;       // 0..1
    double gae_gamma = 1;           // 0..1
    double value_clip_range = 0.2;  // 0.01..1000
    double value_weight = 0.1;      // of the value loss, 0..10
    bool whiten_rewards = false;    // scale rewards to variance 1, keeping their mean
    double target_kl = 0;           // of one update, nats a token, 0..10; a pass stops when approxkl exceeds
                                    // 1.5 times it; 0: never
};

/// Throws ConfigError naming the field, the value and its range. `least_group`: 2 where samples are compared.
void validate(const PolicyGradientSettings& settings, int least_group);

/// The score, or what stands for it when the reply has no EOS.
double effective_score(const Rollout& rollout, const PolicyGradientSettings& settings);
/// (T) per token: beta * KL (where it is in the reward) and the entropy bonus, to be added to the reward.
std::vector<double> token_penalties(const Rollout& rollout, const PolicyGradientSettings& settings);
/// effective_score plus all of the penalties. Throws NonFinite when it is no number.
double reward_of(const Rollout& rollout, const PolicyGradientSettings& settings);

/// objective/score, reward/part/PART, objective/kl (summed k1, nats a reply: of either sign in a sample,
/// since it is an unbiased estimate and not a distance), objective/entropy (summed -log pi, nats a reply),
/// objective/rlhf_reward (score - beta KL), tokens/eos_rate, tokens/response_length, and frac_reward_zero_std
/// where groups have two replies or more: the share of groups whose scores are all equal. Where samples are
/// compared, the scores of such a group teach nothing; a KL penalty in the reward still acts. Empty for no
/// rollouts.
Metrics rollout_metrics(std::span<const Rollout> rollouts, const PolicyGradientSettings& settings);

/// Some rollouts laid end to end: M reply tokens in all.
struct RolloutBatch {
    PackedBatch packed;
    at::Tensor lower;                                 // (N, D), or undefined when one lacks it
    at::Tensor sampled_logprobs, reference_logprobs;  // (M) float
    bool rounded = false;                             // sampled_logprobs are, of one rollout at least
};
/// Throws Error when a rollout's log-probs are not one a reply token.
RolloutBatch batch_of(std::span<const Rollout> rollouts, const Adapter& adapter);

/// The policy's log-probs (M) of such a batch, differentiable.
at::Tensor batch_logprobs(const Decoder& decoder, const Adapter& adapter, const RolloutBatch& batch,
                          const PolicyGradientSettings& settings, const Pulse& pulse);

/// What batch_logprobs are compared with, (M): those of sampling, or where these are rounded `now` itself,
/// detached.
at::Tensor old_logprobs(const RolloutBatch& batch, const at::Tensor& now);

/// (P, G) double: reward_of each, in groups. Throws Error for rollouts that are not whole groups, NonFinite.
at::Tensor grouped_rewards(std::span<const Rollout> rollouts, const PolicyGradientSettings& settings);
/// (B) float: advantages as one list, clipped as the settings say.
at::Tensor clipped_advantages(const at::Tensor& advantages, const PolicyGradientSettings& settings);

/// (M) beta * k3 per token where the KL is in the loss, differentiable; undefined otherwise.
at::Tensor loss_kl(const at::Tensor& logprobs, const RolloutBatch& batch,
                   const PolicyGradientSettings& settings);

}  // namespace plumbline
