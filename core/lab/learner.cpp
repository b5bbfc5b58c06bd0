#include "core/lab/learner.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/losses/kl_controller.h"
#include "core/losses/pair_losses.h"
#include "core/training/best_of_n.h"
#include "core/training/collapse.h"
#include "core/training/grpo.h"
#include "core/training/online_dpo.h"
#include "core/training/policy.h"
#include "core/training/ppo.h"
#include "core/training/preference.h"
#include "core/training/rloo.h"
#include "core/training/sft.h"

namespace plumbline {

namespace {

std::string two_decimals(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

PairLossSettings pair_settings(const LiveConfig& config, double beta) {
    return {beta, config.label_smoothing, config.simpo_gamma, config.orpo_lambda};
}

PolicyGradientSettings sample_settings(const LiveConfig& config, double beta, double temperature, int max_new_tokens) {
    PolicyGradientSettings s;
    s.beta = beta;
    s.kl_in = config.algorithm == Algorithm::ppo ? KlPlace::reward : config.kl_in;
    s.kl_estimator = s.kl_in == KlPlace::loss ? KlEstimator::k3 : config.kl_estimator;
    s.temperature = temperature;
    s.clip_range = config.clip_range;
    s.missing_eos_reward = config.missing_eos_reward;
    s.entropy_bonus = config.entropy_bonus;
    s.group_size = config.group_size;
    s.averaging = config.averaging;
    s.max_new_tokens = max_new_tokens;
    s.gae_lambda = config.gae_lambda;
    return s;
}

/// Whether samples of one prompt are judged against one another, and not against a baseline of their own.
bool compares_samples(Algorithm algorithm) { return algorithm != Algorithm::reinforce && algorithm != Algorithm::ppo; }

}  // namespace

/// Full rate up to half of the KL limit, then linearly down to none at the limit; beyond it the policy shrinks towards
/// the reference, where its KL is zero.
struct Learner::Brake {
    double rate = 1;     // of the learning rate
    double shrink = 1;   // below 1: no step, the policy moves back
    std::string note;

