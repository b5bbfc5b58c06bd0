// The stages that learn from pairs: one gradient, the loss by name.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <array>
#include <optional>

#include "core/lab/offline_data.h"
#include "core/lab/offline_policy.h"
#include "core/lab/offline_stage.h"
#include "core/training/policy.h"
#include "core/training/preference.h"

namespace plumbline {

using at::Tensor;

namespace {

PairLossSettings loss_settings(const DpoConfig& c) {
    return {.beta = c.beta};
}
PairLossSettings loss_settings(const CdpoConfig& c) {
    return {.beta = c.beta, .label_smoothing = c.label_smoothing};
}
PairLossSettings loss_settings(const RobustDpoConfig& c) {
    return {.beta = c.beta, .label_smoothing = c.label_smoothing};
}
PairLossSettings loss_settings(const IpoConfig& c) {
    return {.beta = c.beta};
}
PairLossSettings loss_settings(const HingeConfig& c) {
    return {.beta = c.beta};
}
PairLossSettings loss_settings(const OrpoConfig& c) {
    return {.orpo_lambda = c.orpo_lambda};
}
PairLossSettings loss_settings(const SimpoConfig& c) {
    return {.beta = c.beta, .simpo_gamma = c.simpo_gamma};
}

struct PairRow {
    Sequence chosen, rejected;
    std::optional<std::pair<double, double>> reference;  // summed log-probs, once they were needed
};

class PairStage : public TrainingStage {
  public:
    template <class Config>
    PairStage(const Config& config, const TrainRequest& request, const OpenedModel& opened)
        : TrainingStage(config),
          request_(request),
          opened_(opened),
          loss_(pair_loss(Config::stage)),
          settings_(loss_settings(config)),
          policy_(start_policy(opened, request, config, config.seed)) {
        const Preferences data = read_preferences(request.data);
        skipped_ = data.skipped;
        use_rows(data.rows, request.data, skipped_, [&](const PreferenceRow& row) {
            rows_.push_back({row_sequence(opened, row.prompt, row.chosen, config.max_length),
                             row_sequence(opened, row.prompt, row.rejected, config.max_length),
                             {}});
        });
        train(policy_.adapter->tensors(), policy_.adapter->tensor_names());
    }

    std::size_t rows() const override { return rows_.size(); }
    void write(const std::filesystem::path& out) const override {
        write_policy(opened_, request_, *policy_.adapter, out);
    }

  protected:
    Metrics add_gradients(const Batch& batch) override {
        std::vector<PreferencePair> pairs;
        for (const std::size_t row : batch) {
            PairRow& pair = rows_[row];
            if (loss_.needs_reference && !pair.reference) {
                pair.reference = reference_of(pair);
            }
            const auto [chosen, rejected] = pair.reference.value_or(std::pair{0.0, 0.0});
            pairs.push_back({pair.chosen, pair.rejected, {}, {}, chosen, rejected});
        }
        return preference_gradients(opened_.model->decoder(), *policy_.adapter, pairs, loss_, settings_,
                                    opened_.pulse);
    }

  private:
    std::pair<double, double> reference_of(const PairRow& pair) const {
        at::NoGradGuard no_grad;
        const PackedBatch batch = pack(std::array{pair.chosen, pair.rejected});
        const Tensor sums =
            sum_replies(batch, policy_logprobs(opened_.model->decoder(), policy_.reference.get(), batch, {},
                                               1.0, opened_.pulse));
        return {sums[0].item<double>(), sums[1].item<double>()};
    }

    const TrainRequest& request_;
    const OpenedModel& opened_;
    const PairLoss& loss_;
    const PairLossSettings settings_;
    const TrainedPolicy policy_;
    std::vector<PairRow> rows_;
};

template <class Config>
concept PairConfig = requires(const Config& config) {
    loss_settings(config);
};

}  // namespace

std::unique_ptr<TrainingStage> make_pair_stage(const TrainRequest& request, const OpenedModel& opened) {
    return std::visit(
        [&](const auto& config) -> std::unique_ptr<TrainingStage> {
            if constexpr (PairConfig<std::decay_t<decltype(config)>>) {
                return std::make_unique<PairStage>(config, request, opened);
            } else {
                return nullptr;
            }
        },
        request.config);
}

}  // namespace plumbline
