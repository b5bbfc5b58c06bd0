// What the optimisers share, plain gradient descent, and the steps of public implementations.

#include "core/training/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/training/make_optimizer.h"
#include "core/training/sgd.h"
#include "tests/support/golden_file.h"

namespace plumbline {
namespace {

using at::Tensor;

Tensor parameter(const std::vector<double>& start, at::ScalarType type = at::kDouble) {
    return at::tensor(start, type).requires_grad_(true);
}

constexpr OptimizerKind kinds[] = {OptimizerKind::adamw, OptimizerKind::sgd};

// The golden steps of one optimiser with these settings: the largest difference over all steps and weights.
double distance(OptimizerKind kind, const AdamWSettings& settings, double lr, double decay,
                const char* theirs) {
    const auto golden = testing::golden_json("losses.json").at("optimizers");
    const Tensor p = parameter(golden.at("start"));
    const auto optimizer = make_optimizer(kind, {p}, {"p"}, settings);
    double worst = 0;
    for (std::size_t i = 0; i < golden.at("gradients").size(); ++i) {
        p.mutable_grad() = at::tensor(golden.at("gradients").at(i).get<std::vector<double>>(), at::kDouble);
        optimizer->step(lr, decay, 0);
        const Tensor expected = at::tensor(golden.at(theirs).at(i).get<std::vector<double>>(), at::kDouble);
        worst = std::max(worst, (p.detach() - expected).abs().max().item<double>());
    }
    return worst;
}

struct Case {
    OptimizerKind kind;
    AdamForm form;
    const char* theirs;
    double tolerance;  // keras computes in float32
};
constexpr Case cases[] = {{OptimizerKind::sgd, AdamForm::pytorch, "sgd", 1e-14},
                          {OptimizerKind::adamw, AdamForm::pytorch, "adamw_pytorch", 1e-12},
                          {OptimizerKind::adamw, AdamForm::tensorflow, "adamw_tensorflow", 1e-6}};

TEST(Optimizers, TakeTheStepsOfPublicImplementations) {
    const auto golden = testing::golden_json("losses.json").at("optimizers");
    const double lr = golden.at("lr"), decay = golden.at("weight_decay");
    for (const Case& c : cases) {
        const AdamWSettings settings{golden.at("betas").at(0), golden.at("betas").at(1), golden.at("epsilon"),
                                     c.form};
        EXPECT_LT(distance(c.kind, settings, lr, decay, c.theirs), c.tolerance) << c.theirs;
        EXPECT_GT(distance(c.kind, settings, lr, decay + 0.01, c.theirs), c.tolerance) << c.theirs;
        EXPECT_GT(distance(c.kind, settings, lr * 1.01, decay, c.theirs), c.tolerance) << c.theirs;
        if (c.kind == OptimizerKind::adamw) {
            AdamWSettings other = settings;
            other.beta2 += 0.001;
            EXPECT_GT(distance(c.kind, other, lr, decay, c.theirs), c.tolerance) << c.theirs;
            other = settings;
            other.form = c.form == AdamForm::pytorch ? AdamForm::tensorflow : AdamForm::pytorch;
            EXPECT_GT(distance(c.kind, other, lr, decay, c.theirs), c.tolerance)
                << c.theirs << " in the other form";
        }
    }
}

// g = 1e-4, epsilon 1e-4, betas 0.9 and 0.99. pytorch: m' = v'^(1/2) = 1e-4, the step is lr / 2. tensorflow:
// m = 1e-5, sqrt(v) = 1e-5, the rate lr sqrt(0.01) / 0.1 = lr, the step lr 1e-5 / (1e-5 + 1e-4) = lr / 11.
TEST(AdamForms, DifferByWhereEpsilonStands) {
    for (const auto& [form, share] :
         {std::pair{AdamForm::pytorch, 0.5}, std::pair{AdamForm::tensorflow, 1.0 / 11}}) {
        const Tensor p = parameter({1});
        AdamW optimizer({p}, {"p"}, {0.9, 0.99, 1e-4, form});
        p.mutable_grad() = at::full({1}, 1e-4, at::kDouble);
        optimizer.step(0.1, 0, 0);
        EXPECT_NEAR(p.item<double>(), 1 - 0.1 * share, 1e-9);
        EXPECT_GT(std::abs(p.item<double>() - (1 - 0.1001 * share)), 1e-9);
    }
}

TEST(Sgd, MovesByTheGradientAndDecays) {
    const Tensor p = parameter({2, -1});
    Sgd optimizer({p}, {"p"});
    p.mutable_grad() = at::tensor({1.0, -3.0}, at::kDouble);
    EXPECT_NEAR(optimizer.step(0.1, 0.5, 0).gradient_norm, std::sqrt(10.0), 1e-12);
    EXPECT_NEAR(p[0].item<double>(), 2 * 0.95 - 0.1, 1e-12);
    EXPECT_NEAR(p[1].item<double>(), -1 * 0.95 + 0.3, 1e-12);
    EXPECT_EQ(optimizer.state().size(), 1u) << "nothing else to save";
}

TEST(Optimizers, ClipTheGlobalNorm) {
    const Tensor a = parameter({0}), b = parameter({0});
    Sgd optimizer({a, b}, {"a", "b"});
    a.mutable_grad() = at::full({1}, 3.0, at::kDouble);
    b.mutable_grad() = at::full({1}, 4.0, at::kDouble);
    EXPECT_NEAR(optimizer.step(1, 0, 1).gradient_norm, 5, 1e-12);
    EXPECT_NEAR(a.item<double>(), -0.6, 1e-6);
    EXPECT_NEAR(b.item<double>(), -0.8, 1e-6);
}

TEST(Optimizers, ANonFiniteGradientChangesNothingAndIsNamed) {
    for (const OptimizerKind kind : kinds) {
        for (const double bad : {std::numeric_limits<double>::infinity(), std::nan("")}) {
            const Tensor a = parameter({1}), b = parameter({2});
            const auto optimizer = make_optimizer(kind, {a, b}, {"first", "second"});
            a.mutable_grad() = at::ones({1}, at::kDouble);
            b.mutable_grad() = at::full({1}, bad, at::kDouble);
            try {
                optimizer->step(0.1, 0.1, 1);
                FAIL() << "it went on";
            } catch (const NonFinite& error) {
                EXPECT_NE(std::string(error.what()).find("second"), std::string::npos);
            }
            EXPECT_EQ(a.item<double>(), 1);
            EXPECT_EQ(b.item<double>(), 2);
            EXPECT_EQ(optimizer->steps(), 0);
            EXPECT_FALSE(a.grad().defined() || b.grad().defined()) << "the bad gradients are gone";
        }
    }
}

TEST(Optimizers, LeaveParametersWithoutGradientAlone) {
    for (const OptimizerKind kind : kinds) {
        const Tensor a = parameter({1}), b = parameter({2});
        const auto optimizer = make_optimizer(kind, {a, b}, {"a", "b"});
        a.mutable_grad() = at::ones({1}, at::kDouble);
        optimizer->step(0.1, 0.5, 0);
        EXPECT_LT(a.item<double>(), 1);
        EXPECT_EQ(b.item<double>(), 2) << "no decay either";
        EXPECT_EQ(optimizer->step(0.1, 0.5, 0).gradient_norm, 0) << "a step of nothing";
        EXPECT_EQ(optimizer->steps(), 2);
    }
}

// Copies of state() and steps() go on as if there had been no stop; without the step count Adam does not.
TEST(Optimizers, GoOnFromASavedState) {
    for (const Case& c : cases) {
        const AdamWSettings settings{0.9, 0.99, 1e-5, c.form};
        const auto run = [&](const std::shared_ptr<Optimizer>& optimizer, int from, int to) {
            for (int i = from; i < to; ++i) {
                Tensor p = optimizer->state()[0];
                p.mutable_grad() = (p.detach() * 0.3 + i);
                optimizer->step(0.05, 0.01, 0);
            }
            return optimizer->state()[0].detach().clone();
        };
        const auto fresh = [&] {
            return std::shared_ptr<Optimizer>(
                make_optimizer(c.kind, {parameter({1, -2}, at::kFloat)}, {"p"}, settings));
        };
        const Tensor without_stop = run(fresh(), 0, 8);
        const auto first = fresh();
        run(first, 0, 4);
        for (const bool with_count : {true, false}) {
            const auto second = fresh();
            const auto from = first->state(), to = second->state();
            ASSERT_EQ(from.size(), to.size());
            at::NoGradGuard no_grad;
            for (std::size_t i = 0; i < from.size(); ++i) {
                to[i].copy_(from[i]);
            }
            second->set_steps(with_count ? first->steps() : 0);
            const bool equal = at::equal(run(second, 4, 8), without_stop);
            EXPECT_EQ(equal, with_count || c.kind == OptimizerKind::sgd) << c.theirs;
        }
    }
}

}  // namespace
}  // namespace plumbline
