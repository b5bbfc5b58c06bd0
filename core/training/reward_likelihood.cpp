#include "core/training/reward_likelihood.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "core/api/errors.h"

namespace plumbline {

namespace {

using Kind = RewardObservation::Kind;

double log_sigmoid(double x) {
    return x >= 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x));
}

double sigmoid(double x) {
    return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

[[noreturn]] void refuse(std::size_t index, const std::string& what) {
    throw Error("fit reward", "observation " + std::to_string(index) + ": " + what);
}

void check_settings(const RewardFitSettings& settings) {
    const auto require = [](bool holds, const char* name, double value, const char* range) {
        if (!holds) {
            throw ConfigError("settings", std::string(name) + " " + std::to_string(value) + " is not " +
                                              range + "; change it");
        }
    };
    require(settings.ridge > 0 && std::isfinite(settings.ridge), "ridge", settings.ridge, "above 0");
    require(
        settings.tie_threshold == 0 || (settings.tie_threshold >= 1 && std::isfinite(settings.tie_threshold)),
        "tie_threshold", settings.tie_threshold, "0 or at least 1");
    require(std::isfinite(settings.absolute_threshold), "absolute_threshold", settings.absolute_threshold,
            "a finite number");
}

void check(const RewardObservation& o, std::size_t index, std::size_t items) {
    const std::size_t n = o.items.size();
    const bool of_two = o.kind == Kind::preference || o.kind == Kind::tie;
    const std::size_t least = of_two || o.kind == Kind::ranking ? 2 : 1;
    if (n < least || (o.kind != Kind::ranking && n > least)) {
        refuse(index, "it names " + std::to_string(n) + " replies; its kind needs " +
                          (o.kind == Kind::ranking ? "2 or more" : std::to_string(least)));
    }
    for (const int item : o.items) {
        if (item < 0 || static_cast<std::size_t>(item) >= items) {
            refuse(index, "reply " + std::to_string(item) + " is not one of the " + std::to_string(items) +
                              " given");
        }
    }
    if (o.kind == Kind::ranking) {
        if (std::set<int>(o.items.begin(), o.items.end()).size() != n) {
            refuse(index, "it ranks a reply twice; name each once");
        }
        if (o.ranked < 1 || static_cast<std::size_t>(o.ranked) > n) {
            refuse(index, "ranked " + std::to_string(o.ranked) + " is not 1 to " + std::to_string(n));
        }
    }
    if (!std::isfinite(o.margin)) {
        refuse(index, "margin " + std::to_string(o.margin) + " is not a finite number");
    }
}

}  // namespace

RewardLikelihood::RewardLikelihood(std::span<const RewardObservation> observations, std::size_t items,
                                   const RewardFitSettings& settings)
    : observations_(observations.size()) {
    check_settings(settings);
    for (std::size_t i = 0; i < observations.size(); ++i) {
        const RewardObservation& o = observations[i];
        check(o, i, items);
        const auto& of = o.items;
        switch (o.kind) {
            case Kind::preference:
                terms_.push_back(
                    {Form::preference, add_argument({{of[0], 1}, {of[1], -1}}), 1, 0, 1, o.margin});
                break;
            case Kind::tie:
                terms_.push_back({settings.ties_as_half ? Form::half_tie : Form::threshold_tie,
                                  add_argument({{of[0], 1}, {of[1], -1}})});
                ties_ += !settings.ties_as_half;
                break;
            case Kind::good:
            case Kind::bad:
                terms_.push_back({Form::absolute, add_argument({{of[0], 1}}), 1, 0,
                                  o.kind == Kind::good ? 1.0 : -1.0, settings.absolute_threshold});
                break;
            case Kind::ranking: {
                const int size = static_cast<int>(of.size()) - 1, first = static_cast<int>(arguments_.size());
                for (int k = 0; k < size; ++k) {
                    add_argument({{of[k], 1}, {of.back(), -1}});
                }
                terms_.push_back({Form::ranking, first, size, std::min(o.ranked, size)});
                break;
            }
        }
    }
    if (!settings.ties_as_half && settings.tie_threshold > 0) {
        fixed_threshold_ = std::log(settings.tie_threshold);
        if (fixed_threshold_ == 0 && ties_ > 0) {
            throw ConfigError("settings", "tie_threshold 1 leaves no room for ties, and there are " +
                                              std::to_string(ties_) + "; set it above 1, or 0 to learn it");
        }
    }
    learns_threshold_ = ties_ > 0 && settings.tie_threshold == 0;
    if (learns_threshold_) {
        add_argument({});
    }
}

