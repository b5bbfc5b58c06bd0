#include "core/losses/ppo.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace plumbline {

using at::Tensor;

namespace {

// One reply, in double on the processor.
void sweep_back(std::span<const double> rewards, std::span<const double> values, std::span<double> advantages,
                double gamma, double lambda) {
    double next_value = 0, next_advantage = 0;
    for (std::size_t t = rewards.size(); t-- > 0;) {
        const double delta = rewards[t] + gamma * next_value - values[t];
        next_advantage = delta + gamma * lambda * next_advantage;  // eq. 16
        next_value = values[t];
        advantages[t] = next_advantage;
    }
}

}  // namespace

Tensor token_rewards(const Tensor& k1, const Tensor& scores, std::span<const std::int64_t> reply_starts,
                     double beta) {
    Tensor out = -beta * k1.detach();  // (M)
    for (std::size_t i = 0; i + 1 < reply_starts.size(); ++i) {
        if (reply_starts[i + 1] > reply_starts[i]) {
            out[reply_starts[i + 1] - 1] += scores[static_cast<std::int64_t>(i)];
        }
    }
    return out;
}

Advantages generalised_advantages(const Tensor& rewards, const Tensor& values, double gamma, double lambda) {
    const std::int64_t starts[] = {0, rewards.size(0)};
    return generalised_advantages(rewards, values, starts, gamma, lambda);
}

Advantages generalised_advantages(const Tensor& rewards, const Tensor& values,
                                  std::span<const std::int64_t> reply_starts, double gamma, double lambda) {
    const Tensor r = rewards.detach().to(at::kDouble).contiguous(),
                 v = values.detach().to(at::kDouble).contiguous();
    Tensor out = at::empty_like(r);  // (M)
    for (std::size_t i = 0; i + 1 < reply_starts.size(); ++i) {
        const std::int64_t begin = reply_starts[i];
        const auto length = static_cast<std::size_t>(reply_starts[i + 1] - begin);
        sweep_back({r.const_data_ptr<double>() + begin, length}, {v.const_data_ptr<double>() + begin, length},
                   {out.mutable_data_ptr<double>() + begin, length}, gamma, lambda);
    }
    return {out.to(values.scalar_type()), (out + v).to(values.scalar_type())};
}

Tensor whiten(const Tensor& values, Whitening whitening) {
    const Tensor mean = values.mean();
    const Tensor variance = values.numel() > 1 ? values.var(/*unbiased=*/true) : at::zeros_like(mean);
    const Tensor out = (values - mean) * (variance + 1e-8).rsqrt();
    return whitening == Whitening::keep_mean ? out + mean : out;
}

Tensor clipped_value_loss(const Tensor& values, const Tensor& old_values, const Tensor& returns,
                          double range) {
    const Tensor near = at::minimum(at::maximum(values, old_values - range), old_values + range);  // (M)
    return 0.5 * at::maximum((values - returns).square(), (near - returns).square());
}

double explained_variance(const Tensor& values, const Tensor& returns) {
    const double all = returns.numel() > 1 ? returns.var().item<double>() : 0;
    return all > 0 ? 1 - (returns - values).var().item<double>() / all : 0;
}

}  // namespace plumbline
