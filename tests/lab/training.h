#pragma once
// Trainings on the tiny model: files of every kind, requests, and what their steps said.

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/lab/tiny_lab.h"

namespace plumbline::testing {

class Training : public ::testing::Test {
  protected:
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return (folder_ / name).string();
    }
    /// Pairs whose replies differ in length, so that each row is known by its log-probabilities.
    std::string pairs(int rows) const {
        std::string text;
        for (int i = 0; i < rows; ++i) {
            text += nlohmann::json{{"prompt", "Question?"},
                                   {"chosen", std::string(static_cast<std::size_t>(i + 1), 'y')},
                                   {"rejected", "no " + std::to_string(i)}}
                        .dump() +
                    "\n";
        }
        return write("pairs.jsonl", text);
    }
    std::string demonstrations() const {
        return write("demonstrations.jsonl",
                     "{\"prompt\":\"Why?\",\"completion\":\"So.\"}\n"
                     "{\"prompt\":\"Who?\",\"response\":\"I.\"}\n"
                     "{\"prompt\":\"How?\",\"completion\":\"Well done.\"}\n");
    }
    /// Pairs, single replies, a tie and a ranking.
    std::string feedback() const {
        return write("feedback.jsonl",
                     "{\"prompt\":\"Why?\",\"completion\":\"So.\",\"label\":true}\n"
                     "{\"prompt\":\"Who?\",\"completion\":\"No.\",\"label\":false}\n"
                     "{\"prompt\":\"Why?\",\"chosen\":\"Yes.\",\"rejected\":\"No.\",\"margin\":0.5}\n"
                     "{\"prompt\":\"Who?\",\"chosen\":\"He.\",\"rejected\":\"She.\",\"tie\":true}\n"
                     "{\"prompt\":\"How?\",\"completions\":[\"a\",\"bb\",\"ccc\"],\"ranking\":[2,0,1]}\n");
    }
    std::string prompts() const {
        return write("prompts.jsonl",
                     "{\"prompt\":\"Why?\"}\n{\"prompt\":\"Who?\"}\n{\"prompt\":\"How?\"}\n");
    }
    template <class Config>
    TrainRequest request(const Config& config, const std::string& data,
                         const std::string& out = "out") const {
        TrainRequest made;
        made.model = TinyModel::path();
        made.data = data;
        made.out = folder_ / out;
        made.config = config;
        return made;
    }
    struct Run {
        TrainResult result;
        std::vector<StepMetrics> steps;
        std::vector<double> of(const std::string& name) const {
            std::vector<double> out;
            for (const StepMetrics& step : steps) {
                out.push_back(step.values.at(name));
            }
            return out;
        }
    };
    static Run run(const TrainRequest& request) {
        Run out;
        out.result =
            train(request, one_thread(), {}, [&](const StepMetrics& step) { out.steps.push_back(step); });
        return out;
    }
    template <class Config>
    static Config small(double lr = 1e-3) {
        Config config;
        config.lr = lr;
        config.lora_rank = 2;
        config.batch_size = 2;
        return config;
    }

    const TempFolder folder_;
};

}  // namespace plumbline::testing
