#pragma once
// The log-likelihood of all kinds of answers, as one concave function of a few linear arguments of the
// utilities. Leaves out: where utilities come from, the prior, the search for the mode.

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "core/training/reward_observation.h"

namespace plumbline {

/// Checked observations. Constant after construction.
///
/// Arguments v: for a preference and a tie d = u_a - u_b, for good and bad u, for a ranking the utility of
/// each but the last above the last's. A learned threshold adds eta = log theta as the last argument. With m
/// the margin, c the absolute threshold, and q = sigmoid:
///   preference  log q(d - m - eta)                                          Bradley-Terry, Rao-Kupper
///   tie         log(e^(2 eta) - 1) + log q(d - eta) + log q(-d - eta)       Rao-Kupper
///               (log q(d) + log q(-d)) / 2                                  as half a preference each way
///   good, bad   log q(+-(u - c))
///   ranking     sum over its places i of u_i - log sum_(j >= i) e^(u_j)     Plackett-Luce
class RewardLikelihood {
  public:
    /// `items`: how many replies the observations may name. Throws Error for an observation that does not
    /// fit, ConfigError for settings out of range or that give ties no probability.
    RewardLikelihood(std::span<const RewardObservation> observations, std::size_t items,
                     const RewardFitSettings& settings);

    /// An argument is the sum of some utilities, each times its factor.
    using Argument = std::vector<std::pair<int, double>>;
    /// (m); a learned threshold is the last one, of no utility.
    const std::vector<Argument>& arguments() const { return arguments_; }
    bool learns_threshold() const { return learns_threshold_; }
    /// log theta where it is fixed (0 without a threshold).
    double fixed_threshold() const { return fixed_threshold_; }
    std::size_t observations() const { return observations_; }

    /// A row of S, by argument: the negative Hessian is W = S^T S.
    using RootRow = std::vector<std::pair<int, double>>;
    struct Value {
        double log_likelihood = 0;     // nats, of all observations
        std::vector<double> gradient;  // (m)
        std::vector<RootRow> root;     // (R) rows; R does not change with v
    };
    /// v: (m). The log-likelihood is -infinity, and the rest unused, where a learned eta is not above 0.
    Value at(std::span<const double> v) const;

  private:
    enum class Form { preference, threshold_tie, half_tie, absolute, ranking };
    struct Term {
        Form form;
        int first;          // argument
        int size = 1;       // arguments
        int places = 0;     // of a ranking: factors
        double sign = 1;    // good 1, bad -1
        double offset = 0;  // margin, or the absolute threshold
    };
    int add_argument(Argument argument);
    void add_ranking(const Term& term, std::span<const double> v, Value& value) const;

    std::vector<Argument> arguments_;
    std::vector<Term> terms_;
    std::size_t observations_ = 0;
    int ties_ = 0;
    bool learns_threshold_ = false;
    double fixed_threshold_ = 0;
};

}  // namespace plumbline
