#include "ui/panels/compare_panel.h"

#include <QAction>
#include <QComboBox>
#include <QHBoxLayout>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "ui/controls/key_button.h"
#include "ui/controls/segmented.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/candidate_grid.h"
#include "ui/panels/prompt_bar.h"
#include "ui/panels/sampling_settings.h"
#include "ui/panels/verdict_row.h"
#include "ui/panels/verdict_strip.h"

namespace plumbline::ui {

namespace {

constexpr int focus_room =
    4;  // px around the cards, for the ring of their area; the rows align with the cards

QHBoxLayout* inset(QWidget* row) {
    auto* box = new QHBoxLayout;
    box->setContentsMargins(focus_room, 0, focus_room, 0);
    box->addWidget(row);
    return box;
}

}  // namespace

ComparePanel::ComparePanel(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent)
    : Surface(theme, Tone::canvas, Edge::none, parent), bridge_(bridge), state_(state) {
    build(theme);
    build_actions();
    connect(&state, &SessionState::phase_changed, this, &ComparePanel::refresh);
    connect(&state, &SessionState::history_changed, this, &ComparePanel::refresh);
    connect(&state, &SessionState::config_changed, this, &ComparePanel::refresh);
    connect(&state, &SessionState::prompts_changed, this, &ComparePanel::refresh);
    connect(&state, &SessionState::opened, this, [this] {
        back_to_work();
        shown_pair_ = 0;
        last_asked_.reset();
        forget_ranks();
        cards_->show_nothing({});
    });
    connect(&bridge, &EngineBridge::sampling_started, this, [this](const SamplingStarted& started) {
        forget_problem();
        cards_->begin(started.max_new_tokens);
    });
    connect(&bridge, &EngineBridge::tokens_streamed, this, [this](const TokensStreamed& streamed) {
        if (state_.phase() == Phase::streaming) {
            cards_->append(streamed);
        }
    });
    connect(&bridge, &EngineBridge::sampling_stopped, this,
            [this] { cards_->show_nothing(tr("Stopped. Press R to sample again.")); });
    connect(&bridge, &EngineBridge::label_recorded, this, &ComparePanel::forget_problem);
    connect(&bridge, &EngineBridge::posted, this, [this](const Command& command) {
        if (std::holds_alternative<Vote>(command) || std::holds_alternative<Undo>(command) ||
            std::holds_alternative<SampleAgain>(command) || std::holds_alternative<GoToPrompt>(command) ||
            std::holds_alternative<AddPrompts>(command)) {
            last_asked_ = command;
        } else {
            last_asked_.reset();
        }
        const auto* pause = std::get_if<PauseTraining>(&command);
        if (pause && !pause->paused) {
            back_to_work();
        }
    });
    connect(&bridge, &EngineBridge::command_failed, this, [this](const CommandFailed& problem) {
        if (problem.message != "stopped") {  // by the person, who knows
            failed(QString::fromStdString(problem.message), last_asked_.has_value());
        }
    });
    connect(&bridge, &EngineBridge::job_ended, this, [this](const JobEnded& ended) {
        if (ended.end == JobEnd::failed && !ended.message.empty()) {
            failed(QString::fromStdString(ended.message), state_.phase() == Phase::waiting);
        }
    });
    connect(&bridge, &EngineBridge::training_halted, this,
            [this](const TrainingHalted& e) { halted(QString::fromStdString(e.message)); });
    connect(notice_, &Notice::told, strip_, &QWidget::hide);  // it stands in the strip's place
    connect(notice_, &Notice::dismissed, this, &ComparePanel::back_to_work);
    refresh();
}

void ComparePanel::build(const Theme& theme) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 16, 12, 16);
    column->setSpacing(0);
    prompt_bar_ = new PromptBar(bridge_, state_, theme);
    column->addLayout(inset(prompt_bar_));
    column->addSpacing(8);
    settings_ = new SamplingSettings(bridge_, state_, theme);
    column->addLayout(inset(settings_));
    column->addSpacing(8);

    cards_ = new CandidateGrid(theme);
    column->addWidget(cards_, 1);
    column->addSpacing(12);
    verdicts_ = new VerdictRow(theme);
    column->addLayout(inset(verdicts_));
    column->addSpacing(16);

    strip_ = new VerdictStrip(bridge_, state_, theme);
    notice_ = new Notice(theme);
    column->addLayout(inset(strip_));
    column->addLayout(inset(notice_));

    QList<QWidget*> order;
    order << prompt_bar_->line() << prompt_bar_->previous() << prompt_bar_->next();
    order += settings_->controls();
    order << cards_;
    order += cards_->buttons() + verdicts_->controls();
    for (qsizetype i = 0; i + 1 < order.size(); ++i) {
        setTabOrder(order[i], order[i + 1]);
    }
}

