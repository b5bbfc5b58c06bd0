// The stage that learns from single replies, good or not; a pair gives one of each.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <optional>

#include "core/lab/offline_data.h"
#include "core/lab/offline_policy.h"
#include "core/lab/offline_stage.h"
#include "core/training/kto.h"
#include "core/training/policy.h"

namespace plumbline {

namespace {

/// What a row of any kind says of single replies. Both replies of a tie are left out.
std::vector<LabelledRow> labelled_rows(const Feedback& feedback) {
    std::vector<LabelledRow> out;
    for (const FeedbackRow& row : feedback.rows) {
        if (const auto* labelled = std::get_if<LabelledRow>(&row)) {
            out.push_back(*labelled);
        } else if (const auto* pair = std::get_if<PreferenceRow>(&row); pair && !pair->tie) {
            out.push_back({pair->line, pair->prompt, pair->chosen, true});
            out.push_back({pair->line, pair->prompt, pair->rejected, false});
        } else if (const auto* ranking = std::get_if<RankingRow>(&row)) {
            out.push_back({ranking->line, ranking->prompt, ranking->replies.front(), true});
            out.push_back({ranking->line, ranking->prompt, ranking->replies.back(), false});
        }
    }
    return out;
}

class KtoStage : public TrainingStage {
  public:
    KtoStage(const KtoConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : TrainingStage(config),
          request_(request),
          opened_(opened),
          settings_{config.beta, config.desirable_weight, config.undesirable_weight, {}},
          policy_(start_policy(opened, request, config, config.seed)) {
        const Feedback data = read_feedback(request.data);
        skipped_ = data.skipped;
        use_rows(labelled_rows(data), request.data, skipped_, [&](const LabelledRow& row) {
            rows_.push_back({row_sequence(opened, row.prompt, row.reply, config.max_length), row.good, {}});
        });
        train(policy_.adapter->tensors(), policy_.adapter->tensor_names());
    }

    std::size_t rows() const override { return rows_.size(); }
    void write(const std::filesystem::path& out) const override {
        write_policy(opened_, request_, *policy_.adapter, out);
    }

  protected:
    Metrics add_gradients(const Batch& batch) override {
        std::vector<KtoReply> replies;
        for (const std::size_t i : batch) {
            Row& row = rows_[i];
            if (!row.reference) {
                row.reference = reference_of(row.sequence);
            }
            replies.push_back({row.sequence, {}, *row.reference, row.good});
        }
        return kto_gradients(opened_.model->decoder(), *policy_.adapter, policy_.reference.get(), replies,
                             settings_, opened_.pulse);
    }

  private:
    struct Row {
        Sequence sequence;
        bool good = true;
        std::optional<double> reference;  // summed log-prob, once it was needed
    };

    double reference_of(const Sequence& sequence) const {
        at::NoGradGuard no_grad;
        return policy_logprobs(opened_.model->decoder(), policy_.reference.get(), pack({&sequence, 1}), {},
                               1.0, opened_.pulse)
            .sum()
            .item<double>();
    }

    const TrainRequest& request_;
    const OpenedModel& opened_;
    const KtoSettings settings_;
    const TrainedPolicy policy_;
    std::vector<Row> rows_;
};

}  // namespace

std::unique_ptr<TrainingStage> make_kto_stage(const TrainRequest& request, const OpenedModel& opened) {
    const auto* config = std::get_if<KtoConfig>(&request.config);
    return config ? std::make_unique<KtoStage>(*config, request, opened) : nullptr;
}

}  // namespace plumbline
