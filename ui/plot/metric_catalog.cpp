#include "ui/plot/metric_catalog.h"

#include <algorithm>

namespace plumbline::ui {

const std::vector<MetricInfo>& metric_catalog() {
    static const std::vector<MetricInfo> catalog = [] {
        const QString reward_model = QStringLiteral("Reward model");
        const QString calibration = QStringLiteral("Calibration");
        const QString objective = QStringLiteral("Reward and KL");
        const QString policy = QStringLiteral("Policy loss");
        const QString value = QStringLiteral("Value head");
        const QString ratio = QStringLiteral("Policy ratio");
        const QString implicit = QStringLiteral("Implicit reward");
        const QString logps = QStringLiteral("Log-probs");
        constexpr MetricOver labels = MetricOver::labels;
        constexpr MetricOver steps = MetricOver::policy_steps;
        return std::vector<MetricInfo>{
            {"reward/accuracy", "Held-out accuracy", "held-out acc.", reward_model, labels, 2},
            {"reward/loss", "Reward model loss, nats a label", "loss", reward_model, labels, 2},
            {"reward/fit_loss", "Loss on learned labels, nats a label", "fit loss", reward_model, labels, 2},
            {"reward/trained_loss", "Loss of the trained reward model, nats a label", "trained loss", reward_model, labels, 2},
            {"reward/trained", "Trained reward model at work, 1 or 0", "trained", reward_model, labels, 0},
            {"reward/margin", "Reward margin of the pair", "margin", reward_model, labels, 2},
            {"reward/predicted", "P(your choice), foretold", "P(choice)", calibration, labels, 2},
            {"reward/ece", "Calibration error (ECE)", "ECE", calibration, labels, 3},
            {"reward/tie_threshold", "Tie threshold (Rao-Kupper's θ)", "θ", "Tie threshold", labels, 2},
            {"objective/score", "Reward of samples", "reward", objective, steps, 2},
            {"objective/kl", "KL from the reference, nats a reply", "KL", objective, steps, 2},
            {"objective/rlhf_reward", "Reward less the KL penalty", "less KL", objective, steps, 2},
            {"objective/baseline", "Baseline of the rewards", "baseline", objective, steps, 2},
            {"objective/beta", "KL weight β, as adapted", "β", "KL weight", steps, 3},
            {"objective/entropy", "Surprise of samples, nats a reply", "surprise", "Entropy", steps, 1},
            {"loss/policy", "Policy loss", "loss", policy, steps, 2},
            {"grad_norm", "Gradient norm before clipping", "norm", "Gradient norm", steps, 3},
            {"frac_reward_zero_std", "Share of groups with equal rewards", "equal",
             "Groups that teach nothing", steps, 2},
            {"policy/approxkl", "KL of one update, nats a token", "approx. KL", "Update size", steps, 4},
            {"policy/clipfrac", "Share of clipped ratios", "clipped", ratio, steps, 3},
            {"policy/ratio", "Mean ratio to the sampling policy", "ratio", ratio, steps, 3},
            {"loss/value", "Value loss", "loss", value, steps, 3},
            {"value/explained_variance", "Explained variance of returns", "explained", value, steps, 2},
            {"value/clipfrac", "Share of clipped values", "clipped", value, steps, 3},
            {"rewards/margin", "Implicit reward margin", "margin", implicit, steps, 2},
            {"rewards/accuracy", "Implicit accuracy", "accuracy", implicit, steps, 2},
            {"rewards/chosen", "Implicit reward of chosen", "chosen", implicit, steps, 2},
            {"rewards/rejected", "Implicit reward of rejected", "rejected", implicit, steps, 2},
            {"logps/chosen", "Log-probability of chosen, nats", "chosen", logps, steps, 1},
            {"logps/rejected", "Log-probability of rejected, nats", "rejected", logps, steps, 1},
            {"tokens/response_length", "Reply length, tokens", "tokens", "Reply length", steps, 1},
            {"tokens/eos_rate", "Share of replies that ended", "ended", "Replies that ended", steps, 2},
        };
    }();
    return catalog;
}

MetricInfo metric_info(const std::string& name) {
    const std::vector<MetricInfo>& all = metric_catalog();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const MetricInfo& info) { return info.name == name; });
    if (found != all.end()) {
        return *found;
    }
    const QString text = QString::fromStdString(name);
    const bool of_labels = name.starts_with("reward/") && !name.starts_with("reward/part/");
    const MetricOver over = of_labels ? MetricOver::labels : MetricOver::policy_steps;
    return {name, text, text, text, over, 2};
}

}  // namespace plumbline::ui
