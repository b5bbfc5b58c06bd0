#include "ui/panels/event_words.h"

#include <QCoreApplication>

#include "ui/controls/figures.h"

namespace plumbline::ui {

namespace {

QString words(const std::string& text) {
    return QString::fromStdString(text);
}

QString tr(const char* text) {
    return QCoreApplication::translate("EventWords", text);
}

QString number(double value, int decimals = 2) {
    return QString::number(value, 'f', decimals);
}

QString words_for(PairChoice choice) {
    switch (choice) {
        case PairChoice::farthest:
            return tr("the most different");
        case PairChoice::uncertainty:
            return tr("the least certain");
        case PairChoice::information:
            return tr("the most telling");
        case PairChoice::margin:
            return tr("the closest rewards");
        case PairChoice::random:
            return tr("at random");
    }
    return {};
}

struct Words {
    using Line = std::optional<LogLine>;

    Line operator()(const SessionOpened& e) const {
        const QString start = e.resumed ? tr("resumed") : tr("new");
        return LogLine{QStringLiteral("session"), tr("%1, %2: %3 prompts, %4 labels, policy step %5")
                                                      .arg(start, words(e.project_path))
                                                      .arg(e.prompts.size())
                                                      .arg(e.labels)
                                                      .arg(e.policy_steps)};
    }
    Line operator()(const SessionClosed&) const { return LogLine{QStringLiteral("session"), tr("closed")}; }
    Line operator()(const PromptsChanged& e) const {
        return LogLine{QStringLiteral("session"), tr("%1 prompts in the queue").arg(e.prompts.size())};
    }
    Line operator()(const ConfigChanged& e) const {
        const SessionConfig& c = e.config;
        return LogLine{QStringLiteral("session"),
                       tr("settings: %1, rate %2, β %3, %4 a vote, %5 of %6 candidates shown, at most %7 "
                          "tokens, temperature %8, "
                          "seed %9")
                           .arg(title_of(c.live.algorithm))
                           .arg(QString::number(c.live.lr, 'g', 3))
                           .arg(number(c.live.beta))
                           .arg(counted(c.live.steps_per_click, tr("step"), tr("steps")))
                           .arg(c.sampling.shown)
                           .arg(c.sampling.candidates)
                           .arg(c.sampling.max_new_tokens)
                           .arg(number(c.sampling.temperature))
                           .arg(c.seed)};
    }
    Line operator()(const SamplingStarted& e) const {
        return LogLine{
            QStringLiteral("sample"),
            tr("prompt %1, %2 × %3 tokens").arg(e.prompt_id).arg(e.candidates).arg(e.max_new_tokens)};
    }
    Line operator()(const TokensStreamed&) const { return {}; }
    Line operator()(const PairReady& e) const {
        QStringList tokens = {QString::number(e.pair.left.tokens), QString::number(e.pair.right.tokens)};
        for (const Candidate& reply : e.pair.more) {
            tokens.append(QString::number(reply.tokens));
        }
        return LogLine{QStringLiteral("sample"),
                       tr("pair %1 for prompt %2: %3 tokens, %4 of %5 drawn, %6, policy step %7")
                           .arg(e.pair.id)
                           .arg(e.pair.prompt_id)
                           .arg(tokens.join(tr(" and ")))
                           .arg(tokens.size())
                           .arg(e.pair.drawn)
                           .arg(words_for(e.pair.chosen_by))
                           .arg(e.pair.policy_version)};
    }
    Line operator()(const SamplingStopped&) const { return LogLine{QStringLiteral("sample"), tr("stopped")}; }
    Line operator()(const LabelRecorded& e) const {
        return LogLine{QStringLiteral("vote"),
                       tr("label %1: %2, pair %3").arg(e.label_id).arg(words(e.row.text)).arg(e.pair_id)};
    }
    Line operator()(const RewardFitted& e) const {
        QString text = tr("loss %1 to %2 on %3")
                           .arg(number(e.loss_before), number(e.loss_after),
                                counted(e.labels, tr("label"), tr("labels")));
        if (e.heldout_accuracy) {
            text += tr(", held-out accuracy %1").arg(number(*e.heldout_accuracy));
        }
        return LogLine{QStringLiteral("reward"), text};
    }
    Line operator()(const PolicyStepped& e) const {
        QString text = tr("%1 step %2, loss %3, rate %4")
                           .arg(title_of(e.algorithm))
                           .arg(e.step)
                           .arg(number(e.loss, 3))
                           .arg(QString::number(e.lr, 'g', 3));
        if (!e.note.empty()) {
            text += QStringLiteral("; ") + words(e.note);
        }
        return LogLine{QStringLiteral("policy"), text, !e.note.empty()};
    }
    Line operator()(const ClickDone& e) const {
        return LogLine{QStringLiteral("vote"),
                       tr("label %1 done in %2 s, %3")
                           .arg(e.label_id)
                           .arg(number(e.seconds))
                           .arg(counted(e.policy_steps, tr("policy step"), tr("policy steps")))};
    }
    Line operator()(const Undone& e) const {
        return LogLine{QStringLiteral("vote"), tr("label %1 taken back, policy step %2, %3 stand")
                                                   .arg(e.label_id)
                                                   .arg(e.policy_steps)
                                                   .arg(counted(e.labels, tr("label"), tr("labels")))};
    }
    Line operator()(const MetricsAdded&) const { return {}; }
    Line operator()(const Evaluated& e) const {
        return LogLine{QStringLiteral("job"), tr("evaluation %1: %2 replies, KL %3 nats a reply")
                                                  .arg(words(e.tag))
                                                  .arg(e.replies.size())
                                                  .arg(number(e.kl))};
    }
    Line operator()(const JobStarted& e) const { return LogLine{QStringLiteral("job"), words(e.job)}; }
    Line operator()(const JobProgress&) const { return {}; }
    Line operator()(const JobEnded& e) const {
        switch (e.end) {
            case JobEnd::done:
                return {};  // what it brought is told by other events
            case JobEnd::stopped:
                return LogLine{QStringLiteral("job"), tr("%1: stopped").arg(words(e.job))};
            case JobEnd::failed:
                return LogLine{QStringLiteral("job"), words(e.message), true};
        }
        return {};
    }
    Line operator()(const CommandFailed& e) const {
        return LogLine{QStringLiteral("session"),
                       e.message == "stopped" ? tr("%1: stopped").arg(words(e.command)) : words(e.message),
                       e.message != "stopped"};
    }
    Line operator()(const TrainingHalted& e) const {
        return LogLine{QStringLiteral("policy"), words(e.message), true};
    }
    Line operator()(const ReplayChecked& e) const {
        return LogLine{
            QStringLiteral("session"),
            e.equal
                ? tr("replay of %1 events: equal").arg(e.events)
                : tr("replay of %1 events differs first at %2").arg(e.events).arg(words(e.first_difference)),
            !e.equal};
    }
    Line operator()(const Idle&) const { return {}; }
    Line operator()(const DataExported& e) const {
        return LogLine{QStringLiteral("session"), tr("%1 written to %2")
                                                      .arg(counted(int(e.result.rows), tr("row"), tr("rows")))
                                                      .arg(words(e.path))};
    }
    Line operator()(const ModelExported& e) const {
        return LogLine{QStringLiteral("session"),
                       tr("%1, %2, written to %3")
                           .arg(counted(e.result.tensors, tr("tensor"), tr("tensors")),
                                memory_size(static_cast<std::int64_t>(e.result.bytes)), words(e.path))};
    }
    Line operator()(const AnswersPassedOver& e) const {
        return LogLine{QStringLiteral("reward"),
                       tr("%1 not learned: %2")
                           .arg(counted(e.answers, tr("imported answer"), tr("imported answers")), words(e.why)),
                       true};
    }
    Line operator()(const AnswersImported& e) const {
        return LogLine{QStringLiteral("session"),
                       tr("%1 imported from %2, %3 skipped")
                           .arg(counted(int(e.result.rows), tr("answer"), tr("answers")))
                           .arg(words(e.path))
                           .arg(counted(int(e.result.skipped), tr("row"), tr("rows")))};
    }
};

}  // namespace

std::optional<LogLine> in_words(const EventBody& event) {
    return std::visit(Words{}, event);
}

}  // namespace plumbline::ui
