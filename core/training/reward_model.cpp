#include "core/training/reward_model.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <array>

#include "core/api/errors.h"
#include "core/formats/peft.h"
#include "core/losses/preference.h"
#include "core/training/adamw.h"

namespace plumbline {

using at::Tensor;

RewardModel RewardModel::fresh(const DecoderConfig& model, const LoraConfig& config, std::uint64_t seed) {
    auto generator = at::detail::createCPUGenerator(seed ^ 0x5eed);   // apart from the adapter's numbers
    const double deviation = 1.0 / std::sqrt(static_cast<double>(model.hidden + 1));
    return {LoraAdapter::fresh(model, config, seed),
            at::empty({1, model.hidden}, at::kFloat).normal_(0, deviation, generator)};
}

RewardModel RewardModel::from_peft(const DecoderConfig& model, const PeftAdapter& peft) {
    const auto head = peft.saved.find("score.weight");
    if (head == peft.saved.end()) {
        throw Error("read adapter", "there is no reward head (score.weight); give a reward model's folder");
    }
    if (head->second.shape != std::vector<std::int64_t>{1, model.hidden}) {
        throw Error("read adapter", "score.weight does not have 1 x " + std::to_string(model.hidden) +
                                        " entries; it was made for another model");
    }
    return {LoraAdapter::from_peft(model, peft),
            at::from_blob(const_cast<float*>(head->second.values.data()), head->second.shape, at::kFloat).clone()};
}

void RewardModel::to_peft(PeftAdapter& peft) const {
    adapter.to_peft(peft);
    peft.task_type = "SEQ_CLS";
    const Tensor plain = head.detach().to(at::kCPU).contiguous();
    peft.saved["score.weight"] = {plain.sizes().vec(), {plain.const_data_ptr<float>(),
                                                        plain.const_data_ptr<float>() + plain.numel()}};
}

std::vector<Tensor> RewardModel::tensors() const {
    std::vector<Tensor> out = adapter.tensors();
    out.push_back(head);
    return out;
}

std::vector<std::string> RewardModel::tensor_names() const {
    std::vector<std::string> out = adapter.tensor_names();
    out.push_back("score.weight");
    return out;
}

void RewardModel::require_grad(bool on) {
    adapter.require_grad(on);
    head.requires_grad_(on);
}

Tensor token_rewards(const Decoder& decoder, const RewardModel& model, const PackedBatch& batch, const Pulse& pulse) {
    const int first = model.adapter.first_block();
    Tensor h;
    {
        at::NoGradGuard no_grad;
        h = decoder.run(decoder.embed(batch.ids, nullptr), batch, 0, first, nullptr, pulse);
    }
    h = decoder.run(h, batch, first, decoder.config().blocks, &model.adapter, pulse);
    const Tensor states = decoder.final_norm(h.index_select(0, batch.reply_rows), &model.adapter);   // (M, D)
    return at::linear(states, model.head).squeeze(1);                                // (M)
}

Metrics reward_gradients(const Decoder& decoder, const RewardModel& model, std::span<const RewardPair> pairs,
                         double center, const Pulse& pulse) {
    Metrics total{{"reward/min", INFINITY}, {"reward/max", -INFINITY}};
    const auto n = static_cast<double>(pairs.size());
    for (const RewardPair& pair : pairs) {
        pulse.check();
        const PackedBatch batch = pack(std::array{pair.chosen, pair.rejected});
        const Tensor per_token = token_rewards(decoder, model, batch, pulse);
        const Tensor chosen = per_token.slice(0, batch.reply_starts[1] - 1, batch.reply_starts[1]);     // (1)
        const Tensor rejected = per_token.slice(0, batch.reply_starts[2] - 1, batch.reply_starts[2]);   // (1)
        const Tensor loss = bradley_terry_loss(chosen, rejected, 0, center);
        const double value = loss.item<double>(), c = chosen.item<double>(), r = rejected.item<double>();
        if (!std::isfinite(value)) {
            throw NonFinite("the reward model's loss is not finite");
        }
        (loss.sum() / n).backward();
        total["loss/reward"] += value / n;
        total["reward/accuracy"] += (c > r) / n;
        total["reward/margin"] += (c - r) / n;
        total["reward/mean"] += (c + r) / 2 / n;
        total["reward/min"] = std::min({total["reward/min"], c, r});
        total["reward/max"] = std::max({total["reward/max"], c, r});
    }
    return total;
}

}  // namespace plumbline
