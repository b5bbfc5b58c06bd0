#pragma once
// What works with a model will need of memory, before any is begun.

#include <cstdint>
#include <string>
#include <vector>

namespace plumbline {

struct MemoryForecast {
    std::string work;        // as `bench` names it: "open", "sample", "reward", "dpo", "rloo"
    std::string summary;     // "8 x 48 tokens"
    std::int64_t bytes = 0;  // resident, at its peak
};

/// Of the works that `bench` measures, at its defaults. Reads the file's header only; throws Error as
/// inspect_model().
std::vector<MemoryForecast> forecast_memory(const std::string& model, const std::string& dtype);

}  // namespace plumbline