    Brake(double kl, double limit) {
        if (!std::isfinite(kl)) {
            throw NonFinite("the KL from the reference is not finite");
        }
        rate = std::clamp(2 * (1 - kl / limit), 0.0, 1.0);
        if (kl > limit) {
            shrink = std::clamp(limit / kl, 0.8, 1.0);
            note = "KL " + two_decimals(kl) + " is over " + two_decimals(limit) +
                   ": shrunk towards the reference by " + two_decimals(shrink);
        } else if (rate < 1) {
            note = "slowed to " + two_decimals(rate) + " of the rate: KL " + two_decimals(kl) + " nears " +
                   two_decimals(limit);
        }
    }
};

Learner::Learner(const LanguageModel& model, const SessionConfig& config)
    : decoder_(&model.decoder()),
      adapter_(new_policy(model.decoder(), config.lora, config.seed)),
      kind_(config.live.optimizer),
      optimizer_(make_optimizer(kind_, adapter_->tensors(), adapter_->tensor_names())),
      value_head_(ValueHead::zeros(model.decoder().config().hidden, model.decoder().device())),
      value_optimizer_(make_optimizer(OptimizerKind::adamw, value_head_.tensors(), value_head_.tensor_names())),
      lora_(config.lora),
      seed_(config.seed) {}

void Learner::start_trained(const RewardFitSettings& settings) {
    trained_ = TrainedReward::start(*decoder_, reward_, settings, lora_, seed_);
}

// Another optimiser starts afresh.
void Learner::use(OptimizerKind kind) {
    if (kind != kind_) {
        kind_ = kind;
        optimizer_ = make_optimizer(kind, adapter_->tensors(), adapter_->tensor_names());
    }
}

double Learner::beta(const LiveConfig& config) const {
    constexpr double most = 100;   // of the setting
    return config.kl_target > 0 ? std::min(config.beta * beta_factor_, most) : config.beta;
}

void Learner::zero_grad() {
    optimizer_->zero_grad();
    value_optimizer_->zero_grad();
}

Learner::Update Learner::finish(Metrics metrics, const LiveConfig& config, double kl) {
    const Brake brake(kl, config.kl_limit);
    if (brake.shrink < 1) {
        optimizer_->zero_grad();
        adapter_->shrink(brake.shrink);
    } else {
        metrics["grad_norm"] = optimizer_->step(config.lr * brake.rate, 0, config.clip_norm).gradient_norm;
    }
    ++policy_steps_;
    return {std::move(metrics), config.lr * brake.rate, brake.note};
}

Learner::Update Learner::step_pairs(std::span<const PreferencePair> pairs, const LiveConfig& config, double kl,
                                    const Pulse& pulse) {
    use(config.optimizer);
    try {
        Metrics metrics = preference_gradients(*decoder_, *adapter_, pairs, pair_loss(info(config.algorithm).name),
                                               pair_settings(config, config.beta), pulse);
        return finish(std::move(metrics), config, kl);
    } catch (...) {
        zero_grad();
        throw;
    }
}

Learner::Update Learner::step_replies(std::span<const KtoReply> replies, const LiveConfig& config, double kl,
                                      const Pulse& pulse) {
    use(config.optimizer);
    const KtoSettings settings{config.beta, config.desirable_weight, config.undesirable_weight, {}};
    try {
        return finish(kto_gradients(*decoder_, *adapter_, nullptr, replies, settings, pulse), config, kl);
    } catch (...) {
        zero_grad();
        throw;
    }
}

// The gradient of one step on the samples; PPO has its own passes.
Metrics Learner::sample_gradients(const Samples& samples, const LiveConfig& config,
                                  const PolicyGradientSettings& settings, const Pulse& pulse) {
    const std::vector<Rollout>& rollouts = samples.rollouts;
    switch (config.algorithm) {
        case Algorithm::reinforce:
            return reinforce_gradients(*decoder_, *adapter_, rollouts, settings, baseline_, pulse);
        case Algorithm::grpo: return grpo_gradients(*decoder_, *adapter_, rollouts, settings, pulse);
        case Algorithm::best_of_n: {
            Metrics metrics = rollout_metrics(rollouts, settings);
            metrics.merge(sft_gradients(*decoder_, *adapter_, best_as_demonstrations(rollouts, settings), 0, pulse));
            return metrics;
        }
        case Algorithm::online_dpo: {
            Metrics metrics = rollout_metrics(rollouts, settings);
            metrics.merge(preference_gradients(*decoder_, *adapter_,
                                               best_against_worst(rollouts, samples.reference_t1, settings),
                                               pair_loss("dpo"), pair_settings(config, settings.beta), pulse));
            return metrics;
        }
        default: return rloo_gradients(*decoder_, *adapter_, rollouts, settings, pulse);
    }
}

Learner::Update Learner::step_ppo(const Samples& samples, const LiveConfig& config,
                                  const PolicyGradientSettings& settings, const Brake& brake, const Pulse& pulse) {
    const PpoTargets targets = ppo_targets(*decoder_, *adapter_, value_head_, samples.rollouts, settings, pulse);
    const auto take_step = [&] {
        value_optimizer_->step(config.value_lr, 0, config.clip_norm);
        optimizer_->step(config.lr * brake.rate, 0, config.clip_norm);
    };
    Update update{{}, config.lr * brake.rate, brake.note};
    for (int pass = 0; pass < config.epochs; ++pass) {
        const auto order = static_cast<std::uint64_t>(policy_steps_) * 16 + static_cast<std::uint64_t>(pass);
        const PpoPass made = ppo_pass(*decoder_, *adapter_, value_head_, samples.rollouts, targets,
                                      ppo_minibatches(samples.rollouts.size(), config.minibatches, samples.seed, order),
                                      settings, take_step, pulse);
        update.metrics = made.metrics;
        if (made.stopped_early) {
            break;
        }
    }
    ++policy_steps_;
    return update;
}

// Whether nothing but rounding tells the samples of a prompt apart: Adam would make whole steps of that.
static bool teach_nothing(const Learner::Samples& samples, const LiveConfig& config,
                          const PolicyGradientSettings& settings) {
    if (config.algorithm != Algorithm::rloo && config.algorithm != Algorithm::grpo) {
        return false;   // a baseline of their own, or no gradient without a best
    }
    std::vector<double> rewards;
    double farthest = 0;
    for (const Rollout& r : samples.rollouts) {
        rewards.push_back(reward_of(r, settings));
        farthest = std::max(farthest, std::abs(r.logprob() - r.reference_logprob()));
    }
    constexpr double rounding = 1e-4;   // nats a reply
    const EqualGroups groups = equal_groups(rewards, config.group_size);
    return groups.equal == groups.groups && (settings.kl_in == KlPlace::reward || farthest < rounding);
}

Learner::Update Learner::step_samples(const Samples& samples, const LiveConfig& config, const Pulse& pulse) {
    use(config.optimizer);
    const auto n = static_cast<double>(samples.rollouts.size());
    double kl = 0;
    for (const Rollout& r : samples.rollouts) {
        kl += (r.logprob() - r.reference_logprob()) / n;
    }
    const PolicyGradientSettings settings =
        sample_settings(config, beta(config), samples.temperature, samples.max_new_tokens);
    const Brake brake(kl, config.kl_limit);
    Update update;
    try {
        if (brake.shrink == 1 && teach_nothing(samples, config, settings)) {
            update = {rollout_metrics(samples.rollouts, settings), config.lr * brake.rate, brake.note};
            ++policy_steps_;
        } else if (config.algorithm == Algorithm::ppo && brake.shrink == 1) {
            update = step_ppo(samples, config, settings, brake, pulse);
        } else {
            const int passes = config.algorithm == Algorithm::grpo && brake.shrink == 1 ? config.epochs : 1;
            for (int pass = 0; pass < passes; ++pass) {
                update = finish(sample_gradients(samples, config, settings, pulse), config, kl);
                policy_steps_ -= pass > 0;   // one batch is one step
            }
        }
    } catch (...) {
        zero_grad();
        throw;
    }
    const double weight = beta(config);
    if (config.kl_target > 0 && weight > 0) {
        KlController controller(weight, config.kl_target);
        controller.update(kl, static_cast<std::int64_t>(n));
        beta_factor_ = controller.beta() / config.beta;
        update.metrics["objective/beta"] = beta(config);
    }
    if (compares_samples(config.algorithm)) {
        std::vector<double> scores;
        for (const Rollout& r : samples.rollouts) {
            scores.push_back(effective_score(r, settings));
        }
        if (const auto words = explain(equal_groups(scores, config.group_size))) {
            update.note += (update.note.empty() ? "" : "; ") + *words;
        }
    }
    return update;
}

}  // namespace plumbline
