#include "core/training/reward_mode.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "core/api/errors.h"

namespace plumbline {

using at::Tensor;

namespace {

using Root = std::vector<RewardLikelihood::RootRow>;

std::span<const double> view(const Tensor& t) {
    return {t.const_data_ptr<double>(), static_cast<std::size_t>(t.numel())};
}

/// S t, row by row: t (m, C) -> (R, C).
Tensor root_times(const Root& root, const Tensor& t) {
    const std::int64_t columns = t.size(1);
    Tensor out = at::zeros({static_cast<std::int64_t>(root.size()), columns}, at::kDouble);
    const double* from = t.const_data_ptr<double>();
    double* to = out.mutable_data_ptr<double>();
    for (const RewardLikelihood::RootRow& row : root) {
        for (const auto& [argument, factor] : row) {
            const double* line = from + argument * columns;
            for (std::int64_t c = 0; c < columns; ++c) {
                to[c] += factor * line[c];
            }
        }
        to += columns;
    }
    return out;
}

/// S^T t: t (R) -> (m).
Tensor transposed_root_times(const Root& root, const Tensor& t, std::int64_t m) {
    Tensor out = at::zeros({m}, at::kDouble);
    double* to = out.mutable_data_ptr<double>();
    const double* from = t.const_data_ptr<double>();
    for (std::size_t r = 0; r < root.size(); ++r) {
        for (const auto& [argument, factor] : root[r]) {
            to[argument] += factor * from[r];
        }
    }
    return out;
}

/// Cholesky factor of I + t.
Tensor factor_of(const Tensor& t) {
    const auto [factor, info] = at::linalg_cholesky_ex(at::eye(t.size(0), at::kDouble) + t);
    if (info.item<int>() != 0) {
        throw Error("fit reward", "the features are too large for the arithmetic; check their scale");
    }
    return factor;
}

Tensor solve(const Tensor& factor, const Tensor& t) {
    return at::cholesky_solve(t.unsqueeze(1), factor).squeeze(1);
}

/// A point of the search. alpha is kept only where the search is in the space of answers: z = G^T alpha.
struct Point {
    Tensor z, v, alpha;  // (C), (m), (m)

    Point moved(const Point& step, double length) const {
        return {z + length * step.z, v + length * step.v,
                alpha.defined() ? alpha + length * step.alpha : Tensor()};
    }
};

}  // namespace

// Newton's iteration on log p(answers | v) - z^T z / 2, which is concave, with W = S^T S and a line search:
// it converges from anywhere. The step is (I + Q^T Q)^-1 r with r = G^T g - z, or, where the answers are
// fewer than the weights, the same by Woodbury's identity from I + Q Q^T = I + S K S^T with K = G G^T,
// computed once.
RewardMode find_reward_mode(const RewardLikelihood& likelihood, const Tensor& g) {
    const std::int64_t m = g.size(0), c = g.size(1);
    Point here{at::zeros({c}, at::kDouble), at::zeros({m}, at::kDouble), at::zeros({m}, at::kDouble)};
    if (likelihood.learns_threshold()) {
        here.z[-1] = here.v[-1] = here.alpha[-1] = 0.5;  // eta
    }
    RewardMode mode;
    mode.value = likelihood.at(view(here.v));
    // An iteration costs about R^3 / 3 in the space of answers, 2 R C^2 in that of weights.
    const bool few_answers = static_cast<double>(mode.value.root.size()) <= 2.5 * static_cast<double>(c);
    const Tensor k = few_answers ? at::mm(g, g.t()) : Tensor();  // (m, m)
    if (!few_answers) {
        here.alpha = Tensor();
    }
    const auto objective = [](const RewardLikelihood::Value& value, const Point& point) {
        return value.log_likelihood - 0.5 * point.z.dot(point.z).item<double>();
    };
    double best = objective(mode.value, here);
    for (int iteration = 0;; ++iteration) {
        const Root& root = mode.value.root;
        const Tensor gradient = at::tensor(at::ArrayRef<double>(mode.value.gradient), at::kDouble);  // (m)
        Point step;
        double slope = 0;  // of the objective along the step, not negative
        if (few_answers) {
            const Tensor sk = root_times(root, k);                           // (R, m)
            mode.factor = factor_of(root_times(root, sk.t().contiguous()));  // (R, R)
            const Tensor residual = gradient - here.alpha;                   // (m)
            step.alpha = residual - transposed_root_times(root, solve(mode.factor, at::mv(sk, residual)), m);
            step.z = at::mv(g.t(), step.alpha);
            step.v = at::mv(k, step.alpha);
            slope = residual.dot(step.v).item<double>();
        } else {
            const Tensor q = root_times(root, g);                      // (R, C)
            mode.factor = factor_of(at::mm(q.t(), q));                 // (C, C)
            const Tensor residual = at::mv(g.t(), gradient) - here.z;  // (C)
            step.z = solve(mode.factor, residual);
            step.v = at::mv(g, step.z);
            slope = residual.dot(step.z).item<double>();
        }
        if (iteration == 200 || step.v.abs().max().item<double>() < 1e-10) {
            break;
        }
        bool found = false;
        for (double length = 1; length > 1e-12 && !found; length /= 2) {
            const Point next = here.moved(step, length);
            RewardLikelihood::Value value = likelihood.at(view(next.v));
            const double reached = objective(value, next);
            // Near the mode the gain drowns in rounding.
            if (reached >= best + 1e-4 * length * slope - 1e-13 * (1 + std::abs(best))) {
                here = next;
                mode.value = std::move(value);
                best = reached;
                found = true;
            }
        }
        if (!found) {
            break;
        }
    }
    mode.z = here.z;
    if (few_answers) {
        mode.rows = root_times(mode.value.root, g);
    }
    return mode;
}

double RewardMode::variance(const Tensor& direction) const {
    const auto squared = [&](const Tensor& t) {
        return at::linalg_solve_triangular(factor, t.unsqueeze(1), /*upper=*/false)
            .square()
            .sum()
            .item<double>();
    };
    if (!rows.defined()) {
        return squared(direction);  // x^T (I + Q^T Q)^-1 x
    }
    return std::max(0.0, direction.dot(direction).item<double>() - squared(at::mv(rows, direction)));
}

}  // namespace plumbline
