#include "core/lab/offline_policy_gradient.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "core/api/errors.h"
#include "core/lab/offline_data.h"
#include "core/lab/offline_score.h"
#include "core/training/grpo.h"
#include "core/training/reinforce.h"
#include "core/training/rloo.h"

namespace plumbline {

namespace {

PolicyGradientSettings gradient_settings(const OnPolicyConfig& config) {
    PolicyGradientSettings out;
    out.beta = config.beta;
    out.kl_in = config.kl_in;
    out.kl_estimator = config.kl_estimator;
    out.temperature = config.temperature;
    out.missing_eos_reward = config.missing_eos_reward;
    out.entropy_bonus = config.entropy_bonus;
    out.group_size = config.group_size;
    out.max_new_tokens = config.max_new_tokens;
    return out;
}

KlController controller(const OnPolicyConfig& config) {
    return config.kl_target > 0 ? KlController(config.beta, config.kl_target, config.kl_horizon)
                                : KlController(config.beta);
}

double mean_kl(std::span<const Rollout> rollouts) {
    double sum = 0;
    for (const Rollout& rollout : rollouts) {
        sum += rollout.logprob() - rollout.reference_logprob();
    }
    return sum / static_cast<double>(rollouts.size());
}

}  // namespace

PolicyGradientStage::PolicyGradientStage(const OnPolicyConfig& config, const TrainRequest& request,
                                         const OpenedModel& opened)
    : PolicyStage(config, config, request, opened),
      config_(config),
      score_(make_score(request, opened)),
      settings_(gradient_settings(config)),
      kl_(controller(config)) {
    const PromptFile data = read_prompts(request.data);
    skipped_ = data.skipped;
    use_rows(data.rows, request.data, skipped_, [&](const PromptLine& row) {
        std::vector<int> ids = prompt_ids(*opened.model, row.prompt);
        opened.model->require_room(ids.size(), config.max_new_tokens);
        prompts_.push_back({std::move(ids), static_cast<std::uint32_t>(prompts_.size())});
    });
}

std::int64_t PolicyGradientStage::graph_rows() const {
    std::size_t longest = 0;
    for (const GenerationPrompt& prompt : prompts_) {
        longest = std::max(longest, prompt.ids.size());
    }
    return static_cast<std::int64_t>(longest) + std::int64_t{config_.group_size} * config_.max_new_tokens;
}

std::vector<Rollout> PolicyGradientStage::sample(const std::vector<Batch>& batches, int step) const {
    std::vector<GenerationPrompt> prompts;
    for (const Batch& batch : batches) {
        for (const std::size_t row : batch) {
            prompts.push_back(prompts_[row]);
        }
    }
    GenerationRequest request;
    request.prompts = prompts;
    request.samples = config_.group_size;
    request.sampling.temperature = config_.temperature;
    request.sampling.max_new_tokens = config_.max_new_tokens;
    request.seed = config_.seed;
    request.stream = static_cast<std::uint32_t>(step);
    request.ends = opened().model->ends();
    return draw_rollouts(decoder(), policy(), reference(), request, score_, passes(), opened().pulse);
}

void PolicyGradientStage::check_kl(std::span<const Rollout> rollouts) const {
    const double kl = mean_kl(rollouts);
    if (config_.kl_stop > 0 && kl > config_.kl_stop) {
        const auto shown = [](double value) {
            std::ostringstream text;
            text << std::setprecision(3) << value;
            return text.str();
        };
        throw GuardStop("the KL from the reference reached " + shown(kl) + " nats a reply, over kl_stop " +
                        shown(config_.kl_stop) + "; raise beta, lower lr or raise kl_stop");
    }
}

Metrics PolicyGradientStage::step(const std::vector<Batch>& batches, int step, double rate) {
    const std::vector<Rollout> rollouts = sample(batches, step);
    check_kl(rollouts);
    settings_.beta = kl_.beta();
    Metrics metrics = learn(rollouts, step, rate);
    if (kl_.adaptive()) {
        metrics["objective/beta"] = kl_.beta();
        kl_.update(mean_kl(rollouts), static_cast<std::int64_t>(rollouts.size()));
    }
    return metrics;
}

std::map<std::string, double> PolicyGradientStage::numbers() const {
    std::map<std::string, double> out = TrainingStage::numbers();
    out["beta"] = kl_.beta();
    return out;
}

void PolicyGradientStage::set_numbers(const std::map<std::string, double>& numbers) {
    TrainingStage::set_numbers(numbers);
    if (kl_.adaptive()) {
        kl_.set_beta(numbers.at("beta"));
    }
}

namespace {

class ReinforceStage : public PolicyGradientStage {
  public:
    ReinforceStage(const ReinforceConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : PolicyGradientStage(config, request, opened) {
        baseline_.decay = config.baseline_decay;
    }
    std::map<std::string, double> numbers() const override {
        std::map<std::string, double> out = PolicyGradientStage::numbers();
        out["baseline"] = baseline_.mean;
        out["baseline_batches"] = static_cast<double>(baseline_.batches);
        return out;
    }
    void set_numbers(const std::map<std::string, double>& numbers) override {
        PolicyGradientStage::set_numbers(numbers);
        baseline_.mean = numbers.at("baseline");
        baseline_.batches = static_cast<std::int64_t>(numbers.at("baseline_batches"));
    }

  protected:
    Metrics learn(std::span<const Rollout> rollouts, int, double rate) override {
        clear_gradients();
        Metrics metrics = reinforce_gradients(decoder(), policy(), rollouts, settings(),
                                              baseline_, opened().pulse);
        take_step(rate, metrics);
        return metrics;
    }

  private:
    RunningBaseline baseline_;
};

using RolloutGradients = Metrics (*)(const Decoder&, const Adapter&, std::span<const Rollout>,
                                     const PolicyGradientSettings&, const Pulse&);

/// RLOO and GRPO: a step of the optimiser on all samples, several times over.
class ClippedStage : public PolicyGradientStage {
  public:
    ClippedStage(const RlooConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : ClippedStage(config, config.clip_range, config.epochs_per_batch, rloo_gradients, request, opened) {}
    ClippedStage(const GrpoConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : ClippedStage(config, config.clip_range, config.epochs_per_batch, grpo_gradients, request, opened) {
        own_settings().averaging = config.averaging;
    }

  protected:
    Metrics learn(std::span<const Rollout> rollouts, int, double rate) override {
        Metrics metrics;
        for (int pass = 0; pass < passes_; ++pass) {
            clear_gradients();
            Metrics of_pass =
                gradients_(decoder(), policy(), rollouts, settings(), opened().pulse);
            take_step(rate, of_pass);
            add_metrics(metrics, of_pass, passes_);
        }
        return metrics;
    }

  private:
    ClippedStage(const OnPolicyConfig& config, double clip_range, int passes, RolloutGradients gradients,
                 const TrainRequest& request, const OpenedModel& opened)
        : PolicyGradientStage(config, request, opened), passes_(passes), gradients_(gradients) {
        own_settings().clip_range = clip_range;
    }

    const int passes_;
    const RolloutGradients gradients_;
};

}  // namespace

std::unique_ptr<TrainingStage> make_policy_gradient_stage(const TrainRequest& request,
                                                          const OpenedModel& opened) {
    if (const auto* reinforce = std::get_if<ReinforceConfig>(&request.config)) {
        return std::make_unique<ReinforceStage>(*reinforce, request, opened);
    }
    if (const auto* rloo = std::get_if<RlooConfig>(&request.config)) {
        return std::make_unique<ClippedStage>(*rloo, request, opened);
    }
    if (const auto* grpo = std::get_if<GrpoConfig>(&request.config)) {
        return std::make_unique<ClippedStage>(*grpo, request, opened);
    }
    return make_ppo_stage(request, opened);
}

}  // namespace plumbline
