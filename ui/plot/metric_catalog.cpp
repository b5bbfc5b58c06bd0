#include "ui/plot/metric_catalog.h"

#include <algorithm>

namespace plumbline::ui {

const std::vector<MetricInfo>& metric_catalog() {
    static const std::vector<MetricInfo> catalog = [] {
        const QString reward_model = QStringLiteral("Reward model");
        const QString objective = QStringLiteral("Reward and KL");
        const QString policy = QStringLiteral("Policy loss");
        const QString implicit = QStringLiteral("Implicit reward");
        const QString logps = QStringLiteral("Log-probs");
        constexpr MetricOver labels = MetricOver::labels;
        constexpr MetricOver steps = MetricOver::policy_steps;
        return std::vector<MetricInfo>{
            {"reward/accuracy", "Held-out accuracy", "held-out acc.", reward_model, labels, 2},
            {"reward/loss", "Reward model loss", "loss", reward_model, labels, 2},
            {"reward/fit_loss", "Loss on learned labels", "fit loss", reward_model, labels, 2},
            {"reward/margin", "Reward margin", "margin", reward_model, labels, 2},
            {"objective/score", "Reward of samples", "reward", objective, steps, 2},
            {"objective/kl", "KL from the reference", "KL", objective, steps, 2},
            {"loss/policy", "Policy loss", "loss", policy, steps, 2},
            {"rewards/margin", "Implicit reward margin", "margin", implicit, steps, 2},
            {"rewards/accuracy", "Implicit accuracy", "accuracy", implicit, steps, 2},
            {"logps/chosen", "Log-probability of chosen", "chosen", logps, steps, 1},
            {"logps/rejected", "Log-probability of rejected", "rejected", logps, steps, 1},
            {"tokens/response_length", "Reply length", "tokens", "Reply length", steps, 1},
            {"tokens/eos_rate", "Replies that ended", "ended", "Replies that ended", steps, 2},
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
    const MetricOver over = name.starts_with("reward/") ? MetricOver::labels : MetricOver::policy_steps;
    return {name, text, text, text, over, 2};
}

}  // namespace plumbline::ui
