#include "ui/panels/verdict_strip.h"

#include <QAccessible>
#include <QPainter>
#include <algorithm>

#include "ui/controls/figures.h"
#include "ui/panels/candidate_card.h"

namespace plumbline::ui {

namespace {

constexpr int fade_milliseconds = 1200;
constexpr int line_height = 22;
constexpr int padding = 12;
constexpr int part_gap = 25;  // with the line between two parts in its middle

QColor blend(const QColor& from, const QColor& to, double t) {
    const auto mix = [t](int a, int b) { return int(a + (b - a) * t + 0.5); };
    return {mix(from.red(), to.red()), mix(from.green(), to.green()), mix(from.blue(), to.blue())};
}

QString from_to(double before, double after) {
    return QStringLiteral("%1 → %2").arg(before, 0, 'f', 2).arg(after, 0, 'f', 2);
}

}  // namespace

VerdictStrip::VerdictStrip(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent)
    : QWidget(parent), bridge_(bridge), state_(state), theme_(theme) {
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Minimum);  // two lines when one is full
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    animation_.setDuration(fade_milliseconds);
    animation_.setStartValue(0.0);
    animation_.setEndValue(1.0);
    connect(&animation_, &QVariantAnimation::valueChanged, this, [this](const QVariant& value) {
        fade_ = value.toDouble();
        update();
    });
    connect(&theme, &Theme::changed, this, qOverload<>(&QWidget::update));
    connect(&state, &SessionState::phase_changed, this, [this] {
        if (state_.phase() == Phase::saving) {
            pair_ = state_.pair();
            light_up();
            say(tr("Saving…"));
        } else {
            ask();
        }
    });
    connect(&state, &SessionState::opened, this, [this] {
        label_id_ = 0;
        fade_ = 1;
        say(tr("Replies are being written."));
    });
    connect(&bridge, &EngineBridge::posted, this, [this](const Command& command) {
        if (std::holds_alternative<Undo>(command)) {
            light_up();
            say(tr("Taking the last answer back…"));
        }
    });
    connect(&bridge, &EngineBridge::label_recorded, this, &VerdictStrip::recorded);
    connect(&bridge, &EngineBridge::reward_fitted, this, &VerdictStrip::fitted);
    connect(&bridge, &EngineBridge::policy_stepped, this, &VerdictStrip::stepped);
    connect(&bridge, &EngineBridge::click_done, this, &VerdictStrip::done);
    connect(&bridge, &EngineBridge::training_halted, this, &VerdictStrip::halted);
    connect(&bridge, &EngineBridge::undone, this, [this](const Undone& undone) {
        label_id_ = undone.label_id;
        light_up();
        const QString words = QString::fromStdString(undone.row.text);
        parts_ = {{tr("Undone: %1").arg(words), {}, true},
                  {tr("Labels"), QString::number(undone.labels), false},
                  {tr("Policy at step"), QString::number(undone.policy_steps), false}};
        hint_.clear();
        done_ = true;
        updateGeometry();
        update();
        fade();
    });
}

void VerdictStrip::ask() {
    if (label_id_ == 0 && state_.phase() == Phase::choosing) {
        say(question());
    } else if (label_id_ == 0 && state_.phase() == Phase::streaming) {
        say(tr("Replies are being written."));
    }
}

void VerdictStrip::set_ranking(bool ranking) {
    ranking_ = ranking;
    ask();
}

void VerdictStrip::say(const QString& hint) {
    hint_ = hint;
    parts_.clear();
    setAccessibleName(hint);
    setToolTip({});
    updateGeometry();
    update();
}

void VerdictStrip::recorded(const LabelRecorded& recorded) {
    label_id_ = recorded.label_id;
    choice_ = recorded.choice;
    verdict_ = QString::fromStdString(recorded.row.text);
    fit_.reset();
    steps_ = 0;
    note_.clear();
    halted_ = false;
    done_ = choice_ == Choice::skip;  // nothing is learned from it
    light_up();
    compose();
    if (done_) {
        fade();
    }
}

void VerdictStrip::fitted(const RewardFitted& fitted) {
    if (fitted.label_id == label_id_) {
        fit_ = fitted;
        compose();
    }
}

void VerdictStrip::stepped(const PolicyStepped& stepped) {
    if (stepped.label_id == label_id_) {
        ++steps_;
        note_ = QString::fromStdString(stepped.note);
        compose();
    }
}

void VerdictStrip::done(const ClickDone& done) {
    if (done.label_id == label_id_) {
        done_ = true;
        compose();
        fade();
    }
}

void VerdictStrip::halted(const TrainingHalted& halted) {
    if (halted.label_id == label_id_) {
        halted_ = true;
        done_ = true;
        compose();
        fade();
    }
}

QString VerdictStrip::question() const {
    const int shown = state_.pair() ? 2 + int(state_.pair()->more.size()) : 2;
    if (shown > 2 && ranking_) {
        return tr("Which reply is best, which next? Press their numbers in order, then Enter; some may be left out.");
    }
    return shown == 2
               ? tr("Which reply is better? Press 1 or ← for A, 2 or → for B, ↓ if they are equally good.")
               : tr("Which reply is best? Press its number, 1 to %1, or 0 if none is any good.").arg(shown);
}

