#pragma once
// Opened models for tests of the tensor side: the golden tiny Llama, SmolLM2, and gradients by finite differences.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "core/model/language_model.h"
#include "tests/support/golden_file.h"

namespace plumbline::testing {

inline const Pulse still{};

/// tests/golden/tiny_llama.gguf, opened once a process, one thread.
inline const LanguageModel& golden_model() {
    at::set_num_threads(1);
    static const auto model = LanguageModel::open(golden_path("tiny_llama.gguf").string(), Precision::f32, still, {});
    return *model;
}

inline Sequence golden_sequence(const nlohmann::json& row) {
    Sequence out{row.at("prompt_ids").get<std::vector<int>>(), 0};
    out.prompt_length = static_cast<int>(out.ids.size());
    for (const int id : row.at("response_ids")) {
        out.ids.push_back(id);
    }
    return out;
}

/// Compares autograd's gradient of f at x (double, requires_grad) with central differences, entry by entry.
inline void expect_gradient(const std::function<at::Tensor(const at::Tensor&)>& f, const at::Tensor& x, double tolerance) {
    const at::Tensor leaf = x.detach().clone().requires_grad_(true);
    f(leaf).sum().backward();
    const at::Tensor gradient = leaf.grad().reshape({-1});
    const double h = 1e-5;
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        at::Tensor up = x.detach().clone(), down = x.detach().clone();
        up.view({-1})[i] += h;
        down.view({-1})[i] -= h;
        const double numeric = (f(up).sum() - f(down).sum()).item<double>() / (2 * h);
        EXPECT_NEAR(gradient[i].item<double>(), numeric, tolerance) << "entry " << i;
    }
}

}  // namespace plumbline::testing
