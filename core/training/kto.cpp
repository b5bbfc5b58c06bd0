#include "core/training/kto.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/api/errors.h"
#include "core/losses/kto.h"
#include "core/training/finite.h"
#include "core/training/policy.h"

namespace plumbline {

using at::Tensor;

namespace {

void check(std::span<const KtoReply> replies) {
    for (const KtoReply& reply : replies) {
        if (reply.sequence.reply_length() < 1) {
            throw Error("learn from a rated reply", "it has no token; skip it");
        }
    }
}

// z: how far the policy is from the reference on text that it was not asked for.
double mismatched_kl(const Decoder& decoder, const Adapter& adapter, const Adapter* reference,
                     std::span<const KtoReply> replies, const Pulse& pulse) {
    const at::NoGradGuard no_grad;
    std::vector<double> policy, base;
    for (const Sequence& sequence : mismatched(replies)) {
        pulse.check();
        const PackedBatch batch = pack({&sequence, 1});
        const auto sum = [&](const Adapter* which) {
            return policy_logprobs(decoder, which, batch, {}, 1.0, pulse).sum().item<double>();
        };
        policy.push_back(sum(&adapter));
        base.push_back(sum(reference));
    }
    return kto_kl(at::tensor(policy, at::kDouble), at::tensor(base, at::kDouble)).item<double>();
}

// Means over good and bad replies apart.
class Sides {
  public:
    void add(const KtoReply& reply, double reward, double logprob) {
        Side& side = reply.desirable ? good_ : bad_;
        side.reward += reward;
        side.logprob += logprob;
        side.count += 1;
    }
    void tell(Metrics& metrics) const {
        if (good_.count > 0) {
            metrics["rewards/chosen"] = good_.reward / good_.count;
            metrics["logps/chosen"] = good_.logprob / good_.count;
        }
        if (bad_.count > 0) {
            metrics["rewards/rejected"] = bad_.reward / bad_.count;
            metrics["logps/rejected"] = bad_.logprob / bad_.count;
        }
        if (good_.count > 0 && bad_.count > 0) {
            metrics["rewards/margin"] = metrics["rewards/chosen"] - metrics["rewards/rejected"];
        }
    }

  private:
    struct Side {
        double reward = 0, logprob = 0, count = 0;
    } good_, bad_;
};

}  // namespace

std::vector<Sequence> mismatched(std::span<const KtoReply> replies) {
    std::vector<Sequence> out;
    for (std::size_t i = 0; i < replies.size() && replies.size() > 1; ++i) {
        const Sequence& from = replies[i].sequence;
        const Sequence& to = replies[(i + 1) % replies.size()].sequence;
        out.push_back(join({to.ids.begin(), to.ids.begin() + to.prompt_length},
                           {from.ids.begin() + from.prompt_length, from.ids.end()}));
    }
    return out;
}

Metrics kto_gradients(const Decoder& decoder, const Adapter& adapter, const Adapter* reference,
                      std::span<const KtoReply> replies, const KtoSettings& settings, const Pulse& pulse) {
    check(replies);
    if (replies.empty()) {
        return {};
    }
    const double kl = finite(settings.kl ? std::max(0.0, *settings.kl)
                                         : mismatched_kl(decoder, adapter, reference, replies, pulse),
                             "the KL that KTO compares with");
    const auto n = static_cast<double>(replies.size());
    Metrics total{{"objective/kl", kl}};
    Sides sides;
    for (const KtoReply& reply : replies) {
        pulse.check();
        const PackedBatch batch = pack({&reply.sequence, 1});
        const Tensor sum =
            sum_replies(batch, policy_logprobs(decoder, &adapter, batch, reply.lower, 1.0, pulse));  // (1)
        const at::TensorOptions fixed = sum.options().requires_grad(false);
        const KtoLoss loss =
            kto_loss(sum, at::full({1}, reply.reference_logprob, fixed), at::full({1}, reply.desirable, fixed.dtype(at::kBool)),
                     at::full({}, kl, fixed), settings.beta, settings.desirable_weight, settings.undesirable_weight);
        total["loss/policy"] += finite(loss.losses.item<double>(), "the KTO loss") / n;
        (loss.losses.sum() / n).backward();
        sides.add(reply, loss.rewards.item<double>(), sum.item<double>());
    }
    sides.tell(total);
    return total;
}

}  // namespace plumbline
