#include "ui/panels/compare_panel.h"

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/controls/availability.h"
#include "ui/controls/key_button.h"
#include "ui/controls/label.h"
#include "ui/controls/notice.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/prompt_bar.h"
#include "ui/panels/sampling_settings.h"
#include "ui/panels/verdict_strip.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

constexpr int focus_room = 4;  // px around the cards, for the ring of their area

QHBoxLayout* inset(QWidget* row) {
    auto* box = new QHBoxLayout;
    box->setContentsMargins(focus_room, 0, focus_room, 0);
    box->addWidget(row);
    return box;
}

/// Holds the focus at the start, so that it rests on neither card.
class CardArea : public QWidget {
  public:
    explicit CardArea(const Theme& theme) : theme_(theme) { setFocusPolicy(Qt::StrongFocus); }

  protected:
    void paintEvent(QPaintEvent*) override {
        if (hasFocus() && window()->testAttribute(Qt::WA_KeyboardFocusChange)) {
            QPainter painter(this);
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setPen(QPen(theme_.color(Tone::accent), 2));
            painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 10, 10);
        }
    }
    void focusInEvent(QFocusEvent*) override { update(); }
    void focusOutEvent(QFocusEvent*) override { update(); }

  private:
    const Theme& theme_;
};

QString why_no_vote(Phase phase) {
    switch (phase) {
        case Phase::closed:
        case Phase::loading:
            return ComparePanel::tr("There is no session");
        case Phase::waiting:
            return ComparePanel::tr("There is no pair to judge; sample one first");
        case Phase::streaming:
            return ComparePanel::tr("The replies are still being written");
        case Phase::saving:
            return ComparePanel::tr("Your answer is being saved");
        case Phase::choosing:
            break;
    }
    return {};
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
        notice_->clear();
        shown_pair_ = 0;
        last_asked_.reset();
        for (CandidateCard* card : cards_) {
            card->show_nothing({});
        }
    });
    connect(&bridge, &EngineBridge::sampling_started, this, &ComparePanel::stream_started);
    connect(&bridge, &EngineBridge::tokens_streamed, this, &ComparePanel::streamed);
    connect(&bridge, &EngineBridge::sampling_stopped, this, [this] {
        for (CandidateCard* card : cards_) {
            card->show_nothing(tr("Stopped. Press R to sample again."));
        }
    });
    connect(&bridge, &EngineBridge::label_recorded, notice_, &Notice::clear);
    connect(&bridge, &EngineBridge::posted, this, [this](const Command& command) {
        if (std::holds_alternative<Vote>(command) || std::holds_alternative<Undo>(command) ||
            std::holds_alternative<SampleAgain>(command) || std::holds_alternative<GoToPrompt>(command) ||
            std::holds_alternative<AddPrompts>(command)) {
            last_asked_ = command;
        } else {
            last_asked_.reset();
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
            [this](const TrainingHalted& halted) { failed(QString::fromStdString(halted.message), false); });
    connect(notice_, &Notice::dismissed, strip_, &QWidget::show);
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

    card_area_ = new CardArea(theme);
    card_area_->setAccessibleName(tr("Two replies, A and B"));
    auto* cards = new QHBoxLayout(card_area_);
    cards->setContentsMargins(focus_room, focus_room, focus_room, focus_room);
    cards->setSpacing(16);
    cards_ = {new CandidateCard(theme, CandidateCard::Side::a),
              new CandidateCard(theme, CandidateCard::Side::b)};
    cards->addWidget(cards_[0], 1);
    cards->addWidget(cards_[1], 1);
    column->addWidget(card_area_, 1);
    column->addSpacing(12);

    auto* verdicts = new QHBoxLayout;
    verdicts->setContentsMargins(focus_room, 0, focus_room, 0);
    verdicts->setSpacing(8);
    auto* show = new Label(theme, tr("Show"), TextSize::secondary, Tone::secondary);
    shown_ = new QComboBox;
    shown_->addItems({{}, {}});
    shown_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    shown_->setFont(theme.font(TextSize::secondary));
    shown_->setAccessibleName(tr("Which two of the drawn replies are shown"));
    shown_->setToolTip(tr("Replies that differ teach more than two that are alike."));
    show->setBuddy(shown_);
    verdicts->addWidget(show);
    verdicts->addWidget(shown_);
    verdicts->addStretch(1);
    const auto button = [&](const QString& text, const QStringList& keys, const QString& tip) {
        auto* made = new KeyButton(theme, text, keys);
        made->setAccessibleName(text);
        made->setToolTip(tip);
        verdicts->addWidget(made);
        return made;
    };
    tie_button_ = button(tr("Tie"), {QStringLiteral("↓")}, tr("Both replies are equally good"));
    skip_button_ = button(tr("Skip"), {QStringLiteral("S")}, tr("No judgement; the next pair comes"));
    verdicts->addSpacing(4);
    verdicts->addWidget(new Divider(theme, 24));
    verdicts->addSpacing(4);
    undo_button_ = button(tr("Undo"), {QStringLiteral("Ctrl+Z")},
                          tr("Takes the last answer back, and what was learned from it"));
    undo_button_->setIcon(theme.icon(QStringLiteral("undo")));
    column->addLayout(verdicts);
    column->addSpacing(16);

    strip_ = new VerdictStrip(bridge_, state_, theme);
    notice_ = new Notice(theme);
    column->addLayout(inset(strip_));
    column->addLayout(inset(notice_));

    connect(shown_, &QComboBox::activated, this,
            [this](int index) { set_pair_choice(index == 0 ? PairChoice::farthest : PairChoice::random); });
    QList<QWidget*> order;
    order << prompt_bar_->line() << prompt_bar_->previous() << prompt_bar_->next();
    order += settings_->controls();
    order << card_area_ << cards_[0]->button() << cards_[1]->button() << shown_ << tie_button_ << skip_button_
          << undo_button_;
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
    left_ = make(tr("&A is better"), {Qt::Key_1, Qt::Key_Left}, [this] { vote(Choice::left); });
    right_ = make(tr("&B is better"), {Qt::Key_2, Qt::Key_Right}, [this] { vote(Choice::right); });
    tie_ = make(tr("&Tie"), {Qt::Key_Down}, [this] { vote(Choice::tie); });
    skip_ = make(tr("&Skip this pair"), {Qt::Key_S}, [this] { vote(Choice::skip); });
    again_ = make(tr("Sample again"), {Qt::Key_R}, [this] { bridge_.post(SampleAgain{}); });
    previous_ = make(tr("Previous prompt"), {QKeySequence(Qt::ALT | Qt::Key_Left)},
                     [this] { prompt_bar_->step(-1); });
    next_ =
        make(tr("Next prompt"), {QKeySequence(Qt::ALT | Qt::Key_Right)}, [this] { prompt_bar_->step(1); });
    undo_ = make(tr("&Undo the last answer"), {QKeySequence(QKeySequence::Undo)}, [this] { undo(); });
    connect(cards_[0], &CandidateCard::chosen, left_, &QAction::trigger);
    connect(cards_[1], &CandidateCard::chosen, right_, &QAction::trigger);
    connect(tie_button_, &QPushButton::clicked, tie_, &QAction::trigger);
    connect(skip_button_, &QPushButton::clicked, skip_, &QAction::trigger);
    connect(undo_button_, &QPushButton::clicked, undo_, &QAction::trigger);
    connect(settings_->again(), &QPushButton::clicked, again_, &QAction::trigger);
}

QList<QAction*> ComparePanel::actions_for_menu() const {
    return {left_, right_, tie_, skip_, again_, previous_, next_, undo_};
}

void ComparePanel::focus_cards() {
    card_area_->setFocus(Qt::OtherFocusReason);
}

void ComparePanel::vote(Choice choice) {
    if (state_.phase() == Phase::choosing && state_.pair() && !state_.opening()) {
        focus_cards();  // a clicked button greys, and the focus would fall on a control that eats the keys
        bridge_.post(Vote{state_.pair()->id, choice});
    }
}

void ComparePanel::undo() {
    if (state_.can_undo()) {
        focus_cards();
        bridge_.post(Undo{});
    }
}

void ComparePanel::set_pair_choice(PairChoice choice) {
    if (state_.open() && choice != state_.config().sampling.pair_choice) {
        SessionConfig config = state_.config();
        config.sampling.pair_choice = choice;
        bridge_.post(ChangeConfig{config});
    }
}

void ComparePanel::refresh() {
    const Phase phase = state_.phase();
    const QString no_vote =
        state_.opening() && state_.open() ? tr("Another session is being opened") : why_no_vote(phase);
    const QString no_session = state_.open() ? QString() : tr("There is no session");
    // Skipping and sampling again also work while replies are written: they start over.
    const QString no_skip = phase == Phase::choosing ? QString() : no_vote;
    const QString no_again = !no_session.isEmpty()    ? no_session
                             : phase == Phase::saving ? no_vote
                                                      : QString();
    const QString no_undo = state_.can_undo() ? QString()
                            : !state_.open()  ? no_session
                                              : tr("There is no answer to take back");
    for (CandidateCard* card : cards_) {
        card->set_choosable(no_vote);
    }
    for (QAction* action : {left_, right_, tie_}) {
        set_available(*action, no_vote);
    }
    set_available(*tie_button_, no_vote);
    set_available(*skip_button_, no_skip);
    set_available(*skip_, no_skip);
    set_available(*settings_->again(), no_again);
    set_available(*again_, no_again);
    set_available(*undo_button_, no_undo);
    set_available(*undo_, no_undo);
    set_available(*previous_, state_.prompt_index() > 0 ? QString() : tr("This is the first prompt"));
    set_available(*next_, state_.prompt_index() + 1 < int(state_.prompts().size())
                              ? QString()
                              : tr("This is the last prompt"));
    set_available(*shown_, no_session);

    const SamplingConfig& sampling = state_.config().sampling;
    shown_->setCurrentIndex(sampling.pair_choice == PairChoice::farthest ? 0 : 1);
    const int drawn = state_.pair() && state_.pair()->drawn > 0 ? state_.pair()->drawn : sampling.candidates;
    shown_->setItemText(0, tr("the two of %1 that differ most").arg(drawn));
    shown_->setItemText(1, tr("two of %1 at random").arg(drawn));

    if (phase == Phase::choosing && state_.pair() && state_.pair()->id != shown_pair_) {
        show_pair();
    }
    if (phase != Phase::choosing && phase != Phase::saving) {
        shown_pair_ = 0;
    }
    for (CandidateCard* card : cards_) {
        card->set_greyed(phase != Phase::choosing && phase != Phase::streaming);
    }
}

void ComparePanel::show_pair() {
    const Pair& pair = *state_.pair();
    shown_pair_ = pair.id;
    cards_[0]->show_reply(pair.left, state_.config().blind);
    cards_[1]->show_reply(pair.right, state_.config().blind);
}

void ComparePanel::stream_started(const SamplingStarted& started) {
    notice_->clear();
    strip_->show();
    stream_start_ = std::chrono::steady_clock::now();
    for (CandidateCard* card : cards_) {
        card->begin(started.max_new_tokens);
    }
}

void ComparePanel::streamed(const TokensStreamed& streamed) {
    // Two cards only: the first two replies stand for all until the pair is chosen.
    if (streamed.sample < 0 || streamed.sample > 1 || state_.phase() != Phase::streaming) {
        return;
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - stream_start_;
    cards_[std::size_t(streamed.sample)]->append(QString::fromStdString(streamed.text), streamed.tokens,
                                                 spent.count(), streamed.ended);
}

void ComparePanel::failed(const QString& message, bool can_retry) {
    if (!state_.open()) {
        return;
    }
    std::vector<Notice::Way> ways;
    if (message.contains(QLatin1String("out of memory")) && state_.config().sampling.candidates > 2) {
        ways.push_back({tr("Draw fewer"), [this] {
                            SessionConfig config = state_.config();
                            config.sampling.candidates = std::max(2, config.sampling.candidates / 2);
                            notice_->clear();
                            strip_->show();
                            bridge_.post(ChangeConfig{config});
                            bridge_.post(SampleAgain{});
                        }});
    }
    if (can_retry) {
        ways.push_back({tr("Retry"), [this] {
                            notice_->clear();
                            strip_->show();
                            bridge_.post(last_asked_ ? *last_asked_ : Command(SampleAgain{}));
                        }});
    }
    ways.push_back({tr("Show log"), [this] { Q_EMIT log_wanted(); }});
    strip_->hide();
    notice_->show_problem(message, ways);
}

}  // namespace plumbline::ui
