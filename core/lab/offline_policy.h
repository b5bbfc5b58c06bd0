#pragma once
// The policy of a training: how it starts, its reference, how it is written; and what stages that train one share.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/lab/offline_stage.h"
#include "core/lab/opened_model.h"
#include "core/model/adapter.h"
#include "core/model/packed_batch.h"

namespace plumbline {

/// The policy and what KL is measured from: the policy as training starts. A null reference is the backbone.
struct TrainedPolicy {
    std::unique_ptr<Adapter> adapter, reference;
};

/// Before any model is read: throws ConfigError when config.weights or an initial adapter does not go with what is to
/// be written, every weight where `out` is a .gguf file and low-rank adapters otherwise.
void check_policy(const TrainRequest& request, const LoraConfig& config);
/// `request` is checked.
TrainedPolicy start_policy(const OpenedModel& opened, const TrainRequest& request, const LoraConfig& config,
                           std::uint64_t seed);
/// A PEFT folder, or a GGUF file with the weights as f32, settings and tokenizer those of the model it began with.
void write_policy(const OpenedModel& opened, const TrainRequest& request, const Adapter& policy,
                  const std::filesystem::path& out);

/// A stage whose result is a policy.
class PolicyStage : public TrainingStage {
  public:
    void write(const std::filesystem::path& out) const override;

  protected:
    /// Starts the policy; all of its weights train. `request` and `opened` outlive the stage.
    PolicyStage(const OptimizerConfig& optimizer, const LoraConfig& weights, const TrainRequest& request,
                const OpenedModel& opened);

    const OpenedModel& opened() const { return opened_; }
    const Decoder& decoder() const { return opened_.model->decoder(); }
    const Adapter& policy() const { return *policy_.adapter; }
    const Adapter* reference() const { return policy_.reference.get(); }
    /// The reference's log-prob of each reply at temperature 1; neighbours may share a prompt.
    std::vector<double> reference_sums(std::span<const Sequence> sequences) const;

  private:
    const TrainRequest& request_;
    const OpenedModel& opened_;
    const TrainedPolicy policy_;
};

/// A pass over one row at a time, each with a `sequence`.
template <class Rows>
std::int64_t longest_row(const Rows& rows) {
    std::size_t most = 0;
    for (const auto& row : rows) {
        most = std::max(most, row.sequence.ids.size());
    }
    return static_cast<std::int64_t>(most);
}

/// Whether a training that writes `out` trains every weight.
bool is_model_file(const std::filesystem::path& out);

}  // namespace plumbline
