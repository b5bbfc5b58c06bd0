// The stages that learn from pairs: one gradient, the loss by name.

#include <algorithm>
#include <optional>

#include "core/lab/offline_data.h"
#include "core/lab/offline_policy.h"
#include "core/lab/offline_stage.h"
#include "core/training/preference.h"
#include "core/training/passes.h"

namespace plumbline {

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

class PairStage : public PolicyStage {
  public:
    template <class Config>
    PairStage(const Config& config, const TrainRequest& request, const OpenedModel& opened)
        : PolicyStage(config, config, request, opened),
          loss_(pair_loss(Config::stage)),
          settings_(loss_settings(config)) {
        const Preferences data = read_preferences(request.data);
        skipped_ = data.skipped;
        use_rows(data.rows, request.data, skipped_, [&](const PreferenceRow& row) {
            rows_.push_back({row_sequence(opened, row.prompt, row.chosen, config.max_length),
                             row_sequence(opened, row.prompt, row.rejected, config.max_length),
                             {}});
        });
    }

    std::size_t rows() const override { return rows_.size(); }
    std::int64_t graph_rows() const override {
        std::int64_t most = 0;
        for (const PairRow& row : rows_) {
            most = std::max(most, static_cast<std::int64_t>(row.chosen.ids.size()) + row.rejected.reply_length());
        }
        return most_rows_of_a_pass(most, static_cast<std::int64_t>(rows_.size()));
    }

  protected:
    Metrics add_gradients(const Batch& batch) override {
        if (loss_.needs_reference) {
            ask_reference(batch);
        }
        std::vector<PreferencePair> pairs;
        for (const std::size_t row : batch) {
            const PairRow& pair = rows_[row];
            const auto [chosen, rejected] = pair.reference.value_or(std::pair{0.0, 0.0});
            pairs.push_back({pair.chosen, pair.rejected, {}, {}, chosen, rejected});
        }
        return preference_gradients(decoder(), policy(), pairs, loss_, settings_, opened().pulse);
    }

  private:
    void ask_reference(const Batch& batch) {
        std::vector<PairRow*> unknown;
        std::vector<Sequence> sequences;
        for (const std::size_t row : batch) {
            if (PairRow& pair = rows_[row]; !pair.reference) {
                unknown.push_back(&pair);
                sequences.insert(sequences.end(), {pair.chosen, pair.rejected});
            }
        }
        const std::vector<double> sums = reference_sums(sequences);
        for (std::size_t i = 0; i < unknown.size(); ++i) {
            unknown[i]->reference = {sums[2 * i], sums[2 * i + 1]};
        }
    }

    const PairLoss& loss_;
    const PairLossSettings settings_;
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
