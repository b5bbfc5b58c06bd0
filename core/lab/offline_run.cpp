#include "core/lab/offline_run.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/api/errors.h"
#include "core/sampling/counter_random.h"

namespace plumbline {

BatchOrder::BatchOrder(std::size_t rows, const OptimizerConfig& config, DataPlace start)
    : config_(config), place_(start), order_(rows) {
    shuffle();
}

// Fisher-Yates with counter-based numbers.
void BatchOrder::shuffle() {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    for (std::size_t i = order_.size(); config_.shuffle && i > 1; --i) {
        const double u = uniform(config_.seed, Use::shuffle, static_cast<std::uint64_t>(place_.epoch),
                                 static_cast<std::uint32_t>(i));
        std::swap(order_[i - 1], order_[static_cast<std::size_t>(u * static_cast<double>(i))]);
    }
}

Batch BatchOrder::next() {
    if (place_.row >= order_.size()) {
        place_ = {place_.epoch + 1, 0};
        shuffle();
    }
    const std::size_t end =
        std::min(order_.size(), place_.row + static_cast<std::size_t>(config_.batch_size));
    Batch out(order_.begin() + static_cast<std::ptrdiff_t>(place_.row),
              order_.begin() + static_cast<std::ptrdiff_t>(end));
    place_.row = end;
    return out;
}

int total_steps(const OptimizerConfig& config, std::size_t rows) {
    if (config.steps > 0) {
        return config.steps;
    }
    const auto batch_size = static_cast<std::size_t>(config.batch_size);
    const std::size_t batches =
        (rows + batch_size - 1) / batch_size * static_cast<std::size_t>(config.epochs);
    const auto accumulate = static_cast<std::size_t>(config.accumulate);
    return static_cast<int>(std::min<std::size_t>((batches + accumulate - 1) / accumulate, 1'000'000'000));
}

double rate_share(const OptimizerConfig& config, int step, int total) {
    if (step < config.warmup_steps) {
        return static_cast<double>(step) / config.warmup_steps;
    }
    const double progress =
        static_cast<double>(step - config.warmup_steps) / std::max(1, total - config.warmup_steps);
    switch (config.schedule) {
        case Schedule::linear:
            return 1 - progress;
        case Schedule::cosine:
            return 0.5 * (1 + std::cos(std::numbers::pi * progress));
        default:
            return 1;
    }
}

TrainResult run_steps(TrainingStage& stage, const RunSettings& settings,
                      const std::function<void(const TrainingState&)>& save,
                      const std::function<void()>& on_failure, const Pulse& pulse, const Job& job,
                      const std::function<void(const StepMetrics&)>& on_step) {
    const OptimizerConfig& config = settings.config;
    const int total = total_steps(config, stage.rows());
    BatchOrder order(stage.rows(), config, settings.place);
    TrainResult result;
    result.steps = settings.steps;
    // `now` is the state before the step at work; `good` the last one that a whole step was built on, so that
    // its replies were within the limits.
    TrainingState now = capture(stage, result.steps, order.place()), good = now;
    const auto fall_back_to = [&](const TrainingState& state) {
        restore(stage, state);
        result.steps = state.steps;
        if (state.steps > 0) {
            save(state);
        }
    };
    while (result.steps < total) {
        try {
            pulse.check();
            std::vector<Batch> batches;
            for (int i = 0; i < config.accumulate; ++i) {
                batches.push_back(order.next());
            }
            const double share = rate_share(config, result.steps, total);
            StepMetrics metrics{result.steps + 1, stage.step(batches, result.steps, share)};
            metrics.values["lr"] = config.lr * share;
            good = std::move(now);
            now = capture(stage, ++result.steps, order.place());
            result.last = metrics.values;
            on_step(metrics);
        } catch (const Stopped&) {
            fall_back_to(now);
            throw;
        } catch (const NonFinite& error) {
            const std::string step = "step " + std::to_string(now.steps + 1) + ": " + error.what();
            fall_back_to(now);
            if (now.steps == 0) {
                throw Error("train", step + "; lower lr or check the data");
            }
            on_failure();
            throw Error("train", step + "; the weights of step " + std::to_string(now.steps) +
                                     " were written: lower lr or check the data, and go on with --resume");
        } catch (const GuardStop& guard) {
            result.ended_by = guard.what();
            fall_back_to(good);
            return result;
        }
        if (settings.checkpoint_every > 0 && result.steps % settings.checkpoint_every == 0) {
            save(now);
        }
        if (job.progress) {
            job.progress(static_cast<double>(result.steps) / total, "training");
        }
    }
    if (settings.checkpoint_every > 0 && result.steps % settings.checkpoint_every != 0) {
        save(now);
    }
    return result;
}

}  // namespace plumbline
