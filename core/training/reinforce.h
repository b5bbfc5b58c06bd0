#pragma once
// REINFORCE with a running-mean baseline, the simplest form: the gradient of one batch. Leaves out: sampling,
// the score, the step; there is no ratio and no clip, so a batch is good for one step.

#include <cstdint>
#include <span>

#include "core/training/policy_gradient.h"

namespace plumbline {

/// What a reply earned lately, kept by the caller from step to step (and in its checkpoints).
struct RunningBaseline {
    double mean = 0;           // of rewards
    std::int64_t batches = 0;  // seen; before the first the baseline is that batch's own mean
    double decay = 0.9;        // of the old mean at a new batch, 0..1

    void add(double batch_mean);
};

/// Adds the gradient of -mean((R - baseline) log pi(reply)) to the adapter's .grad, settings.group_size
/// replies at a time, then adds the batch to the baseline. Metrics: rollout_metrics, loss/policy,
/// policy/ratio, objective/baseline (the one used). No rollouts: nothing. Throws ConfigError, NonFinite or
/// Stopped with the baseline as it was.
Metrics reinforce_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Rollout> rollouts,
                            const PolicyGradientSettings& settings, RunningBaseline& baseline,
                            const Pulse& pulse);

}  // namespace plumbline
