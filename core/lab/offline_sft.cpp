// The stage that imitates demonstrations.

#include "core/formats/demonstrations.h"
#include "core/lab/offline_data.h"
#include "core/lab/offline_policy.h"
#include "core/lab/offline_stage.h"
#include "core/training/sft.h"

namespace plumbline {

namespace {

class SftStage : public TrainingStage {
  public:
    SftStage(const SftConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : TrainingStage(config),
          request_(request),
          opened_(opened),
          policy_(start_policy(opened, request, config, config.seed)) {
        const Demonstrations data = read_demonstrations(request.data);
        skipped_ = data.skipped;
        use_rows(data.rows, request.data, skipped_, [&](const DemonstrationRow& row) {
            rows_.push_back({row_sequence(opened, row.prompt, row.reply, config.max_length), {}});
        });
        train(policy_.adapter->tensors(), policy_.adapter->tensor_names());
    }

    std::size_t rows() const override { return rows_.size(); }
    void write(const std::filesystem::path& out) const override {
        write_policy(opened_, request_, *policy_.adapter, out);
    }

  protected:
    Metrics add_gradients(const Batch& batch) override {
        std::vector<Demonstration> examples;
        for (const std::size_t row : batch) {
            examples.push_back(rows_[row]);
        }
        return sft_gradients(opened_.model->decoder(), *policy_.adapter, examples, 0, opened_.pulse);
    }

  private:
    const TrainRequest& request_;
    const OpenedModel& opened_;
    const TrainedPolicy policy_;
    std::vector<Demonstration> rows_;
};

}  // namespace

std::unique_ptr<TrainingStage> make_sft_stage(const TrainRequest& request, const OpenedModel& opened) {
    const auto* config = std::get_if<SftConfig>(&request.config);
    return config ? std::make_unique<SftStage>(*config, request, opened) : nullptr;
}

}  // namespace plumbline
