#include "core/lab/offline_score.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <numeric>

#include "core/api/errors.h"
#include "core/judges/reward_rules.h"
#include "core/training/reward_model.h"

namespace plumbline {

namespace {

double model_score(const OpenedModel& opened, const RewardModel& model, const Sequence& sequence) {
    if (sequence.reply_length() == 0) {
        return 0;  // nothing to read; the missing EOS decides
    }
    return token_rewards(opened.model->decoder(), model, pack({&sequence, 1}), opened.pulse)[-1]
        .item<double>();
}

RuleInput rule_input(const OpenedModel& opened, const Sequence& sequence, const ReferenceFacts& facts) {
    const Tokenizer& tokenizer = opened.model->tokenizer();
    const auto split = sequence.ids.begin() + sequence.prompt_length;
    RuleInput input;
    input.prompt = tokenizer.decode({sequence.ids.begin(), split}, true);
    input.text = tokenizer.decode({split, sequence.ids.end()}, true);
    input.tokens = sequence.reply_length();
    input.ended = input.tokens > 0 && opened.model->ends().contains(sequence.ids.back());
    if (!facts.logprobs_t1.empty()) {
        input.mean_reference_logprob = facts.sum_t1() / static_cast<double>(facts.logprobs_t1.size());
    }
    return input;
}

}  // namespace

void check_score(const TrainRequest& request) {
    const bool has_model = !request.reward_adapter.empty();
    if (!has_model && request.reward.empty()) {
        throw ConfigError(
            "train",
            "there is nothing to score replies with; give a reward model with --reward-adapter, "
            "or rules with --reward");
    }
    if (!request.reward.empty() && parse_reward_mix(request.reward).needs_model() != has_model) {
        throw ConfigError("train", has_model
                                       ? "--reward has no part `model` that would use --reward-adapter; add "
                                         "`+ model` or leave the adapter out"
                                       : "--reward has the part `model`; give the reward model with "
                                         "--reward-adapter");
    }
}

ScoreReply make_score(const TrainRequest& request, const OpenedModel& opened) {
    std::shared_ptr<const RewardModel> model;
    if (!request.reward_adapter.empty()) {
        model = std::make_shared<RewardModel>(
            RewardModel::read(
                opened.model->decoder().config(), request.reward_adapter, opened.model->decoder().device()));
    }
    if (request.reward.empty()) {
        return [&opened, model](const Sequence& sequence, const ReferenceFacts&) -> RolloutScore {
            return model_score(opened, *model, sequence);
        };
    }
    const RewardMix mix = parse_reward_mix(request.reward);
    return [&opened, model, mix](const Sequence& sequence, const ReferenceFacts& facts) {
        const std::optional<double> learned =
            model ? std::optional(model_score(opened, *model, sequence)) : std::nullopt;
        const RewardScore score = mix.score(rule_input(opened, sequence, facts), learned);
        RolloutScore out(score.total);
        for (const RewardScore::Part& part : score.parts) {
            out.parts[part.name] = part.value;
        }
        return out;
    };
}

}  // namespace plumbline
