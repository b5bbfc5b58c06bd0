#include "core/training/preference.h"

#include <ATen/ATen.h>

#include <array>

#include "core/api/errors.h"
#include "core/training/finite.h"
#include "core/training/policy.h"

namespace plumbline {

using at::Tensor;

namespace {

void check(const PreferencePair& pair) {
    if (pair.chosen.reply_length() < 1 || pair.rejected.reply_length() < 1) {
        throw Error("learn from a pair", "a reply has no token; skip the pair");
    }
}

// The policy's side of the pair as sums (2): chosen, rejected.
Tensor reply_logprobs(const Decoder& decoder, const Adapter& adapter, const PreferencePair& pair,
                      const Pulse& pulse) {
    const PackedBatch batch = pack(std::array{pair.chosen, pair.rejected}, Prompts::shared);
    const bool have_lower =
        !adapter.owns_embedding() && pair.chosen_lower.defined() && pair.rejected_lower.defined();
    const Tensor lower = have_lower ? pack_rows(batch, std::array{pair.chosen_lower, pair.rejected_lower}) : Tensor();
    return sum_replies(batch, policy_logprobs(decoder, &adapter, batch, lower, 1.0, pulse));
}

}  // namespace

Metrics preference_gradients(const Decoder& decoder, const Adapter& adapter,
                             std::span<const PreferencePair> pairs, const PairLoss& loss,
                             const PairLossSettings& settings, const Pulse& pulse) {
    for (const PreferencePair& pair : pairs) {
        check(pair);
    }
    Metrics total;
    const auto n = static_cast<double>(pairs.size());
    for (const PreferencePair& pair : pairs) {
        pulse.check();
        const Tensor sums = reply_logprobs(decoder, adapter, pair, pulse);  // (2)
        const auto one = [&](double value) {
            return at::full({1}, value, sums.options().requires_grad(false));
        };
        PairLogprobs logprobs;
        logprobs.policy_chosen = sums.slice(0, 0, 1);  // (1), as all of these
        logprobs.policy_rejected = sums.slice(0, 1, 2);
        logprobs.reference_chosen = one(pair.reference_chosen);
        logprobs.reference_rejected = one(pair.reference_rejected);
        logprobs.chosen_tokens = one(pair.chosen.reply_length());
        logprobs.rejected_tokens = one(pair.rejected.reply_length());
        const PreferenceLoss result = loss.loss(logprobs, settings);
        const double value = finite(result.losses.item<double>(), "the " + std::string(loss.name) + " loss");
        (result.losses.sum() / n).backward();

        const double chosen = result.chosen_rewards.item<double>();
        const double rejected = result.rejected_rewards.item<double>();
        total["loss/policy"] += value / n;
        total["rewards/chosen"] += chosen / n;
        total["rewards/rejected"] += rejected / n;
        total["rewards/margin"] += (chosen - rejected) / n;
        total["rewards/accuracy"] += (chosen > rejected) / n;
        total["logps/chosen"] += sums[0].item<double>() / n;
        total["logps/rejected"] += sums[1].item<double>() / n;
    }
    return total;
}

}  // namespace plumbline
