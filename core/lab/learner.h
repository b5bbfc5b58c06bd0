#pragma once
// What learns in a session: the policy with its optimiser, PPO's value head, and the reward model. All of it can be
// saved to bytes and restored exactly.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/api/configs.h"
#include "core/lab/trained_reward.h"
#include "core/model/language_model.h"
#include "core/training/kto.h"
#include "core/training/linear_reward.h"
#include "core/training/make_optimizer.h"
#include "core/training/policy_gradient.h"
#include "core/training/preference_pair.h"
#include "core/training/reinforce.h"
#include "core/training/value_head.h"

namespace plumbline {

/// Owned by a session, used on the engine's thread. Every step throws NonFinite or Stopped with gradients cleared; PPO may
/// have stepped before: the caller restores.
class Learner {
  public:
    Learner(const LanguageModel& model, const SessionConfig& config);
    Learner(const Learner&) = delete;
    Learner& operator=(const Learner&) = delete;

    const Adapter& adapter() const { return *adapter_; }
    const LinearReward& reward() const { return reward_; }
    void set_reward(LinearReward reward) { reward_ = std::move(reward); }
    /// The reward model that trains; null until it has started.
    TrainedReward* trained() const { return trained_.get(); }
    /// Starts it at the linear head, of which `settings` were the fit's.
    void start_trained(const RewardFitSettings& settings);
    void drop_trained() { trained_.reset(); }
    int policy_steps() const { return policy_steps_; }
    /// The KL weight of samples: as the adaptive controller has left it, where there is one.
    double beta(const LiveConfig& config) const;

    /// What the reward model was fitted on: labels up to this one, features scaled by generations up to that one, and
    /// imported labels up to the last.
    struct RewardExtent {
        std::int64_t label = 0, generation = 0, imported = 0;
    };
    RewardExtent extent;

    struct Update {
        Metrics metrics;
        double lr = 0;       // after the KL brake
        std::string note;    // what the brake did, or why nothing was learned; empty if nothing
    };
    /// One optimiser step on labelled pairs, or on liked and disliked replies. `kl`: the policy's present distance from the
    /// reference, nats a reply.
    Update step_pairs(std::span<const PreferencePair> pairs, const LiveConfig& config, double kl, const Pulse& pulse);
    Update step_replies(std::span<const KtoReply> replies, const LiveConfig& config, double kl, const Pulse& pulse);

    /// Replies that the policy wrote, and how they were drawn.
    struct Samples {
        std::vector<Rollout> rollouts;
        std::vector<double> reference_t1;   // the reference's summed log-probs at temperature 1, one a rollout
        double temperature = 1;
        int max_new_tokens = 0;
        std::uint64_t seed = 0;             // orders PPO's minibatches
    };
    /// One batch of them: a step, or the passes of GRPO and PPO.
    Update step_samples(const Samples& samples, const LiveConfig& config, const Pulse& pulse);

    /// Everything: weights, moments, step counts and the linear head's labels are enough to go on exactly.
    /// The pulse beats between tensors.
    std::vector<std::byte> save(const Pulse& pulse = {}) const;
    /// Throws Error when the bytes are not a state of this model and configuration. The linear head is refitted by the
    /// caller.
    void restore(std::span<const std::byte> state);
    /// SHA-256 of the policy's weights.
    std::string weights_hash(const Pulse& pulse = {}) const;

  private:
    struct Brake;
    void use(OptimizerKind kind);
    Update finish(Metrics metrics, const LiveConfig& config, double kl);
    Update step_ppo(const Samples& samples, const LiveConfig& config, const PolicyGradientSettings& settings,
                    const Brake& brake, const Pulse& pulse);
    Metrics sample_gradients(const Samples& samples, const LiveConfig& config, const PolicyGradientSettings& settings,
                             const Pulse& pulse);
    void zero_grad();
    std::vector<at::Tensor> state_tensors() const;

    const Decoder* decoder_;
    std::unique_ptr<Adapter> adapter_;
    OptimizerKind kind_;
    std::unique_ptr<Optimizer> optimizer_;
    ValueHead value_head_;
    std::unique_ptr<Optimizer> value_optimizer_;
    RunningBaseline baseline_;
    double beta_factor_ = 1;
    LinearReward reward_;
    LoraConfig lora_;   // constant, as the seed
    std::uint64_t seed_;
    std::unique_ptr<TrainedReward> trained_;
    int policy_steps_ = 0;
};

/// The policy alone out of a saved state, with the backbone on disk only. Throws Error as restore() does.
std::unique_ptr<Adapter> policy_of(std::span<const std::byte> state, const DecoderConfig& model,
                                   const SessionConfig& config);

}  // namespace plumbline