int RewardLikelihood::add_argument(Argument argument) {
    arguments_.push_back(std::move(argument));
    return static_cast<int>(arguments_.size()) - 1;
}

RewardLikelihood::Value RewardLikelihood::at(std::span<const double> v) const {
    Value value;
    value.gradient.assign(arguments_.size(), 0);
    const int last = static_cast<int>(arguments_.size()) - 1;
    const double eta = learns_threshold_ ? v[last] : fixed_threshold_;
    if (learns_threshold_ && !(eta > 0)) {
        value.log_likelihood = -std::numeric_limits<double>::infinity();
        return value;
    }
    // Adds log q(x), x being `sign` times an argument less the threshold where the model has one, less
    // constants.
    const auto add_choice = [&](double x, int argument, double sign, bool above_threshold) {
        const double p = sigmoid(x), root = std::sqrt(p * (1 - p));
        value.log_likelihood += log_sigmoid(x);
        value.gradient[argument] += sign * (1 - p);
        if (above_threshold && learns_threshold_) {
            value.gradient[last] -= 1 - p;
            value.root.push_back({{argument, sign * root}, {last, -root}});
        } else {
            value.root.push_back({{argument, sign * root}});
        }
    };
    for (const Term& term : terms_) {
        const double x = v[term.first];
        switch (term.form) {
            case Form::preference:
                add_choice(x - term.offset - eta, term.first, 1, true);
                break;
            case Form::absolute:
                add_choice(term.sign * (x - term.offset), term.first, term.sign, false);
                break;
            case Form::threshold_tie:
                add_choice(x - eta, term.first, 1, true);
                add_choice(-x - eta, term.first, -1, true);
                break;
            case Form::half_tie: {
                const double p = sigmoid(x);
                value.log_likelihood += (log_sigmoid(x) + log_sigmoid(-x)) / 2;
                value.gradient[term.first] += 0.5 - p;
                value.root.push_back({{term.first, std::sqrt(p * (1 - p))}});
                break;
            }
            case Form::ranking:
                add_ranking(term, v, value);
                break;
        }
    }
    if (ties_ > 0) {
        value.log_likelihood += ties_ * std::log(std::expm1(2 * eta));
    }
    if (learns_threshold_) {
        value.gradient[last] -= ties_ * 2 / std::expm1(-2 * eta);  // 2 / (1 - e^(-2 eta)) each
        value.root.push_back({{last, std::sqrt(ties_) / std::sinh(eta)}});
    }
    return value;
}

// The curvature of a place's factor is diag(p) - p p^T over those not yet placed; the last reply's utility is
// the arguments' zero, so its row and column fall away and what remains has a Cholesky factor L, whose
// transpose is the root.
void RewardLikelihood::add_ranking(const Term& term, std::span<const double> v, Value& value) const {
    const int n = term.size;
    std::vector<double> curvature(n * n, 0), p(n);
    const auto utility = [&](int i) { return i < n ? v[term.first + i] : 0.0; };
    for (int place = 0; place < term.places; ++place) {
        double highest = 0, sum = 0;
        for (int i = place; i < n; ++i) {
            highest = std::max(highest, utility(i));
        }
        for (int i = place; i <= n; ++i) {
            sum += std::exp(utility(i) - highest);
        }
        value.log_likelihood += utility(place) - highest - std::log(sum);
        value.gradient[term.first + place] += 1;
        for (int i = place; i < n; ++i) {
            p[i] = std::exp(utility(i) - highest) / sum;
            value.gradient[term.first + i] -= p[i];
        }
        for (int i = place; i < n; ++i) {
            for (int j = place; j < n; ++j) {
                curvature[i * n + j] += (i == j ? p[i] : 0) - p[i] * p[j];
            }
        }
    }
    std::vector<double> lower(n * n, 0);
    for (int j = 0; j < n; ++j) {
        for (int i = j; i < n; ++i) {
            double rest = curvature[i * n + j];
            for (int k = 0; k < j; ++k) {
                rest -= lower[i * n + k] * lower[j * n + k];
            }
            if (i == j) {
                lower[j * n + j] = std::sqrt(std::max(rest, 0.0));  // rounding may leave less than nothing
            } else {
                lower[i * n + j] = lower[j * n + j] > 0 ? rest / lower[j * n + j] : 0;
            }
        }
    }
    for (int j = 0; j < n; ++j) {
        RootRow row;
        for (int i = j; i < n; ++i) {
            row.emplace_back(term.first + i, lower[i * n + j]);
        }
        value.root.push_back(std::move(row));
    }
}

}  // namespace plumbline
