#pragma once
// The loop over steps that every stage shares: order of the data, rates, guards, saved states.

#include <functional>

#include "core/lab/offline_state.h"
#include "core/model/pulse.h"

namespace plumbline {

/// The data in batches, epoch after epoch: a function of seed, epoch and place.
class BatchOrder {
  public:
    BatchOrder(std::size_t rows, const OptimizerConfig& config, DataPlace start);
    /// The last batch of an epoch may be smaller.
    Batch next();
    DataPlace place() const { return place_; }

  private:
    void shuffle();
    const OptimizerConfig config_;
    DataPlace place_;
    Batch order_;  // of the epoch
};

/// Steps of a whole training.
int total_steps(const OptimizerConfig& config, std::size_t rows);
/// Share of the learning rate, 0..1: warm-up from 0, then the schedule. `step` counts from 0.
double rate_share(const OptimizerConfig& config, int step, int total);

struct RunSettings {
    OptimizerConfig config;
    int checkpoint_every = 0;
    DataPlace place;  // where the data begins
    int steps = 0;    // done before
};
/// Runs `stage` to its end, or to the last good state when a guard stops it; the stage then has that state's
/// weights, and the result says why. `save` is called with states at step boundaries: every checkpoint_every
/// steps and at the end, and before Stopped or Error leaves. After a failure the stage has the weights of the
/// last good step; `on_failure` is called before the Error is thrown, when there was such a step.
TrainResult run_steps(TrainingStage& stage, const RunSettings& settings,
                      const std::function<void(const TrainingState&)>& save,
                      const std::function<void()>& on_failure, const Pulse& pulse, const Job& job,
                      const std::function<void(const StepMetrics&)>& on_step);

}  // namespace plumbline
