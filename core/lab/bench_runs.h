#pragma once
// What the measurements share, and each kind of them.

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/api/offline.h"
#include "core/lab/opened_model.h"

namespace plumbline {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Ids that mean nothing but cost what real ones do; the same on every run.
std::vector<int> some_ids(int count, int vocabulary, std::uint32_t stream);

/// Runs `work` repeats + 1 times, the first not counted; it returns the tokens it handled.
BenchResult repeat(int repeats, const Job& job, const std::function<std::int64_t()>& work);

/// A step of any training stage. LoRA on every linear layer.
BenchResult bench_training(BenchWhat what, const OpenedModel& opened, const BenchConfig& config,
                           const Job& job);
/// A click of a live session.
BenchResult bench_click(const std::string& model, int repeats, const EngineOptions& options, const Job& job);

}  // namespace plumbline
