#pragma once
// The weight of the KL penalty: fixed, or steered so that the KL stays near a target.

#include <algorithm>
#include <cstdint>

namespace plumbline {

/// A value; copy it into a checkpoint by its beta().
class KlController {
  public:
    /// Fixed.
    explicit KlController(double beta) : beta_(beta) {}
    /// Adaptive (1909.08593 sec. 2.2): beta <- beta (1 + clip(KL / target - 1, -0.2, 0.2) n / horizon).
    /// `target` above 0, nats a reply; `horizon`: replies over which beta changes by at most about a fifth.
    KlController(double beta, double target, double horizon = 10000)
        : beta_(beta), target_(target), horizon_(horizon) {}

    double beta() const { return beta_; }
    bool adaptive() const { return target_ > 0; }
    /// Back to a saved state.
    void set_beta(double beta) { beta_ = beta; }

    /// After a batch of n replies whose mean KL was `kl`, nats a reply. Nothing where it is fixed.
    void update(double kl, std::int64_t n) {
        if (adaptive()) {
            const double error = std::clamp(kl / target_ - 1, -0.2, 0.2);
            beta_ *= 1 + error * static_cast<double>(n) / horizon_;
        }
    }

  private:
    double beta_;
    double target_ = 0;  // 0: fixed
    double horizon_ = 1;
};

}  // namespace plumbline