void ComparePanel::build_actions() {
    const auto make = [this](const QString& text, const QList<QKeySequence>& keys, auto&& act) {
        auto* action = new QAction(text, this);
        action->setShortcuts(keys);
        action->setShortcutContext(Qt::WindowShortcut);
        action->setAutoRepeat(false);  // a held key is one answer
        connect(action, &QAction::triggered, this, act);
        addAction(action);
        return action;
    };
    for (int place = 0; place < CandidateGrid::most; ++place) {
        choose_[std::size_t(place)] = make({}, {}, [this, place] { choose(place); });
    }
    const QString words[] = {tr("Slightly better"), tr("Clearly better"), tr("Much better")};
    const Qt::Key keys[] = {Qt::Key_Q, Qt::Key_W, Qt::Key_E};
    for (std::size_t i = 0; i < strengths_.size(); ++i) {
        strengths_[i] = make(words[i], {keys[i]}, [this, i] { set_strength(static_cast<Strength>(i)); });
        strengths_[i]->setCheckable(true);
        strengths_[i]->setToolTip(tr("How much better the reply is that you choose next"));
    }
    tie_ = make(tr("&Tie"), {Qt::Key_Down}, [this] { vote({Choice::tie}); });
    bad_ = make(tr("All &bad"), {Qt::Key_0}, [this] { vote_bad(); });
    rank_ = make(tr("Ran&k the replies"), {}, [this] { set_ranking(!ranking_); });
    rank_->setCheckable(true);
    record_ = make(tr("Record the ranks"), {Qt::Key_Return, Qt::Key_Enter}, [this] {
        vote({Choice::ranking, Strength::clear, places_});
    });
    take_rank_ = make(tr("Take the last rank back"), {Qt::Key_Backspace}, [this] {
        places_.pop_back();
        refresh();
    });
    skip_ = make(tr("&Skip this pair"), {Qt::Key_S}, [this] { vote({Choice::skip}); });
    again_ = make(tr("Sample again"), {Qt::Key_R}, [this] { bridge_.post(SampleAgain{}); });
    previous_ = make(tr("Previous prompt"), {QKeySequence(Qt::ALT | Qt::Key_Left)},
                     [this] { prompt_bar_->step(-1); });
    next_ =
        make(tr("Next prompt"), {QKeySequence(Qt::ALT | Qt::Key_Right)}, [this] { prompt_bar_->step(1); });
    undo_ = make(tr("&Undo the last answer"), {QKeySequence(QKeySequence::Undo)}, [this] { undo(); });

    connect(cards_, &CandidateGrid::chosen, this, &ComparePanel::choose);
    connect(&verdicts_->strength(), &Segmented::chosen, this,
            [this](int index) { set_strength(static_cast<Strength>(index)); });
    connect(&verdicts_->mode(), &Segmented::chosen, this, [this](int index) { set_ranking(index == 1); });
    connect(&verdicts_->tie(), &QPushButton::clicked, tie_, &QAction::trigger);
    connect(&verdicts_->bad(), &QPushButton::clicked, bad_, &QAction::trigger);
    connect(&verdicts_->record(), &QPushButton::clicked, record_, &QAction::trigger);
    connect(&verdicts_->skip(), &QPushButton::clicked, skip_, &QAction::trigger);
    connect(&verdicts_->undo(), &QPushButton::clicked, undo_, &QAction::trigger);
    connect(settings_->again(), &QPushButton::clicked, again_, &QAction::trigger);
}

QList<QAction*> ComparePanel::actions_for_menu() const {
    QList<QAction*> out(choose_.begin(), choose_.end());
    out += QList<QAction*>(strengths_.begin(), strengths_.end());
    return out << tie_ << bad_ << rank_ << record_ << take_rank_ << skip_ << again_ << previous_ << next_
               << undo_;
}

CandidateCard& ComparePanel::card_a() const {
    return cards_->card(0);
}
CandidateCard& ComparePanel::card_b() const {
    return cards_->card(1);
}
KeyButton& ComparePanel::tie_button() const {
    return verdicts_->tie();
}
KeyButton& ComparePanel::skip_button() const {
    return verdicts_->skip();
}
KeyButton& ComparePanel::undo_button() const {
    return verdicts_->undo();
}

