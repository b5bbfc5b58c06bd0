// The stage that trains a reward model, LoRA and scalar head, on what people preferred.

#include <algorithm>
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/api/errors.h"
#include "core/lab/offline_data.h"
#include "core/lab/offline_policy.h"
#include "core/lab/offline_stage.h"
#include "core/sampling/generator.h"
#include "core/training/reward_model.h"
#include "core/training/passes.h"

namespace plumbline {

namespace {

RewardModel start_reward_model(const RewardConfig& config, const TrainRequest& request,
                               const OpenedModel& opened) {
    const DecoderConfig& model = opened.model->decoder().config();
    const at::Device device = opened.model->decoder().device();
    return request.init_adapter.empty() ? RewardModel::fresh(model, config, config.seed, device)
                                        : RewardModel::read(model, request.init_adapter, device);
}

class RewardStage : public TrainingStage {
  public:
    RewardStage(const RewardConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : TrainingStage(config),
          config_(config),
          opened_(opened),
          model_(start_reward_model(config, request, opened)) {
        const Feedback data = read_feedback(request.data);
        skipped_ = data.skipped;
        std::vector<NumberedRow> rows;
        for (const FeedbackRow& row : data.rows) {
            std::visit([&](const auto& kind) { rows.push_back({kind.line, &row}); }, row);
        }
        use_rows(rows, request.data, skipped_,
                 [&](const NumberedRow& row) { rows_.push_back(reward_row(*row.row)); });
        const bool any_tie =
            std::any_of(rows_.begin(), rows_.end(), [](const RewardRow& row) { return row.tie; });
        settings_ = {config.center, any_tie ? config.tie_threshold : 1};
        model_.require_grad(true);
        train(model_.tensors(), model_.tensor_names());
    }

    std::size_t rows() const override { return rows_.size(); }
    std::int64_t graph_rows() const override {
        std::int64_t most = 0;
        for (const RewardRow& row : rows_) {
            most = std::max(most, tokens_of(row));
        }
        return most_rows_of_a_pass(most, static_cast<std::int64_t>(rows_.size()));
    }
    void write(const std::filesystem::path& out) const override {
        RewardModel written = model_;
        if (config_.normalise > 0) {
            at::NoGradGuard no_grad;
            written.head = model_.head.detach().clone();
            written.normalise(sample_rewards());
        }
        written.write(out, opened_.model->info().name);
    }

  protected:
    Metrics add_gradients(const Batch& batch) override {
        std::vector<RewardRow> rows;
        for (const std::size_t row : batch) {
            rows.push_back(rows_[row]);
        }
        return reward_gradients(opened_.model->decoder(), model_, rows, settings_, opened_.pulse);
    }

  private:
    struct NumberedRow {
        int line = 0;
        const FeedbackRow* row = nullptr;
    };

    RewardRow reward_row(const FeedbackRow& row) const {
        RewardRow out;
        const auto add = [&](const PromptPart& prompt, const std::string& reply) {
            out.replies.push_back(row_sequence(opened_, prompt, reply, config_.max_length));
        };
        if (const auto* pair = std::get_if<PreferenceRow>(&row)) {
            add(pair->prompt, pair->chosen);
            add(pair->prompt, pair->rejected);
            out.tie = pair->tie;
            out.margin = config_.use_margins && !pair->tie ? pair->margin : 0;
        } else if (const auto* ranking = std::get_if<RankingRow>(&row)) {
            for (const std::string& reply : ranking->replies) {
                add(ranking->prompt, reply);
            }
            out.ranked = ranking->ranked;
        } else {
            throw Error("read reply", "a single labelled reply is compared with none; use it in `train kto`");
        }
        return out;
    }

    /// What the model gives now to replies that the untrained policy writes to the data's prompts.
    std::vector<double> sample_rewards() const {
        constexpr int rows_a_batch = 16;
        const Decoder& decoder = opened_.model->decoder();
        std::vector<double> rewards;
        for (int drawn = 0; drawn < config_.normalise; drawn += rows_a_batch) {
            std::vector<GenerationPrompt> prompts;
            for (int i = drawn; i < std::min(config_.normalise, drawn + rows_a_batch); ++i) {
                const Sequence& row = rows_[static_cast<std::size_t>(i) % rows_.size()].replies.front();
                prompts.push_back(
                    {{row.ids.begin(), row.ids.begin() + row.prompt_length}, static_cast<std::uint32_t>(i)});
                opened_.model->require_room(prompts.back().ids.size(), config_.normalise_tokens);
            }
            GenerationRequest request;
            request.prompts = prompts;
            request.sampling.temperature = 1;
            request.sampling.top_p = 1;
            request.sampling.max_new_tokens = config_.normalise_tokens;
            request.seed = config_.seed;
            request.stream = static_cast<std::uint32_t>(Use::rollouts);
            request.ends = opened_.model->ends();
            for (const Reply& reply : generate_replies(decoder, nullptr, request, opened_.pulse)) {
                const Sequence sequence =
                    join(prompts[static_cast<std::size_t>(reply.prompt)].ids, reply.ids);
                rewards.push_back(
                    token_rewards(decoder, model_, pack({&sequence, 1}), opened_.pulse)[-1].item<double>());
            }
        }
        return rewards;
    }

    const RewardConfig config_;
    const OpenedModel& opened_;
    RewardModel model_;
    RewardLossSettings settings_;
    std::vector<RewardRow> rows_;
};

}  // namespace

std::unique_ptr<TrainingStage> make_reward_stage(const TrainRequest& request, const OpenedModel& opened) {
    const auto* config = std::get_if<RewardConfig>(&request.config);
    return config ? std::make_unique<RewardStage>(*config, request, opened) : nullptr;
}

}  // namespace plumbline
