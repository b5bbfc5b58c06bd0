#pragma once
// What the stages share whose replies the policy writes itself: sample, score, penalise, watch the KL. How
// they learn from the samples is each one's own.

#include <span>

#include "core/lab/offline_policy.h"
#include "core/losses/kl_controller.h"
#include "core/training/policy_gradient.h"

namespace plumbline {

class PolicyGradientStage : public PolicyStage {
  public:
    std::size_t rows() const override { return prompts_.size(); }
    std::int64_t graph_rows() const override;
    /// Samples of all batches' prompts are learned from together.
    Metrics step(const std::vector<Batch>& batches, int step, double rate) override;
    std::map<std::string, double> numbers() const override;
    void set_numbers(const std::map<std::string, double>& numbers) override;

  protected:
    PolicyGradientStage(const OnPolicyConfig& config, const TrainRequest& request, const OpenedModel& opened);

    /// Takes the optimiser's steps; returns the metrics of the update.
    virtual Passes passes() const { return Passes::one; }
    virtual Metrics learn(std::span<const Rollout> rollouts, int step, double rate) = 0;

    /// With the KL weight of the moment.
    const PolicyGradientSettings& settings() const { return settings_; }
    PolicyGradientSettings& own_settings() { return settings_; }

  private:
    std::vector<Rollout> sample(const std::vector<Batch>& batches, int step) const;
    void check_kl(std::span<const Rollout> rollouts) const;

    const OnPolicyConfig config_;
    const ScoreReply score_;
    std::vector<GenerationPrompt> prompts_;
    PolicyGradientSettings settings_;
    KlController kl_;
};

std::unique_ptr<TrainingStage> make_ppo_stage(const TrainRequest& request, const OpenedModel& opened);

}  // namespace plumbline
