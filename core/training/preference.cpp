#include "core/training/preference.h"

#include <ATen/ATen.h>

#include "core/api/errors.h"
#include "core/training/finite.h"
#include "core/training/passes.h"
#include "core/training/policy.h"

namespace plumbline {

using at::Tensor;

namespace {

void check(const PreferencePair& pair) {
    if (pair.chosen.reply_length() < 1 || pair.rejected.reply_length() < 1) {
        throw Error("learn from a pair", "a reply has no token; skip the pair");
    }
}

// The policy's sums, (n, 2): chosen, rejected.
Tensor reply_logprobs(const Decoder& decoder, const Adapter& adapter, std::span<const PreferencePair> pairs,
                      const Pulse& pulse) {
    std::vector<Sequence> sequences;
    std::vector<Tensor> lowers;
    bool have_lower = !adapter.owns_embedding();
    for (const PreferencePair& pair : pairs) {
        sequences.insert(sequences.end(), {pair.chosen, pair.rejected});
        lowers.insert(lowers.end(), {pair.chosen_lower, pair.rejected_lower});
        have_lower = have_lower && pair.chosen_lower.defined() && pair.rejected_lower.defined();
    }
    const PackedBatch batch = pack(sequences, Prompts::shared);
    const Tensor lower = have_lower ? pack_rows(batch, lowers) : Tensor();
    return sum_replies(batch, policy_logprobs(decoder, &adapter, batch, lower, 1.0, pulse)).view({-1, 2});
}

// One of the pair's numbers for each pair, (n).
template <typename Number>
Tensor of_each(std::span<const PreferencePair> pairs, const Tensor& like, Number number) {
    std::vector<double> values;
    for (const PreferencePair& pair : pairs) {
        values.push_back(static_cast<double>(number(pair)));
    }
    return at::tensor(values, at::kDouble).to(like.options().requires_grad(false));
}

std::int64_t rows_of_pair(const PreferencePair& pair) {
    return static_cast<std::int64_t>(pair.chosen.ids.size()) + pair.rejected.reply_length();
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
    for (const std::span<const PreferencePair> part : in_passes(pairs, rows_of_pair)) {
        pulse.check();
        const Tensor sums = reply_logprobs(decoder, adapter, part, pulse);  // (k, 2)
        const auto each = [&](auto number) { return of_each(part, sums, number); };
        PairLogprobs logprobs;
        logprobs.policy_chosen = sums.select(1, 0);  // (k), as all of these
        logprobs.policy_rejected = sums.select(1, 1);
        logprobs.reference_chosen = each([](const PreferencePair& p) { return p.reference_chosen; });
        logprobs.reference_rejected = each([](const PreferencePair& p) { return p.reference_rejected; });
        logprobs.chosen_tokens = each([](const PreferencePair& p) { return p.chosen.reply_length(); });
        logprobs.rejected_tokens = each([](const PreferencePair& p) { return p.rejected.reply_length(); });
        const PreferenceLoss result = loss.loss(logprobs, settings);
        const Tensor value = result.losses.sum() / n;
        total["loss/policy"] += finite(value.item<double>(), "the " + std::string(loss.name) + " loss");
        value.backward();

        const Tensor &chosen = result.chosen_rewards, &rejected = result.rejected_rewards;
        total["rewards/chosen"] += chosen.sum().item<double>() / n;
        total["rewards/rejected"] += rejected.sum().item<double>() / n;
        total["rewards/margin"] += (chosen - rejected).sum().item<double>() / n;
        total["rewards/accuracy"] += (chosen > rejected).sum().item<double>() / n;
        total["logps/chosen"] += logprobs.policy_chosen.sum().item<double>() / n;
        total["logps/rejected"] += logprobs.policy_rejected.sum().item<double>() / n;
    }
    return total;
}

}  // namespace plumbline
