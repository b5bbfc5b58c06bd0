#pragma once
// What the help texts and tables say of each training stage, apart from its settings. One line a stage.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline::cli {

enum class StageData { demonstrations, pairs, feedback, labelled, prompts };

struct StageText {
    std::string_view name;     // as in the stage's struct
    std::string_view summary;  // one sentence
    StageData data{};
    std::vector<const char*> columns;  // metrics that people see; JSON has all
    std::string_view example;          // of its own settings, "--config beta=0.2"
};

/// In the order of the help text.
std::span<const StageText> stage_texts();
/// `name` is a stage's.
const StageText& stage_text(std::string_view name);
/// "pretrain, sft, … or reinforce".
std::string stage_list();

/// Help of --data.
const char* data_help(StageData data);
/// A line of such data.
const char* data_example(StageData data);
/// Whether the policy writes the replies itself, which a reward then scores.
bool draws_samples(const StageText& stage);

}  // namespace plumbline::cli
