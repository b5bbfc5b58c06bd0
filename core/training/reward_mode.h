#pragma once
// The mode of the linear reward model's posterior, and the Gaussian that touches it there (Laplace; Rasmussen
// & Williams 2006, algorithms 3.1 and 3.2, with the linear kernel and a likelihood of several arguments).

#include <ATen/core/Tensor.h>

#include "core/training/reward_likelihood.h"

namespace plumbline {

/// Of whitened weights z ~ N(0, I). Immutable.
struct RewardMode {
    at::Tensor z;                   // (C) double
    RewardLikelihood::Value value;  // there
    at::Tensor rows;                // (R, C) Q = S G; undefined where R is far above C
    at::Tensor factor;              // Cholesky factor of I + Q Q^T (R, R), or of I + Q^T Q (C, C)

    /// Posterior variance of direction . z; direction: (C) double.
    double variance(const at::Tensor& direction) const;
};

/// g: (m, C) double, what the likelihood's arguments are of z: v = G z; a learned threshold's row has 1 in
/// the last column and 0 elsewhere. Throws Error where the arithmetic has no room for the size of G.
RewardMode find_reward_mode(const RewardLikelihood& likelihood, const at::Tensor& g);

}  // namespace plumbline
