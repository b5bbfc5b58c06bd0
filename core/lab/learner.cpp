#include "core/lab/learner.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "core/api/errors.h"
#include "core/formats/sha256.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr double clip_norm = 1.0;
constexpr std::uint32_t state_magic = 0x31534c50;   // "PLS1"

struct StateHeader {
    std::uint32_t magic = state_magic;
    std::int32_t policy_steps = 0;
    std::int64_t optimizer_steps = 0;
    std::int64_t floats = 0;
    Learner::RewardExtent extent;
};

std::span<const std::byte> bytes_of(const Tensor& t) {
    return {reinterpret_cast<const std::byte*>(t.const_data_ptr<float>()),
            static_cast<std::size_t>(t.numel()) * sizeof(float)};
}

std::string two_decimals(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

}  // namespace

Learner::Learner(const LanguageModel& model, const SessionConfig& config)
    : decoder_(&model.decoder()),
      adapter_(new_policy(model.decoder(), config.lora, config.seed)),
      optimizer_(adapter_->tensors(), adapter_->tensor_names()) {}

// Full rate up to half of the limit, then linearly down to none at the limit; beyond it the adapter shrinks towards
// the reference, where its KL is zero.
Learner::Update Learner::brake_and_step(Metrics metrics, double lr, double kl, double limit) {
    if (!std::isfinite(kl)) {
        throw NonFinite("the KL from the reference is not finite");
    }
    const double brake = std::clamp(2 * (1 - kl / limit), 0.0, 1.0);
    Update update{std::move(metrics), lr * brake, ""};
    if (kl > limit) {
        const double factor = std::clamp(limit / kl, 0.8, 1.0);
        optimizer_.zero_grad();
        adapter_->shrink(factor);
        update.note = "KL " + two_decimals(kl) + " is over " + two_decimals(limit) + ": shrunk towards the reference by " +
                      two_decimals(factor);
    } else {
        optimizer_.step(update.lr, 0, clip_norm);
        if (brake < 1) {
            update.note = "slowed to " + two_decimals(brake) + " of the rate: KL " + two_decimals(kl) + " nears " +
                          two_decimals(limit);
        }
    }
    ++policy_steps_;
    return update;
}

Learner::Update Learner::step_dpo(std::span<const PreferencePair> pairs, const LiveConfig& config, double kl,
                                  const Pulse& pulse) {
    try {
        Metrics metrics = dpo_gradients(*decoder_, *adapter_, pairs, config.dpo_beta, pulse);
        return brake_and_step(std::move(metrics), config.dpo_lr, kl, config.kl_limit);
    } catch (...) {
        optimizer_.zero_grad();
        throw;
    }
}

Learner::Update Learner::step_rloo(std::span<const Rollout> rollouts, const LiveConfig& config, double temperature,
                                   double kl, const Pulse& pulse) {
    const RlooSettings settings{config.rloo_beta, temperature, 0.2, config.missing_eos_reward, config.rloo_group};
    try {
        Metrics metrics = rloo_gradients(*decoder_, *adapter_, rollouts, settings, pulse);
        return brake_and_step(std::move(metrics), config.rloo_lr, kl, config.kl_limit);
    } catch (...) {
        optimizer_.zero_grad();
        throw;
    }
}

std::vector<std::byte> Learner::save() const {
    StateHeader header;
    header.policy_steps = policy_steps_;
    header.extent = extent;
    header.optimizer_steps = optimizer_.steps();
    for (const Tensor& t : optimizer_.state()) {
        header.floats += t.numel();
    }
    std::vector<std::byte> out(sizeof header + static_cast<std::size_t>(header.floats) * sizeof(float));
    std::memcpy(out.data(), &header, sizeof header);
    std::size_t place = sizeof header;
    for (const Tensor& t : optimizer_.state()) {
        const auto bytes = bytes_of(t);
        std::memcpy(out.data() + place, bytes.data(), bytes.size());
        place += bytes.size();
    }
    return out;
}

void Learner::restore(std::span<const std::byte> state) {
    StateHeader header, expected;
    for (const Tensor& t : optimizer_.state()) {
        expected.floats += t.numel();
    }
    if (state.size() >= sizeof header) {
        std::memcpy(&header, state.data(), sizeof header);
    }
    if (state.size() < sizeof header || header.magic != state_magic || header.floats != expected.floats ||
        state.size() != sizeof header + static_cast<std::size_t>(header.floats) * sizeof(float)) {
        throw Error("restore checkpoint", "the state of " + std::to_string(state.size()) +
                                              " bytes does not fit this model and adapter; the project is damaged");
    }
    std::size_t place = sizeof header;
    for (const Tensor& t : optimizer_.state()) {
        const std::size_t size = static_cast<std::size_t>(t.numel()) * sizeof(float);
        std::memcpy(t.mutable_data_ptr<float>(), state.data() + place, size);
        place += size;
    }
    optimizer_.set_steps(header.optimizer_steps);
    optimizer_.zero_grad();
    policy_steps_ = header.policy_steps;
    extent = header.extent;
}

std::string Learner::weights_hash() const {
    std::vector<std::byte> all;
    for (const Tensor& t : adapter_->tensors()) {
        const auto bytes = bytes_of(t);
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return sha256(all);
}

}  // namespace plumbline
