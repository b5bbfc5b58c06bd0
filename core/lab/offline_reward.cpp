// The stage that trains a reward model, LoRA and scalar head, on what people preferred.

#include "core/api/errors.h"
#include "core/formats/peft.h"
#include "core/lab/offline_data.h"
#include "core/lab/offline_policy.h"
#include "core/lab/offline_stage.h"
#include "core/training/reward_model.h"

namespace plumbline {

namespace {

RewardModel start_reward_model(const RewardConfig& config, const TrainRequest& request,
                               const OpenedModel& opened) {
    if (is_model_file(request.out) || config.weights == Weights::all) {
        throw ConfigError("train reward",
                          "a reward model is an adapter with a head; give --out a folder and leave "
                          "weights at auto");
    }
    const DecoderConfig& model = opened.model->decoder().config();
    return request.init_adapter.empty() ? RewardModel::fresh(model, config, config.seed)
                                        : RewardModel::from_peft(model, read_peft(request.init_adapter));
}

class RewardStage : public TrainingStage {
  public:
    RewardStage(const RewardConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : TrainingStage(config),
          config_(config),
          opened_(opened),
          model_(start_reward_model(config, request, opened)) {
        const Preferences data = read_preferences(request.data);
        skipped_ = data.skipped;
        use_rows(data.rows, request.data, skipped_, [&](const PreferenceRow& row) {
            rows_.push_back({row_sequence(opened, row.prompt, row.chosen, config.max_length),
                             row_sequence(opened, row.prompt, row.rejected, config.max_length)});
        });
        model_.require_grad(true);
        train(model_.tensors(), model_.tensor_names());
    }

    std::size_t rows() const override { return rows_.size(); }
    void write(const std::filesystem::path& out) const override {
        PeftAdapter peft;
        peft.base_model = opened_.model->info().name;
        model_.to_peft(peft);
        write_peft(out, peft);
    }

  protected:
    Metrics add_gradients(const Batch& batch) override {
        std::vector<RewardPair> pairs;
        for (const std::size_t row : batch) {
            pairs.push_back(rows_[row]);
        }
        return reward_gradients(opened_.model->decoder(), model_, pairs, config_.center, opened_.pulse);
    }

  private:
    const RewardConfig config_;
    const OpenedModel& opened_;
    RewardModel model_;
    std::vector<RewardPair> rows_;
};

}  // namespace

std::unique_ptr<TrainingStage> make_reward_stage(const TrainRequest& request, const OpenedModel& opened) {
    const auto* config = std::get_if<RewardConfig>(&request.config);
    return config ? std::make_unique<RewardStage>(*config, request, opened) : nullptr;
}

}  // namespace plumbline
