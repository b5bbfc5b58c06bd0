#include "core/training/dpo.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <array>

#include "core/losses/preference.h"
#include "core/training/adamw.h"

namespace plumbline {

using at::Tensor;

Metrics dpo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const PreferencePair> pairs,
                      double beta, const Pulse& pulse) {
    Metrics total;
    const auto n = static_cast<double>(pairs.size());
    for (const PreferencePair& pair : pairs) {
        pulse.check();
        const PackedBatch batch = pack(std::array{pair.chosen, pair.rejected});
        const Tensor lower = pair.chosen_lower.defined() && pair.rejected_lower.defined()
                                 ? at::cat({pair.chosen_lower, pair.rejected_lower})
                                 : Tensor();
        const Tensor per_token = policy_logprobs(decoder, &adapter, batch, lower, 1.0, pulse);   // (M)
        const Tensor sums = sum_replies(batch, per_token);                                       // (2)
        const PreferenceLoss loss =
            dpo_loss(sums.slice(0, 0, 1), sums.slice(0, 1, 2), at::full({1}, pair.reference_chosen),
                     at::full({1}, pair.reference_rejected), beta);
        const double value = loss.losses.item<double>();
        if (!std::isfinite(value)) {
            throw NonFinite("the DPO loss is not finite");
        }
        (loss.losses.sum() / n).backward();

        const double chosen = loss.chosen_rewards.item<double>(), rejected = loss.rejected_rewards.item<double>();
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
