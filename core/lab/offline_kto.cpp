// The stage that learns from single replies, good or not; a pair gives one of each.

#include <optional>

#include "core/lab/offline_data.h"
#include "core/lab/offline_policy.h"
#include "core/lab/offline_stage.h"
#include "core/training/kto.h"

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

class KtoStage : public PolicyStage {
  public:
    KtoStage(const KtoConfig& config, const TrainRequest& request, const OpenedModel& opened)
        : PolicyStage(config, config, request, opened),
          settings_{config.beta, config.desirable_weight, config.undesirable_weight, {}} {
        const Feedback data = read_feedback(request.data);
        skipped_ = data.skipped;
        use_rows(labelled_rows(data), request.data, skipped_, [&](const LabelledRow& row) {
            rows_.push_back({row_sequence(opened, row.prompt, row.reply, config.max_length), row.good, {}});
        });
    }

    std::size_t rows() const override { return rows_.size(); }
    std::int64_t graph_rows() const override { return longest_row(rows_); }

  protected:
    Metrics add_gradients(const Batch& batch) override {
        std::vector<Row*> unknown;
        std::vector<Sequence> sequences;
        for (const std::size_t i : batch) {
            if (Row& row = rows_[i]; !row.reference) {
                unknown.push_back(&row);
                sequences.push_back(row.sequence);
            }
        }
        const std::vector<double> sums = reference_sums(sequences);
        for (std::size_t i = 0; i < unknown.size(); ++i) {
            unknown[i]->reference = sums[i];
        }
        std::vector<KtoReply> replies;
        for (const std::size_t i : batch) {
            const Row& row = rows_[i];
            replies.push_back({row.sequence, {}, *row.reference, row.good});
        }
        return kto_gradients(decoder(), policy(), reference(), replies, settings_, opened().pulse);
    }

  private:
    struct Row {
        Sequence sequence;
        bool good = true;
        std::optional<double> reference;  // summed log-prob, once it was needed
    };

    const KtoSettings settings_;
    std::vector<Row> rows_;
};

}  // namespace

std::unique_ptr<TrainingStage> make_kto_stage(const TrainRequest& request, const OpenedModel& opened) {
    const auto* config = std::get_if<KtoConfig>(&request.config);
    return config ? std::make_unique<KtoStage>(*config, request, opened) : nullptr;
}

}  // namespace plumbline