void ComparePanel::focus_cards() {
    cards_->setFocus(Qt::OtherFocusReason);
}

void ComparePanel::choose(int place) {
    if (!choosing()) {
        return;
    }
    if (cards_->count() == 2) {
        vote({place == 0 ? Choice::left : Choice::right, strength_});
    } else if (!ranking_) {
        vote({Choice::ranking, Strength::clear, {place}});
    } else {
        const auto found = std::find(places_.begin(), places_.end(), place);
        if (found == places_.end()) {
            places_.push_back(place);
        } else {
            places_.erase(found);
        }
        refresh();
    }
}

bool ComparePanel::choosing() const {
    return state_.phase() == Phase::choosing && state_.pair() && !state_.opening();
}

void ComparePanel::vote(Verdict verdict) {
    if (choosing()) {
        focus_cards();  // a clicked button greys, and the focus would fall on a control that eats the keys
        bridge_.post(Vote{state_.pair()->id, std::move(verdict)});
    }
}

// "Both bad" is an answer about two; of more replies each is marked down by itself.
void ComparePanel::vote_bad() {
    if (cards_->count() == 2) {
        vote({Choice::both_bad});
    } else {
        vote({Choice::thumbs, Strength::clear, std::vector<int>(std::size_t(cards_->count()), -1)});
    }
}

void ComparePanel::set_strength(Strength strength) {
    strength_ = strength;
    refresh();
}

void ComparePanel::set_ranking(bool ranking) {
    ranking_ = ranking;
    places_.clear();
    strip_->set_ranking(ranking);
    refresh();
}

void ComparePanel::forget_ranks() {
    places_.clear();
    strength_ = Strength::clear;
}

void ComparePanel::undo() {
    if (state_.can_undo()) {
        focus_cards();
        back_to_work();
        bridge_.post(Undo{});
    }
}

void ComparePanel::refresh() {
    refresh_count();
    const Phase phase = state_.phase();
    if (phase == Phase::choosing && state_.pair() && state_.pair()->id != shown_pair_) {
        show_pair();
    }
    if (phase != Phase::choosing && phase != Phase::saving) {
        shown_pair_ = 0;
    }
    refresh_offers();
    refresh_access();
    cards_->set_greyed(phase != Phase::choosing && phase != Phase::streaming);
}

void ComparePanel::show_pair() {
    shown_pair_ = state_.pair()->id;
    forget_ranks();
    cards_->show_pair(*state_.pair(), state_.config().blind);
}

void ComparePanel::back_to_work() {
    halted_ = false;
    notice_->clear();
    strip_->show();
}

void ComparePanel::forget_problem() {
    if (!halted_) {
        back_to_work();
    }
}

void ComparePanel::failed(const QString& message, bool can_retry) {
    std::vector<Notice::Way> ways;
    if (message.contains(QLatin1String("out of memory")) && state_.config().sampling.candidates > 2) {
        ways.push_back({tr("Draw fewer"), [this] {
                            SessionConfig config = state_.config();
                            SamplingConfig& sampling = config.sampling;
                            sampling.candidates = std::max(2, sampling.candidates / 2);
                            sampling.shown = std::min(sampling.shown, sampling.candidates);
                            back_to_work();
                            bridge_.post(ChangeConfig{config});
                            bridge_.post(SampleAgain{});
                        }});
    }
    if (can_retry) {
        ways.push_back({tr("Retry"), [this] {
                            back_to_work();
                            bridge_.post(last_asked_ ? *last_asked_ : Command(SampleAgain{}));
                        }});
    }
    show_problem(message, std::move(ways));
}

// The weights are those of before the answer; training waits for the person, however many more answers are given.
void ComparePanel::halted(const QString& message) {
    halted_ = true;
    show_problem(message, {{tr("Undo the answer"), [this] { undo(); }},
                           {tr("Resume training"), [this] { bridge_.post(PauseTraining{false}); }}});
}

void ComparePanel::show_problem(const QString& message, std::vector<Notice::Way> ways) {
    if (!state_.open()) {
        return;
    }
    ways.push_back({tr("Show log"), [this] { Q_EMIT log_wanted(); }});
    notice_->show_problem(message, ways);
}

}  // namespace plumbline::ui
