#include "core/training/reward_model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"
#include "core/formats/mapped_file.h"
#include "core/formats/peft.h"
#include "core/losses/preference.h"
#include "core/losses/ranking.h"
#include "core/training/finite.h"
#include "core/training/passes.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr const char* scale_file = "reward_scale.json";

}  // namespace

RewardModel RewardModel::fresh(const DecoderConfig& model, const LoraConfig& config, std::uint64_t seed,
                               at::Device device) {
    auto generator = at::detail::createCPUGenerator(seed ^ 0x5eed);  // apart from the adapter's numbers
    const double deviation = 1.0 / std::sqrt(static_cast<double>(model.hidden + 1));
    return {LoraAdapter::fresh(model, config, seed, device),
            at::empty({1, model.hidden}, at::kFloat).normal_(0, deviation, generator).to(device)};
}

RewardModel RewardModel::from_peft(const DecoderConfig& model, const PeftAdapter& peft, at::Device device) {
    const auto head = peft.saved.find("score.weight");
    if (head == peft.saved.end()) {
        throw Error("read adapter", "there is no reward head (score.weight); give a reward model's folder");
    }
    if (head->second.shape != std::vector<std::int64_t>{1, model.hidden}) {
        throw Error("read adapter", "score.weight does not have 1 x " + std::to_string(model.hidden) +
                                        " entries; it was made for another model");
    }
    return {LoraAdapter::from_peft(model, peft, device),
            at::from_blob(const_cast<float*>(head->second.values.data()), head->second.shape, at::kFloat)
                .clone()
                .to(device)};
}

RewardModel RewardModel::read(const DecoderConfig& model, const std::filesystem::path& folder, at::Device device) {
    RewardModel out = from_peft(model, read_peft(folder), device);
    const std::filesystem::path file = folder / scale_file;
    if (!std::filesystem::exists(file)) {
        return out;
    }
    const MappedFile mapped(file, "read adapter");
    constexpr std::size_t longest = 4096;  // bytes
    if (mapped.bytes().size() > longest) {
        throw Error("read adapter",
                    file.string() + " is too large to be a reward's scale; the file is damaged");
    }
    const auto* text = reinterpret_cast<const char*>(mapped.bytes().data());
    const auto parsed = nlohmann::json::parse(text, text + mapped.bytes().size(), nullptr, false);
    const auto bias = parsed.is_object() ? parsed.value("bias", nlohmann::json()) : nlohmann::json();
    if (!bias.is_number() || !std::isfinite(bias.get<double>())) {
        throw Error("read adapter",
                    file.string() + " does not give \"bias\" as a number; the file is damaged");
    }
    out.bias = bias.get<double>();
    return out;
}

void RewardModel::write(const std::filesystem::path& folder, const std::string& base_model) const {
    PeftAdapter peft;
    peft.base_model = base_model;
    to_peft(peft);
    write_peft(folder, peft);
    const std::filesystem::path file = folder / scale_file;
    if (bias != 0) {
        write_atomically(file, {nlohmann::json{{"bias", bias}}.dump() + "\n"}, "write adapter");
    } else {
        std::error_code gone;
        std::filesystem::remove(file, gone);
        if (gone) {
            throw Error("write adapter", file.string() + ": " + gone.message() + "; remove it");
        }
    }
}

void RewardModel::normalise(std::span<const double> rewards) {
    const auto n = static_cast<double>(rewards.size());
    double mean = 0, variance = 0;
    for (const double r : rewards) {
        mean += r / n;
    }
    for (const double r : rewards) {
        variance += (r - mean) * (r - mean) / n;
    }
    const double deviation = std::sqrt(variance);
    if (rewards.size() < 2 || !std::isfinite(deviation) || deviation < 1e-9 * (1 + std::abs(mean))) {
        throw Error("normalise reward", "the " + std::to_string(rewards.size()) +
                                            " rewards have no spread (mean " + std::to_string(mean) +
                                            ", deviation " + std::to_string(deviation) +
                                            "); score more, and different, replies");
    }
    at::NoGradGuard no_grad;
    head.div_(deviation);
    bias = (bias - mean) / deviation;
}

void RewardModel::to_peft(PeftAdapter& peft) const {
    adapter.to_peft(peft);
    peft.task_type = "SEQ_CLS";
    const Tensor plain = head.detach().to(at::kCPU).contiguous();
    peft.saved["score.weight"] = {
        plain.sizes().vec(), {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()}};
}

std::vector<Tensor> RewardModel::tensors() const {
    std::vector<Tensor> out = adapter.tensors();
    out.push_back(head);
    return out;
}

std::vector<std::string> RewardModel::tensor_names() const {
    std::vector<std::string> out = adapter.tensor_names();
    out.push_back("score.weight");
    return out;
}

void RewardModel::require_grad(bool on) {
    adapter.require_grad(on);
    head.requires_grad_(on);
}

Tensor token_rewards(const Decoder& decoder, const RewardModel& model, const PackedBatch& batch,
                     const Pulse& pulse) {
    const int first = model.adapter.first_block();
    Tensor h;
    {
        at::NoGradGuard no_grad;
        h = decoder.run(decoder.embed(batch, nullptr), batch, 0, first, nullptr, pulse);
    }
    h = decoder.run(h, batch, first, decoder.config().blocks, &model.adapter, pulse);
    const Tensor states =
        decoder.final_norm(h.index_select(0, batch.reply_rows.to(h.device())), &model.adapter);  // (M, D)
    return at::linear(states, model.head).squeeze(1) + model.bias;                               // (M)
}

