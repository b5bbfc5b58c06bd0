#include "app/cli/train_stages.h"

#include <algorithm>

namespace plumbline::cli {
namespace {

const std::vector<const char*> pair_columns = {"loss/policy", "rewards/accuracy", "rewards/margin",
                                               "logps/chosen", "logps/rejected"};
const std::vector<const char*> sample_columns = {"objective/score", "objective/kl", "objective/rlhf_reward",
                                                 "tokens/eos_rate", "tokens/response_length"};
const std::vector<const char*> value_columns = {"objective/score", "objective/kl", "loss/value",
                                                "policy/approxkl", "tokens/response_length"};

const std::vector<StageText> texts = {
    {"sft",
     "Supervised fine-tuning: imitate replies, the loss on the reply only",
     StageData::demonstrations,
     {"loss/policy", "tokens/response_length", "grad_norm", "lr"},
     "--config epochs=2"},
    {"reward",
     "Train a reward model, LoRA and scalar head, on preferences",
     StageData::feedback,
     {"loss/reward", "reward/accuracy", "reward/margin", "grad_norm", "lr"},
     "--config center=0.01"},
    {"dpo", "Direct preference optimisation on pairs", StageData::pairs, pair_columns, "--config beta=0.2"},
    {"ipo", "Identity preference optimisation: a fixed margin to aim at", StageData::pairs, pair_columns,
     "--config beta=0.1"},
    {"cdpo", "DPO that expects a share of wrong labels", StageData::pairs, pair_columns,
     "--config label_smoothing=0.1"},
    {"robust-dpo", "DPO whose loss stays unbiased when labels flip", StageData::pairs, pair_columns,
     "--config label_smoothing=0.2"},
    {"hinge", "Hinge loss on the log-ratio margin of pairs (SLiC)", StageData::pairs, pair_columns,
     "--config beta=0.05"},
    {"kto",
     "KTO: learn from single replies, good or not",
     StageData::labelled,
     {"loss/policy", "rewards/chosen", "rewards/rejected", "objective/kl"},
     "--config undesirable_weight=1.5"},
    {"orpo", "ORPO: imitate the chosen reply, with an odds-ratio penalty and no reference", StageData::pairs,
     pair_columns, "--config orpo_lambda=0.2"},
    {"simpo", "SimPO: mean log-probabilities with a target margin and no reference", StageData::pairs,
     pair_columns, "--config simpo_gamma=1"},
    {"ppo", "Proximal policy optimisation on own replies, with a value for every token", StageData::prompts,
     value_columns, "--config minibatches=2"},
    {"rloo", "REINFORCE leave-one-out on own replies", StageData::prompts, sample_columns,
     "--config group_size=8"},
    {"grpo", "Group-relative policy optimisation on own replies", StageData::prompts, sample_columns,
     "--config averaging=dapo"},
    {"reinforce", "REINFORCE on own replies, with a running mean as its baseline", StageData::prompts,
     sample_columns, "--config group_size=1"},
};

}  // namespace

std::span<const StageText> stage_texts() {
    return texts;
}

const StageText& stage_text(std::string_view name) {
    return *std::find_if(texts.begin(), texts.end(),
                         [&](const StageText& text) { return text.name == name; });
}

std::string stage_list() {
    std::string out = "pretrain";
    for (const StageText& text : texts) {
        out += (&text == &texts.back() ? " or " : ", ") + std::string(text.name);
    }
    return out;
}

const char* data_help(StageData data) {
    switch (data) {
        case StageData::demonstrations:
            return "JSON lines, also .gz, with prompt and completion (or response), or messages; required";
        case StageData::feedback:
            return "Pairs with prompt, chosen, rejected (and margin or tie), or rankings with prompt, "
                   "completions, "
                   "ranking: JSON lines, also .gz; required";
        case StageData::labelled:
            return "Replies with prompt, completion, label (true or false), or pairs with prompt, chosen, "
                   "rejected: "
                   "JSON lines, also .gz; required";
        case StageData::prompts:
            return "Prompts: JSON lines with a prompt, or one a line; required";
        default:
            return "Pairs with prompt, chosen, rejected, or rankings with prompt, completions, ranking: JSON "
                   "lines, "
                   "also .gz; required";
    }
}

const char* data_example(StageData data) {
    switch (data) {
        case StageData::demonstrations:
            return R"({"prompt":"Hello?","completion":"Good day."})";
        case StageData::labelled:
            return R"({"prompt":"Hello?","completion":"Good day.","label":true})";
        case StageData::feedback:
            return R"({"prompt":"Hello?","completions":["What?","Good day."],"ranking":[1,0]})";
        case StageData::prompts:
            return R"({"prompt":"Hello?"})";
        default:
            return R"({"prompt":"Hello?","chosen":"Good day.","rejected":"What?"})";
    }
}

bool draws_samples(const StageText& stage) {
    return stage.data == StageData::prompts;
}

}  // namespace plumbline::cli
