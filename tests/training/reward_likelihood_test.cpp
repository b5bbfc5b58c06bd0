#include "core/training/reward_likelihood.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/api/errors.h"
#include "core/sampling/counter_random.h"

namespace plumbline {
namespace {

using Kind = RewardObservation::Kind;

RewardObservation preference(int better, int worse, double margin = 0) {
    return {Kind::preference, {better, worse}, 0, margin};
}
RewardObservation tie(int a, int b) {
    return {Kind::tie, {a, b}, 0, 0};
}
RewardObservation ranking(std::vector<int> items, int ranked) {
    return {Kind::ranking, std::move(items), ranked, 0};
}
RewardObservation mark(Kind kind, int item) {
    return {kind, {item}, 0, 0};
}

RewardFitSettings fixed_at(double theta) {
    RewardFitSettings settings;
    settings.tie_threshold = theta;
    return settings;
}

RewardFitSettings halves() {
    RewardFitSettings settings;
    settings.ties_as_half = true;
    return settings;
}

/// Arguments of utilities u, and the learned threshold's eta behind them.
std::vector<double> arguments_of(const RewardLikelihood& likelihood, const std::vector<double>& u,
                                 double eta) {
    std::vector<double> v;
    for (const auto& argument : likelihood.arguments()) {
        double sum = 0;
        for (const auto& [item, factor] : argument) {
            sum += factor * u[item];
        }
        v.push_back(sum);
    }
    if (likelihood.learns_threshold()) {
        v.back() = eta;
    }
    return v;
}

double log_likelihood(const std::vector<RewardObservation>& of, const std::vector<double>& u,
                      const RewardFitSettings& settings, double eta = 0.7) {
    const RewardLikelihood likelihood(of, u.size(), settings);
    return likelihood.at(arguments_of(likelihood, u, eta)).log_likelihood;
}

// d = 1.2 - 0.5 = 0.7: q(0.7 - 0.2) = q(0.5), log = -0.4740769841801067. With theta = 1.5 (eta 0.4054651081):
// q(0.7 - 0.4054651081) = q(0.2945348919), log = -0.5567021085.
TEST(RewardLikelihood, PreferencesMatchHandDerivedValues) {
    EXPECT_NEAR(log_likelihood({preference(0, 1, 0.2)}, {1.2, 0.5}, {}), -0.4740769841801067, 1e-12);
    EXPECT_GT(std::abs(log_likelihood({preference(0, 1, 0.201)}, {1.2, 0.5}, {}) + 0.4740769841801067), 1e-4);
    const double e = std::exp(0.7);  // P(a better) = e^a / (e^a + theta e^b)
    EXPECT_NEAR(log_likelihood({preference(0, 1)}, {1.2, 0.5}, fixed_at(1.5)), std::log(e / (e + 1.5)),
                1e-12);
}

// Marks: q(+-(0.9 - 0.4)): log q(0.5) and log q(-0.5) = -0.4740769841801067 - 0.5.
TEST(RewardLikelihood, MarksCompareWithTheAbsoluteThreshold) {
    RewardFitSettings settings;
    settings.absolute_threshold = 0.4;
    EXPECT_NEAR(log_likelihood({mark(Kind::good, 0)}, {0.9}, settings), -0.4740769841801067, 1e-12);
    EXPECT_NEAR(log_likelihood({mark(Kind::bad, 0)}, {0.9}, settings), -0.9740769841801067, 1e-12);
}

TEST(RewardLikelihood, EveryOutcomeOfAPairHasProbabilityOneInAll) {
    for (const double theta : {1.2, 3.0}) {
        const auto p = [&](const RewardObservation& o) {
            return std::exp(log_likelihood({o}, {0.3, -0.8}, fixed_at(theta)));
        };
        EXPECT_NEAR(p(preference(0, 1)) + p(preference(1, 0)) + p(tie(0, 1)), 1, 1e-12);
    }
    // The same with a learned threshold, in the company of one tie.
    const auto learned = [](const RewardObservation& o) {
        const double one_tie = log_likelihood({tie(0, 1)}, {0.3, -0.8}, {}, 0.7);
        return std::exp(log_likelihood({tie(0, 1), o}, {0.3, -0.8}, {}, 0.7) - one_tie);
    };
    EXPECT_NEAR(learned(preference(0, 1)) + learned(preference(1, 0)) + learned(tie(0, 1)), 1, 1e-12);
}

TEST(RewardLikelihood, EveryOrderHasProbabilityOneInAll) {
    const std::vector<double> u{0.3, -0.8, 1.1, 0.2};
    for (const int ranked : {1, 2, 3, 4}) {
        std::vector<int> order{0, 1, 2, 3};
        double sum = 0;
        do {  // those without a place are in no order: count them in one
            if (std::is_sorted(order.begin() + ranked, order.end())) {
                sum += std::exp(log_likelihood({ranking(order, ranked)}, u, {}));
            }
        } while (std::next_permutation(order.begin(), order.end()));
        EXPECT_NEAR(sum, 1, 1e-12) << ranked;
    }
}

TEST(RewardLikelihood, SpecialCasesAreBradleyTerry) {
    const std::vector<double> u{0.3, -0.8, 1.1};
    const double plain = log_likelihood({preference(0, 1)}, u, {});
    EXPECT_NEAR(log_likelihood({ranking({0, 1}, 1)}, u, {}), plain, 1e-12) << "Plackett-Luce of two";
    EXPECT_NEAR(log_likelihood({ranking({0, 1}, 2)}, u, {}), plain, 1e-12);
    EXPECT_NEAR(log_likelihood({preference(0, 1)}, u, fixed_at(1)), plain, 1e-12) << "Rao-Kupper at theta 1";
    EXPECT_GT(std::abs(log_likelihood({preference(0, 1)}, u, fixed_at(1.001)) - plain), 1e-4);
    EXPECT_NEAR(log_likelihood({ranking({2, 0, 1}, 2)}, u, {}),
                log_likelihood({ranking({2, 0, 1}, 3)}, u, {}), 1e-12)
        << "the last place says nothing more";
}

std::vector<RewardObservation> random_mix(std::uint64_t seed, int count, int items) {
    std::uint32_t draw = 0;
    const auto next = [&](int below) { return static_cast<int>(uniform({seed, 3, 0, 0, draw++}) * below); };
    std::vector<RewardObservation> out;
    for (int i = 0; i < count; ++i) {
        std::vector<int> order(items);
        std::iota(order.begin(), order.end(), 0);
        for (int k = items; k > 1; --k) {
            std::swap(order[k - 1], order[next(k)]);
        }
        const int size = 2 + next(5);
        switch (next(5)) {
            case 0:
                out.push_back(preference(order[0], order[1], next(3) * 0.5));
                break;
            case 1:
                out.push_back(tie(order[0], order[1]));
                break;
            case 2:
                out.push_back(ranking({order.begin(), order.begin() + size}, 1 + next(size)));
                break;
            case 3:
                out.push_back(mark(Kind::good, order[0]));
                break;
            default:
                out.push_back(mark(Kind::bad, order[0]));
                break;
        }
    }
    return out;
}

// Central differences of the log-likelihood against the gradient, and of the gradient against -S^T S; and the
// twin: at a point a little off, the same comparison fails.
struct Derivatives {
    double gradient_error = 0, hessian_error = 0;
};

Derivatives compare(const RewardLikelihood& likelihood, const std::vector<double>& v,
                    const std::vector<double>& claimed_at) {
    const RewardLikelihood::Value claimed = likelihood.at(claimed_at);
    const std::size_t m = v.size();
    std::vector<double> w(m * m, 0);
    for (const auto& row : claimed.root) {
        for (const auto& [i, a] : row) {
            for (const auto& [j, b] : row) {
                w[i * m + j] += a * b;
            }
        }
    }
    Derivatives worst;
    constexpr double h = 1e-5;
    for (std::size_t i = 0; i < m; ++i) {
        std::vector<double> up = v, down = v;
        up[i] += h;
        down[i] -= h;
        const RewardLikelihood::Value above = likelihood.at(up), below = likelihood.at(down);
        const double slope = (above.log_likelihood - below.log_likelihood) / (2 * h);
        worst.gradient_error = std::max(worst.gradient_error, std::abs(slope - claimed.gradient[i]));
        for (std::size_t j = 0; j < m; ++j) {
            const double bend = (above.gradient[j] - below.gradient[j]) / (2 * h);
            worst.hessian_error = std::max(worst.hessian_error, std::abs(bend + w[i * m + j]));
        }
    }
    return worst;
}

TEST(RewardLikelihood, HasTheDerivativesOfFiniteDifferences) {
    constexpr int items = 8;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        const auto mix = random_mix(seed, 25, items);
        std::vector<double> u;
        for (std::uint32_t i = 0; i < items; ++i) {
            u.push_back(4 * uniform({seed, 4, 0, 0, i}) - 2);
        }
        RewardFitSettings marked;
        marked.absolute_threshold = 0.3;
        for (const RewardFitSettings& settings : {marked, fixed_at(1.7), halves()}) {
            const RewardLikelihood likelihood(mix, items, settings);
            const std::vector<double> v = arguments_of(likelihood, u, 0.6);
            const Derivatives right = compare(likelihood, v, v);
            EXPECT_LT(right.gradient_error, 1e-7);
            EXPECT_LT(right.hessian_error, 1e-7);
            std::vector<double> off = v;
            for (double& x : off) {
                x += 1e-5;
            }
            const Derivatives wrong = compare(likelihood, v, off);
            EXPECT_GT(wrong.gradient_error, 1e-7);
            EXPECT_GT(wrong.hessian_error, 1e-7);
        }
    }
}

TEST(RewardLikelihood, StaysFiniteFarOut) {
    const std::vector<double> far{2000, -2000, 0};
    EXPECT_NEAR(log_likelihood({preference(1, 0)}, far, {}), -4000, 1e-9);
    EXPECT_EQ(log_likelihood({preference(0, 1)}, far, {}), 0);
    // -2000 - 2000 at the first place, 0 - 2000 at the second.
    EXPECT_NEAR(log_likelihood({ranking({1, 2, 0}, 3)}, far, {}), -6000, 1e-9);
    EXPECT_NEAR(log_likelihood({tie(0, 1)}, far, fixed_at(2)), std::log(3.0) - 4000 - std::log(2.0), 1e-6);
    for (const auto& row : RewardLikelihood(std::vector{ranking({0, 1, 2}, 3)}, 3, {})
                               .at(std::vector<double>{2000.0, -2000.0})
                               .root) {
        for (const auto& [argument, factor] : row) {
            EXPECT_TRUE(std::isfinite(factor));
        }
    }
}

TEST(RewardLikelihood, LearnsAThresholdOnlyFromTies) {
    EXPECT_FALSE(RewardLikelihood(std::vector{preference(0, 1)}, 2, {}).learns_threshold());
    EXPECT_TRUE(RewardLikelihood(std::vector{tie(0, 1)}, 2, {}).learns_threshold());
    EXPECT_FALSE(RewardLikelihood(std::vector{tie(0, 1)}, 2, fixed_at(2)).learns_threshold());
    EXPECT_FALSE(RewardLikelihood(std::vector{tie(0, 1)}, 2, halves()).learns_threshold());
    EXPECT_EQ(log_likelihood({tie(0, 1)}, {0, 0}, {}, 0), -std::numeric_limits<double>::infinity())
        << "at theta 1 there are no ties";
}

TEST(RewardLikelihood, RefusesWhatDoesNotFit) {
    const auto refused = [](RewardObservation o, const std::string& what, RewardFitSettings settings = {}) {
        try {
            const RewardLikelihood likelihood(std::vector{std::move(o)}, 3, settings);
            ADD_FAILURE() << "accepted: " << what;
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
        }
    };
    refused(preference(0, 3), "reply 3 is not one of the 3");
    refused(preference(-1, 0), "reply -1");
    refused({Kind::preference, {0}, 0, 0}, "names 1 replies");
    refused({Kind::tie, {0, 1, 2}, 0, 0}, "names 3 replies");
    refused({Kind::good, {}, 0, 0}, "names 0 replies");
    refused(ranking({0}, 1), "needs 2 or more");
    refused(ranking({0, 1, 0}, 1), "ranks a reply twice");
    refused(ranking({0, 1}, 0), "ranked 0 is not 1 to 2");
    refused(ranking({0, 1}, 3), "ranked 3 is not 1 to 2");
    refused(preference(0, 1, NAN), "margin");
    refused(tie(0, 1), "tie_threshold 1 leaves no room", fixed_at(1));
    refused(tie(0, 1), "tie_threshold 0.5", fixed_at(0.5));
    RewardFitSettings flat;
    flat.ridge = 0;
    refused(tie(0, 1), "ridge 0", flat);
}

}  // namespace
}  // namespace plumbline
