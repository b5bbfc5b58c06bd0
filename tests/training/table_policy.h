#pragma once
// The smallest policy with everything that matters: tables of logits over 3 tokens at 2 places, 9 replies,
// each of whose probabilities can be written down.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <vector>

#include "core/sampling/counter_random.h"

namespace plumbline::testing {

class TablePolicy {
  public:
    static constexpr std::int64_t replies = 9;

    explicit TablePolicy(const std::vector<double>& logits)
        : table_(at::tensor(logits, at::kDouble).view({4, 3}).requires_grad_(true)) {
        at::set_num_threads(1);  // over nine numbers threads only wait for one another
    }

    /// All that it has to learn: row 0 for the first token, row 1 + a for the second after a.
    const at::Tensor& table() const { return table_; }

    /// (9, 2) of every reply, reply 3 a + b being the tokens a, b.
    at::Tensor token_logprobs() const {
        const at::Tensor rows = at::log_softmax(table_, 1);     // (4, 3)
        const at::Tensor first = rows[0].repeat_interleave(3);  // (9)
        return at::stack({first, rows.slice(0, 1, 4).reshape({-1})}, 1);
    }
    /// (9), of whole replies.
    at::Tensor logprobs() const { return token_logprobs().sum(1); }
    at::Tensor probabilities() const { return logprobs().detach().exp(); }

    /// n replies by inverting the distribution at counted random numbers; (n) int64.
    at::Tensor sample(std::int64_t n, std::uint64_t seed, std::uint32_t stream) const {
        std::vector<double> u;
        for (std::int64_t i = 0; i < n; ++i) {
            u.push_back(uniform({seed, stream, 0, static_cast<std::uint32_t>(i), 0}));
        }
        const at::Tensor below = probabilities().cumsum(0);  // (9)
        return at::searchsorted(below, at::tensor(u, at::kDouble), false, true).clamp_max(replies - 1);
    }

  private:
    at::Tensor table_;
};

/// Half the summed difference of two distributions over the same replies, 0..1.
inline double total_variation(const at::Tensor& p, const at::Tensor& q) {
    return 0.5 * (p - q).abs().sum().item<double>();
}

}  // namespace plumbline::testing