std::int64_t tokens_of(const RewardRow& row) {
    std::int64_t tokens = row.replies.front().prompt_length;
    for (const Sequence& reply : row.replies) {
        tokens += reply.reply_length();
    }
    return tokens;
}

namespace {

void check(const RewardRow& row, std::size_t index, const RewardLossSettings& settings) {
    const auto refuse = [&](const std::string& what) {
        throw Error("train reward", "row " + std::to_string(index) + ": " + what);
    };
    const std::size_t n = row.replies.size();
    if (n < 2) {
        refuse("it has " + std::to_string(n) + " replies; give two or more");
    }
    for (const Sequence& reply : row.replies) {
        if (reply.reply_length() < 1) {
            refuse("a reply has no tokens; leave the row out");
        }
    }
    if (row.ranked < 1 || static_cast<std::size_t>(row.ranked) > n) {
        refuse("ranked " + std::to_string(row.ranked) + " is not 1 to " + std::to_string(n));
    }
    if (row.tie && n > 2) {
        refuse("a tie of " + std::to_string(n) + " replies; only two can tie");
    }
    if (row.tie && !(settings.tie_threshold > 1)) {
        refuse("a tie has no probability at tie_threshold " + std::to_string(settings.tie_threshold) +
               "; set it above 1");
    }
}

/// Rewards r (N) in the row's order -> (1).
Tensor row_loss(const RewardRow& row, const Tensor& r, const RewardLossSettings& settings) {
    const auto n = static_cast<double>(row.replies.size());
    if (row.tie) {
        const Tensor sum = r.sum();
        return rao_kupper_loss(r.slice(0, 0, 1), r.slice(0, 1, 2), at::zeros({1}, at::kLong),
                               settings.tie_threshold) +
               settings.center * sum.square();
    }
    if (row.replies.size() == 2) {
        return bradley_terry_loss(r.slice(0, 0, 1), r.slice(0, 1, 2),
                                  row.margin + std::log(settings.tie_threshold), settings.center);
    }
    return plackett_luce_loss(r, row.ranked).unsqueeze(0) + settings.center * (2 / n * r.sum()).square();
}

struct RewardTotals {
    double min = INFINITY, max = -INFINITY, sum = 0, replies = 0;
    double pairs = 0, right = 0, margin = 0;  // of the order that the rows state
};

void observe(const RewardRow& row, const Tensor& rewards, RewardTotals& totals) {
    const Tensor values = rewards.detach().to(at::kCPU);
    const float* r = values.const_data_ptr<float>();
    for (std::size_t i = 0; i < row.replies.size(); ++i) {
        totals.min = std::min<double>(totals.min, r[i]);
        totals.max = std::max<double>(totals.max, r[i]);
        totals.sum += r[i];
        ++totals.replies;
        for (std::size_t j = i + 1;
             !row.tie && i < static_cast<std::size_t>(row.ranked) && j < row.replies.size(); ++j) {
            ++totals.pairs;
            totals.right += r[i] > r[j];
            totals.margin += r[i] - r[j];
        }
    }
}

}  // namespace

Metrics reward_gradients(const Decoder& decoder, const RewardModel& model, std::span<const RewardRow> rows,
                         const RewardLossSettings& settings, const Pulse& pulse) {
    if (rows.empty()) {
        return {};
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        check(rows[i], i, settings);
    }
    Metrics total;
    const auto n = static_cast<double>(rows.size());
    RewardTotals totals;
    for (const std::span<const RewardRow> part : in_passes(rows, tokens_of)) {
        pulse.check();
        std::vector<Sequence> sequences;
        for (const RewardRow& row : part) {
            sequences.insert(sequences.end(), row.replies.begin(), row.replies.end());
        }
        const PackedBatch batch = pack(sequences, Prompts::shared);
        const Tensor last =
            at::tensor(std::vector<std::int64_t>(batch.reply_starts.begin() + 1, batch.reply_starts.end())) -
            1;
        const Tensor of_tokens = token_rewards(decoder, model, batch, pulse);              // (M)
        const Tensor of_replies = of_tokens.index_select(0, last.to(of_tokens.device()));  // (B)
        Tensor loss = at::zeros({}, of_replies.options());
        std::int64_t first = 0;
        for (const RewardRow& row : part) {
            const auto size = static_cast<std::int64_t>(row.replies.size());
            const Tensor rewards = of_replies.narrow(0, first, size);  // (N)
            loss = loss + row_loss(row, rewards, settings).sum() / n;
            observe(row, rewards, totals);
            first += size;
        }
        total["loss/reward"] += finite(loss.item<double>(), "the reward model's loss");
        loss.backward();
    }
    total["reward/min"] = totals.min;
    total["reward/max"] = totals.max;
    total["reward/mean"] = totals.sum / totals.replies;
    if (totals.pairs > 0) {
        total["reward/accuracy"] = totals.right / totals.pairs;
        total["reward/margin"] = totals.margin / totals.pairs;
    }
    return total;
}

Metrics reward_gradients(const Decoder& decoder, const RewardModel& model, std::span<const RewardPair> pairs,
                         double center, const Pulse& pulse) {
    std::vector<RewardRow> rows;
    for (const RewardPair& pair : pairs) {
        rows.push_back({{pair.chosen, pair.rejected}, 1, false, pair.margin});
    }
    return reward_gradients(decoder, model, rows, {center, 1}, pulse);
}

}  // namespace plumbline
