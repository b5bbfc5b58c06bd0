// PPO at work: targets once, then passes over minibatches, each with a step of the policy and of the value
// head.

#include "core/lab/offline_policy_gradient.h"
#include "core/training/ppo.h"

namespace plumbline {

namespace {

class PpoStage : public PolicyGradientStage {
  public:
    PpoStage(const PpoConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : PolicyGradientStage(config, request, opened),
          config_(config),
          head_(ValueHead::zeros(opened.model->decoder().config().hidden, opened.model->decoder().device())),
          head_optimizer_(stage_optimizer(config, head_.tensors(), head_.tensor_names())) {
        PolicyGradientSettings& settings = own_settings();
        settings.clip_range = config.clip_range;
        settings.gae_lambda = config.gae_lambda;
        settings.gae_gamma = config.gamma;
        settings.value_clip_range = config.value_clip_range;
        settings.value_weight = config.vf_coef;
        settings.whiten_rewards = config.whiten_rewards;
        settings.target_kl = config.target_kl;
    }

    NamedTensors tensors() const override {
        NamedTensors out = PolicyGradientStage::tensors();
        const NamedTensors head = named_state("value_", *head_optimizer_, head_.tensor_names());
        out.insert(out.end(), head.begin(), head.end());
        return out;
    }
    std::map<std::string, double> numbers() const override {
        std::map<std::string, double> out = PolicyGradientStage::numbers();
        out["value_optimizer_steps"] = static_cast<double>(head_optimizer_->steps());
        return out;
    }
    void set_numbers(const std::map<std::string, double>& numbers) override {
        PolicyGradientStage::set_numbers(numbers);
        head_optimizer_->set_steps(static_cast<std::int64_t>(numbers.at("value_optimizer_steps")));
    }

  protected:
    Passes passes() const override { return Passes::many; }
    Metrics learn(std::span<const Rollout> rollouts, int step, double rate) override {
        const PpoTargets targets =
            ppo_targets(decoder(), policy(), head_, rollouts, settings(), opened().pulse);
        clear_gradients();
        head_optimizer_->zero_grad();
        Metrics norms, metrics;
        const auto take_steps = [&] {
            Metrics taken;
            take_step(rate, taken);
            head_optimizer_->step(config_.value_lr * rate, 0, config_.clip_norm);
            add_metrics(norms, taken, config_.epochs_per_batch * config_.minibatches);
        };
        std::vector<Metrics> passes;
        for (int pass = 0; pass < config_.epochs_per_batch; ++pass) {
            const auto number =
                static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(config_.epochs_per_batch) +
                static_cast<std::uint64_t>(pass);
            const auto minibatches =
                ppo_minibatches(rollouts.size(), config_.minibatches, config_.seed, number);
            const PpoPass done = ppo_pass(decoder(), policy(), head_, rollouts, targets, minibatches,
                                          settings(), take_steps, opened().pulse);
            passes.push_back(done.metrics);
            if (done.stopped_early) {
                break;
            }
        }
        for (const Metrics& pass : passes) {
            add_metrics(metrics, pass, static_cast<double>(passes.size()));
        }
        add_metrics(metrics, norms, 1);
        return metrics;
    }

  private:
    const PpoConfig config_;
    ValueHead head_;
    std::unique_ptr<Optimizer> head_optimizer_;
};

}  // namespace

std::unique_ptr<TrainingStage> make_ppo_stage(const TrainRequest& request, const OpenedModel& opened) {
    const auto* config = std::get_if<PpoConfig>(&request.config);
    return config ? std::make_unique<PpoStage>(*config, request, opened) : nullptr;
}

}  // namespace plumbline
