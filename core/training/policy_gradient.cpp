#include "core/training/policy_gradient.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "core/api/errors.h"
#include "core/losses/policy_gradient.h"
#include "core/training/finite.h"

namespace plumbline {

using at::Tensor;

namespace {

std::string shown(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    return text.back() == '.' ? text + "0" : text;
}

void check(const char* field, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
        throw ConfigError("settings", std::string(field) + " is " + shown(value) + "; use " + shown(least) +
                                          " to " + shown(most));
    }
}

double k_of(double policy, double reference, KlEstimator estimator) {
    const double k1 = policy - reference;
    const double clamped = std::clamp(k1, -20.0, 20.0);
    return estimator == KlEstimator::k1 ? k1 : std::exp(-clamped) - 1 + clamped;
}

void check_groups(std::span<const Rollout> rollouts, int group_size) {
    if (rollouts.size() % static_cast<std::size_t>(group_size) != 0) {
        throw Error("learn from samples",
                    std::to_string(rollouts.size()) + " replies are not whole groups of " +
                        std::to_string(group_size) + "; draw group_size for each prompt");
    }
}

void check_lengths(const Rollout& rollout) {
    const auto tokens = static_cast<std::size_t>(rollout.sequence.reply_length());
    if (rollout.logprobs.size() != tokens || rollout.reference_logprobs.size() != tokens) {
        throw Error("learn from samples", "a reply of " + std::to_string(tokens) + " tokens has " +
                                              std::to_string(rollout.logprobs.size()) +
                                              " log-probabilities of the policy and " +
                                              std::to_string(rollout.reference_logprobs.size()) +
                                              " of the reference; give one a token");
    }
}

}  // namespace

void validate(const PolicyGradientSettings& s, int least_group) {
    check("beta", s.beta, 0, 100);
    check("temperature", s.temperature, 0.05, 5);
    check("clip_range", s.clip_range, 0.01, 10);
    check("missing_eos_reward", s.missing_eos_reward, -100, 100);
    check("entropy_bonus", s.entropy_bonus, 0, 10);
    check("advantage_clip", s.advantage_clip, 0, 1000);
    check("group_size", s.group_size, least_group, 64);
    check("max_new_tokens", s.max_new_tokens, 1, 4096);
    check("gae_lambda", s.gae_lambda, 0, 1);
    check("gae_gamma", s.gae_gamma, 0, 1);
    check("value_clip_range", s.value_clip_range, 0.01, 1000);
    check("value_weight", s.value_weight, 0, 10);
    check("target_kl", s.target_kl, 0, 10);
    if (s.kl_in == KlPlace::loss && s.kl_estimator == KlEstimator::k1) {
        throw ConfigError("settings",
                          "kl_estimator is k1 with kl_in loss, where its gradient is 0 on average; "
                          "use k3, or kl_in reward");
    }
}

double effective_score(const Rollout& rollout, const PolicyGradientSettings& settings) {
    return rollout.ended || settings.keep_score_without_eos ? rollout.score.total
                                                            : settings.missing_eos_reward;
}

std::vector<double> token_penalties(const Rollout& rollout, const PolicyGradientSettings& settings) {
    check_lengths(rollout);
    const double beta = settings.kl_in == KlPlace::reward ? settings.beta : 0;
    std::vector<double> out;
    for (std::size_t t = 0; t < rollout.logprobs.size(); ++t) {
        const double policy = rollout.logprobs[t];
        const double kl = k_of(policy, rollout.reference_logprobs[t], settings.kl_estimator);
        out.push_back(-beta * kl - settings.entropy_bonus * policy);
    }
    return out;
}

double reward_of(const Rollout& rollout, const PolicyGradientSettings& settings) {
    double reward = effective_score(rollout, settings);
    for (const double penalty : token_penalties(rollout, settings)) {
        reward += penalty;
    }
    return finite(reward, "the reward of a sampled reply");
}

Metrics rollout_metrics(std::span<const Rollout> rollouts, const PolicyGradientSettings& settings) {
    Metrics total;
    const auto n = static_cast<double>(rollouts.size());
    std::vector<double> scores;
    for (const Rollout& r : rollouts) {
        const double kl = r.logprob() - r.reference_logprob();
        scores.push_back(effective_score(r, settings));
        total["objective/score"] += scores.back() / n;
        for (const auto& [name, part] : r.score.parts) {
            total["reward/part/" + name] += part / n;
        }
        total["objective/kl"] += kl / n;
        total["objective/entropy"] -= r.logprob() / n;
        total["objective/rlhf_reward"] += (scores.back() - settings.beta * kl) / n;
        total["tokens/eos_rate"] += r.ended / n;
        total["tokens/response_length"] += r.sequence.reply_length() / n;
    }
    if (!scores.empty() && settings.group_size > 1) {
        check_groups(rollouts, settings.group_size);
        total["frac_reward_zero_std"] =
            share_of_equal_groups(at::tensor(scores, at::kDouble).view({-1, settings.group_size}));
    }
    return total;
}

RolloutBatch batch_of(std::span<const Rollout> rollouts, const Adapter& adapter) {
    std::vector<Sequence> sequences;
    std::vector<Tensor> lowers;
    std::vector<float> old, reference;
    bool have_lower = !adapter.owns_embedding(), rounded = false;
    for (const Rollout& r : rollouts) {
        check_lengths(r);
        sequences.push_back(r.sequence);
        lowers.push_back(r.lower);
        have_lower = have_lower && r.lower.defined();
        rounded = rounded || r.rounded;
        old.insert(old.end(), r.logprobs.begin(), r.logprobs.end());
        reference.insert(reference.end(), r.reference_logprobs.begin(), r.reference_logprobs.end());
    }
    PackedBatch packed = pack(sequences, Prompts::shared);
    const Tensor lower = have_lower ? pack_rows(packed, lowers) : Tensor();
    const at::Device device = adapter.tensors().front().device();
    return {std::move(packed), lower, at::tensor(old, at::kFloat).to(device), at::tensor(reference, at::kFloat).to(device),
            rounded};
}

Tensor batch_logprobs(const Decoder& decoder, const Adapter& adapter, const RolloutBatch& batch,
                      const PolicyGradientSettings& settings, const Pulse& pulse) {
    return policy_logprobs(decoder, &adapter, batch.packed, batch.lower, settings.temperature, pulse);
}

Tensor old_logprobs(const RolloutBatch& batch, const Tensor& now) {
    return batch.rounded ? now.detach() : batch.sampled_logprobs;
}

Tensor grouped_rewards(std::span<const Rollout> rollouts, const PolicyGradientSettings& settings) {
    check_groups(rollouts, settings.group_size);
    std::vector<double> out;
    for (const Rollout& r : rollouts) {
        out.push_back(reward_of(r, settings));
    }
    return at::tensor(out, at::kDouble).view({-1, settings.group_size});  // (P, G)
}

Tensor clipped_advantages(const Tensor& advantages, const PolicyGradientSettings& settings) {
    const double most = settings.advantage_clip;
    const Tensor flat = advantages.to(at::kFloat).view({-1});
    return most > 0 ? flat.clamp(-most, most) : flat;
}

Tensor loss_kl(const Tensor& logprobs, const RolloutBatch& batch, const PolicyGradientSettings& settings) {
    return settings.kl_in == KlPlace::loss && settings.beta > 0
               ? settings.beta * kl_k3(logprobs, batch.reference_logprobs)
               : Tensor();
}

}  // namespace plumbline
