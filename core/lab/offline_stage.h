#pragma once
// A stage of training at work: what the loop over steps (offline_run.h) asks of it. Each family has its own
// file.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/api/offline.h"
#include "core/lab/memory_need.h"
#include "core/lab/opened_model.h"
#include "core/training/metrics.h"
#include "core/training/optimizer.h"

namespace plumbline {

using Batch = std::vector<std::size_t>;  // row numbers of the data
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// A guard saw that the policy left the range in which it may be trusted. The weights are those that were
/// seen.
class GuardStop : public std::exception {
  public:
    explicit GuardStop(std::string words) : words_(std::move(words)) {}
    const char* what() const noexcept override { return words_.c_str(); }

  private:
    std::string words_;
};

/// Owns the weights that train and their optimiser. One thread.
class TrainingStage {
  public:
    virtual ~TrainingStage() = default;
    TrainingStage(const TrainingStage&) = delete;
    TrainingStage& operator=(const TrainingStage&) = delete;

    /// Rows of the data; at least one.
    virtual std::size_t rows() const = 0;
    /// Tokens that the largest backward pass holds.
    virtual std::int64_t graph_rows() const = 0;
    /// One step on `batches`: gradients, then the optimiser at the share `rate`, 0..1, of its learning rate.
    /// `step` counts from 0; with the state below, the settings and the rows, it decides all that is drawn.
    /// Throws NonFinite, GuardStop, Stopped.
    virtual Metrics step(const std::vector<Batch>& batches, int step, double rate);
    /// Writes what was trained.
    virtual void write(const std::filesystem::path& out) const = 0;

    /// All that the next step depends on, beside settings and rows. The live tensors, not copies.
    virtual NamedTensors tensors() const;
    virtual std::map<std::string, double> numbers() const;
    virtual void set_numbers(const std::map<std::string, double>& numbers);

    /// Lines of the data that could not be used.
    const std::vector<std::string>& skipped() const { return skipped_; }

  protected:
    explicit TrainingStage(const OptimizerConfig& config) : config_(config) {}
    /// Once, by the constructor of the stage: what trains.
    void train(std::vector<at::Tensor> parameters, std::vector<std::string> names);
    /// Adds the gradient of one batch's mean loss to .grad.
    virtual Metrics add_gradients(const Batch& batch);
    /// Leaves nothing of a step that was stopped.
    void clear_gradients() { optimizer_->zero_grad(); }
    /// Steps the optimiser and notes what it saw.
    void take_step(double rate, Metrics& metrics);

    std::vector<std::string> skipped_;

  private:
    const OptimizerConfig config_;
    std::vector<std::string> names_;
    std::vector<at::Tensor> parameters_;
    std::unique_ptr<Optimizer> optimizer_;
};

/// state() of an optimiser by name: "<prefix>weights/<name>", then "<prefix>moment1/<name>" and so on.
NamedTensors named_state(const std::string& prefix, const Optimizer& optimizer,
                         const std::vector<std::string>& names);
/// Of metrics of `n` steps or batches: means, but of reward/min the least and of reward/max the largest.
void add_metrics(Metrics& total, const Metrics& metrics, double n);
/// The optimiser that the settings name.
std::unique_ptr<Optimizer> stage_optimizer(const OptimizerConfig& config, std::vector<at::Tensor> parameters,
                                           std::vector<std::string> names);

// The families. `request` has the data and the config of that family; each throws Error for data without a
// usable row.
std::unique_ptr<TrainingStage> make_pair_stage(const TrainRequest& request, const OpenedModel& opened);
std::unique_ptr<TrainingStage> make_kto_stage(const TrainRequest& request, const OpenedModel& opened);
std::unique_ptr<TrainingStage> make_sft_stage(const TrainRequest& request, const OpenedModel& opened);
std::unique_ptr<TrainingStage> make_reward_stage(const TrainRequest& request, const OpenedModel& opened);
std::unique_ptr<TrainingStage> make_policy_gradient_stage(const TrainRequest& request,
                                                          const OpenedModel& opened);

}  // namespace plumbline
