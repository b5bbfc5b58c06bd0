// The stage that imitates demonstrations.

#include "core/formats/demonstrations.h"
#include "core/lab/offline_data.h"
#include "core/lab/offline_policy.h"
#include "core/lab/offline_stage.h"
#include "core/training/sft.h"

namespace plumbline {

namespace {

class SftStage : public PolicyStage {
  public:
    SftStage(const SftConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : PolicyStage(config, config, request, opened) {
        const Demonstrations data = read_demonstrations(request.data);
        skipped_ = data.skipped;
        use_rows(data.rows, request.data, skipped_, [&](const DemonstrationRow& row) {
            rows_.push_back({row_sequence(opened, row.prompt, row.reply, config.max_length), {}});
        });
    }

    std::size_t rows() const override { return rows_.size(); }
    std::int64_t graph_rows() const override { return longest_row(rows_); }

  protected:
    Metrics add_gradients(const Batch& batch) override {
        std::vector<Demonstration> examples;
        for (const std::size_t row : batch) {
            examples.push_back(rows_[row]);
        }
        return sft_gradients(decoder(), policy(), examples, 0, opened().pulse);
    }

  private:
    std::vector<Demonstration> rows_;
};

}  // namespace

std::unique_ptr<TrainingStage> make_sft_stage(const TrainRequest& request, const OpenedModel& opened) {
    const auto* config = std::get_if<SftConfig>(&request.config);
    return config ? std::make_unique<SftStage>(*config, request, opened) : nullptr;
}

}  // namespace plumbline
