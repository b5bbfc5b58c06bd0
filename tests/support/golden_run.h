#pragma once
// Ten steps from the golden adapter on the golden pairs, as TRL's trainers took them.

#include <filesystem>
#include <string>
#include <vector>

#include "core/api/offline.h"
#include "tests/support/golden_file.h"

namespace plumbline::testing {

template <class Config>
std::vector<StepMetrics> golden_run(Config config, const char* adapter, const std::filesystem::path& out,
                                    const std::string& dtype = "f32") {
    config.lr = 1e-3;
    config.batch_size = 4;
    config.steps = 10;
    config.shuffle = false;
    TrainRequest request;
    request.model = golden_path("tiny_llama.gguf").string();
    request.data = golden_path("tiny_pairs.jsonl");
    request.init_adapter = golden_path(adapter);
    request.out = out;
    request.config = config;
    EngineOptions options;
    options.threads = 1;
    options.dtype = dtype;
    std::vector<StepMetrics> steps;
    train(request, options, {}, [&](const StepMetrics& step) { steps.push_back(step); });
    return steps;
}

}  // namespace plumbline::testing
