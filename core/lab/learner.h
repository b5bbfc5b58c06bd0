#pragma once
// What learns in a session: the policy's adapter with its optimiser, and the reward model. All of it can be saved to
// bytes and restored exactly.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/api/configs.h"
#include "core/model/language_model.h"
#include "core/training/adamw.h"
#include "core/training/linear_reward.h"
#include "core/training/rloo.h"

namespace plumbline {

/// Owned by a session, used on the engine's thread.
class Learner {
  public:
    Learner(const LanguageModel& model, const SessionConfig& config);
    Learner(const Learner&) = delete;
    Learner& operator=(const Learner&) = delete;

    const Adapter& adapter() const { return *adapter_; }
    const LinearReward& reward() const { return reward_; }
    void set_reward(LinearReward reward) { reward_ = std::move(reward); }
    int policy_steps() const { return policy_steps_; }

    /// What the reward model was fitted on: labels up to this one, features scaled by generations up to that one.
    struct RewardExtent {
        std::int64_t label = 0, generation = 0;
    };
    RewardExtent extent;

    struct Update {
        Metrics metrics;
        double lr = 0;       // after the KL brake
        std::string note;    // what the brake did, empty if nothing
    };
    /// One optimiser step of DPO. `kl`: the policy's present distance from the reference, nats a reply. Throws NonFinite
    /// or Stopped with the weights as they were.
    Update step_dpo(std::span<const PreferencePair> pairs, const LiveConfig& config, double kl, const Pulse& pulse);
    Update step_rloo(std::span<const Rollout> rollouts, const LiveConfig& config, double temperature, double kl,
                     const Pulse& pulse);

    /// Everything: adapter, moments, step counts and the reward model's labels are enough to go on exactly.
    std::vector<std::byte> save() const;
    /// Throws Error when the bytes are not a state of this model and configuration. The reward model is refitted by the
    /// caller.
    void restore(std::span<const std::byte> state);
    /// SHA-256 of the adapter's weights.
    std::string weights_hash() const;

  private:
    Update brake_and_step(Metrics metrics, double lr, double kl, double limit);
    const Decoder* decoder_;
    std::unique_ptr<Adapter> adapter_;
    AdamW optimizer_;
    LinearReward reward_;
    int policy_steps_ = 0;
};

}  // namespace plumbline
