// A learner as bytes, and back.

#include <ATen/ATen.h>

#include <cstring>

#include "core/api/errors.h"
#include "core/api/recommended.h"
#include "core/formats/sha256.h"
#include "core/lab/learner.h"
#include "core/model/full_weights.h"
#include "core/model/lora.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr std::uint32_t state_magic = 0x33534c50;   // "PLS3"
constexpr std::uint32_t older_magic = 0x32534c50;   // "PLS2": its header ends before extent.imported, which was 0

struct StateHeader {
    std::uint32_t magic = state_magic;
    std::int32_t policy_steps = 0;
    std::int32_t optimizer = 0;
    std::int32_t trained = 0;   // 1: the reward model that trains follows the floats
    std::int64_t optimizer_steps = 0, value_steps = 0;
    std::int64_t floats = 0;
    double baseline = 0;
    std::int64_t baseline_batches = 0;
    double beta_factor = 1;
    Learner::RewardExtent extent;
};

Tensor on_cpu(const Tensor& t) { return t.to(at::kCPU).contiguous(); }

/// Of a tensor that on_cpu gave.
std::span<const std::byte> bytes_of(const Tensor& t) {
    return {reinterpret_cast<const std::byte*>(t.const_data_ptr<float>()), t.nbytes()};
}

/// A state as this version writes it.
std::vector<std::byte> in_present_form(std::span<const std::byte> state) {
    std::vector<std::byte> out(state.begin(), state.end());
    std::uint32_t magic = 0;
    if (out.size() >= sizeof(StateHeader)) {
        std::memcpy(&magic, out.data(), sizeof magic);
    }
    if (magic == older_magic) {
        std::memcpy(out.data(), &state_magic, sizeof state_magic);
        constexpr std::size_t added = sizeof(Learner::RewardExtent::imported);
        out.insert(out.begin() + (sizeof(StateHeader) - added), added, std::byte{0});
    }
    return out;
}

std::int64_t count(const std::vector<Tensor>& tensors) {
    std::int64_t floats = 0;
    for (const Tensor& t : tensors) {
        floats += t.numel();
    }
    return floats;
}

[[noreturn]] void refuse(std::span<const std::byte> state) {
    throw Error("restore checkpoint", "the state of " + std::to_string(state.size()) +
                                          " bytes does not fit this model and adapter; the project is damaged");
}

StateHeader header_of(std::span<const std::byte> state) {
    StateHeader header;
    if (state.size() < sizeof header) {
        refuse(state);
    }
    std::memcpy(&header, state.data(), sizeof header);
    if (header.magic != state_magic || header.optimizer < 0 ||
        header.optimizer > static_cast<std::int32_t>(OptimizerKind::sgd)) {
        refuse(state);
    }
    return header;
}

/// `state` begins with the header and has all the floats.
void copy_floats(std::span<const std::byte> state, const std::vector<Tensor>& to) {
    std::size_t place = sizeof(StateHeader);
    for (const Tensor& t : to) {
        const std::size_t size = static_cast<std::size_t>(t.numel()) * sizeof(float);
        t.detach().copy_(at::from_blob(const_cast<std::byte*>(state.data() + place), t.sizes(), at::kFloat));
        place += size;
    }
}

}  // namespace

std::vector<Tensor> Learner::state_tensors() const {
    std::vector<Tensor> out = optimizer_->state();
    const std::vector<Tensor> value = value_optimizer_->state();
    out.insert(out.end(), value.begin(), value.end());
    return out;
}

std::vector<std::byte> Learner::save(const Pulse& pulse) const {
    const std::vector<Tensor> tensors = state_tensors();
    StateHeader header;
    header.policy_steps = policy_steps_;
    header.optimizer = static_cast<std::int32_t>(kind_);
    header.optimizer_steps = optimizer_->steps();
    header.value_steps = value_optimizer_->steps();
    header.floats = count(tensors);
    header.baseline = baseline_.mean;
    header.baseline_batches = baseline_.batches;
    header.beta_factor = beta_factor_;
    header.extent = extent;
    header.trained = trained_ ? 1 : 0;
    std::vector<std::byte> out;
    out.reserve(sizeof header + static_cast<std::size_t>(header.floats) * sizeof(float));
    const auto add = [&](std::span<const std::byte> bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
    add(std::as_bytes(std::span(&header, 1)));
    for (const Tensor& t : tensors) {
        add(bytes_of(on_cpu(t)));
        pulse();
    }
    if (trained_) {
        add(trained_->save());
    }
    return out;
}

void Learner::restore(std::span<const std::byte> saved) {
    const std::vector<std::byte> state = in_present_form(saved);
    const StateHeader header = header_of(state);
    const auto kind = static_cast<OptimizerKind>(header.optimizer);
    const auto fresh = kind == kind_ ? nullptr : make_optimizer(kind, adapter_->tensors(), adapter_->tensor_names());
    const std::vector<Tensor> moments = fresh ? fresh->state() : optimizer_->state();
    if (header.floats != count(moments) + count(value_optimizer_->state()) ||
        state.size() < sizeof header + static_cast<std::size_t>(header.floats) * sizeof(float)) {
        refuse(state);
    }
    const auto behind = std::span(state).subspan(sizeof header + static_cast<std::size_t>(header.floats) * sizeof(float));
    if (header.trained != 0 ? header.trained != 1 : !behind.empty()) {
        refuse(state);
    }
    trained_ = header.trained == 1 ? TrainedReward::restored(*decoder_, lora_, behind) : nullptr;
    use(kind);
    copy_floats(state, state_tensors());
    optimizer_->set_steps(header.optimizer_steps);
    value_optimizer_->set_steps(header.value_steps);
    zero_grad();
    baseline_.mean = header.baseline;
    baseline_.batches = header.baseline_batches;
    beta_factor_ = header.beta_factor;
    policy_steps_ = header.policy_steps;
    extent = header.extent;
}

// An optimiser's state begins with what it trains.
std::unique_ptr<Adapter> policy_of(std::span<const std::byte> saved, const DecoderConfig& model,
                                   const SessionConfig& config) {
    const std::vector<std::byte> state = in_present_form(saved);
    const StateHeader header = header_of(state);
    std::unique_ptr<Adapter> policy;
    if (trains_all_weights(config.lora, model.parameters())) {
        policy = std::make_unique<FullWeights>(FullWeights::fresh(model, config.seed));
    } else {
        policy = std::make_unique<LoraAdapter>(LoraAdapter::fresh(model, config.lora, config.seed));
    }
    const std::int64_t floats = count(policy->tensors());
    if (header.floats < floats || state.size() < sizeof header + static_cast<std::size_t>(floats) * sizeof(float)) {
        refuse(state);
    }
    copy_floats(state, policy->tensors());
    return policy;
}

std::string Learner::weights_hash(const Pulse& pulse) const {
    Sha256 hash;
    for (const Tensor& t : adapter_->tensors()) {
        hash.add(bytes_of(on_cpu(t)));
        pulse();
    }
    return hash.digest();
}

}  // namespace plumbline