QString VerdictStrip::rewards() const {
    if (!pair_ || pair_->more.empty()) {
        return QStringLiteral("A %1, B %2")
            .arg(signed_number(fit_->left_reward), signed_number(fit_->right_reward));
    }
    QStringList words;
    const auto add = [&](const Candidate& reply) {
        if (reply.reward) {
            words.append(letter_of(int(words.size())) + QLatin1Char(' ') + signed_number(*reply.reward));
        }
    };
    add(pair_->left);
    add(pair_->right);
    std::for_each(pair_->more.begin(), pair_->more.end(), add);
    return words.join(QStringLiteral(", "));
}

void VerdictStrip::compose() {
    hint_.clear();
    parts_ = {{verdict_, {}, true}};
    if (fit_) {
        parts_.push_back({tr("Reward model loss"), from_to(fit_->loss_before, fit_->loss_after), false});
    }
    const bool off = state_.config().live.steps_per_click == 0;
    if (halted_) {
        parts_.push_back({tr("Training stopped, the weights are as before"), {}, false});
    } else if (steps_ > 0) {
        parts_.push_back(
            {tr("Policy"), QStringLiteral("+%1").arg(counted(steps_, tr("step"), tr("steps"))), false});
    } else if (!done_ && choice_ != Choice::skip) {
        parts_.push_back({bridge_.snapshot().training_paused ? tr("Training is paused, the answer waits")
                          : off && fit_                      ? tr("Policy steps are off")
                          : fit_                             ? tr("Policy is training…")
                                                             : tr("Training…"),
                          {},
                          false});
    } else if (fit_ && !off) {
        parts_.push_back({tr("The policy learns nothing from it"), {}, false});
    }
    // Of other answers there is no one probability.
    if (fit_ && is_preference(choice_) && fit_->probability_before && fit_->probability_after) {
        parts_.push_back(
            {tr("P(your choice)"), from_to(*fit_->probability_before, *fit_->probability_after), false});
    }
    // Before the first fit the reward model has no opinion.
    if (fit_ && choice_ != Choice::skip && fit_->labels > 1) {
        if (const QString told = rewards(); !told.isEmpty()) {
            parts_.push_back({tr("Rewards were"), told, false});
        }
    }
    if (!note_.isEmpty()) {
        parts_.push_back({note_, {}, false});
    }
    setAccessibleName(text());
    setToolTip(text());
    updateGeometry();
    update();
    if (done_) {
        QAccessibleEvent told(this, QAccessible::NameChanged);
        QAccessible::updateAccessibility(&told);
    }
}

void VerdictStrip::light_up() {
    animation_.stop();
    fade_ = 0;
    update();
}

void VerdictStrip::fade() {
    if (theme_.animations()) {
        animation_.start();
    } else {
        fade_ = 1;
        update();
    }
}

QString VerdictStrip::text() const {
    if (!hint_.isEmpty()) {
        return hint_;
    }
    QStringList words;
    for (const Part& part : parts_) {
        words.append(part.value.isEmpty() ? part.label : part.label + QLatin1Char(' ') + part.value);
    }
    return words.join(QStringLiteral(" | "));
}

int VerdictStrip::heightForWidth(int width) const {
    return layout(width, nullptr);
}

int VerdictStrip::layout(int width, QPainter* painter) const {
    const QFont plain = theme_.font(TextSize::secondary);
    const QFont strong = theme_.font(TextSize::secondary, 600);
    const QFont mono = theme_.mono(TextSize::secondary, 500);
    const auto part_width = [&](const Part& part) {
        const int label = QFontMetrics(part.strong ? strong : plain).horizontalAdvance(part.label);
        return part.value.isEmpty() ? label : label + 6 + QFontMetrics(mono).horizontalAdvance(part.value);
    };
    int lines = 1;
    int x = padding;
    for (const Part& part : parts_) {
        const int needed = part_width(part);
        if (x > padding && x + needed > width - padding) {
            ++lines;
            x = padding;
        }
        x += needed + part_gap;
    }
    const int full = lines == 1 ? 40 : lines * line_height + 14;
    if (!painter) {
        return full;
    }
    x = padding;
    int y = (height() - lines * line_height) / 2;
    for (const Part& part : parts_) {
        const int needed = part_width(part);
        if (x > padding && x + needed > width - padding) {
            x = padding;
            y += line_height;
        } else if (x > padding) {
            painter->fillRect(x - part_gap / 2 - 1, y + 3, 1, line_height - 6,
                              theme_.color(Tone::selection_border));
        }
        const QRect line(x, y, width - padding - x, line_height);
        painter->setPen(theme_.color(Tone::text));
        painter->setFont(part.strong ? strong : plain);
        painter->drawText(line, Qt::AlignVCenter | Qt::AlignLeft, part.label);
        if (!part.value.isEmpty()) {
            const int label = QFontMetrics(plain).horizontalAdvance(part.label) + 6;
            painter->setFont(mono);
            painter->drawText(line.adjusted(label, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, part.value);
        }
        x += needed + part_gap;
    }
    return full;
}

void VerdictStrip::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(blend(theme_.color(Tone::selection_border), theme_.color(Tone::line), fade_));
    painter.setBrush(blend(theme_.color(Tone::selection), theme_.color(Tone::panel), fade_));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    painter.setRenderHint(QPainter::Antialiasing, false);
    if (!hint_.isEmpty()) {
        painter.setFont(theme_.font(TextSize::secondary));
        painter.setPen(theme_.color(Tone::secondary));
        painter.drawText(rect().adjusted(padding, 0, -padding, 0), Qt::AlignVCenter | Qt::AlignLeft,
                         painter.fontMetrics().elidedText(hint_, Qt::ElideRight, width() - 2 * padding));
        return;
    }
    layout(width(), &painter);
}

}  // namespace plumbline::ui
