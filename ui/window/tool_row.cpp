#include "ui/window/tool_row.h"

#include <QAction>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QSpinBox>
#include <QToolButton>

#include "ui/controls/availability.h"
#include "ui/controls/chooser.h"
#include "ui/controls/figures.h"
#include "ui/controls/key_button.h"
#include "ui/controls/label.h"
#include "ui/window/actions.h"

namespace plumbline::ui {

namespace {

constexpr int wordy_width = 1180;  // below it the row does without some words

}  // namespace

ToolRow::ToolRow(EngineBridge& bridge, SessionState& state, const Theme& theme, Actions& actions,
                 QWidget* parent)
    : Surface(theme, Tone::chrome, Edge::bottom, parent), bridge_(bridge), state_(state), actions_(actions) {
    setFixedHeight(48);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(10, 0, 10, 1);
    row->setSpacing(8);
    const auto pusher = [&](QAction* action) {
        auto* button = new KeyButton(theme, action->iconText(), {});
        button->setAccessibleName(action->iconText());
        connect(button, &QPushButton::clicked, action, &QAction::trigger);
        row->addWidget(button);
        return button;
    };
    const auto divider = [&] {
        row->addSpacing(4);
        row->addWidget(new Divider(theme, 32));
        row->addSpacing(4);
    };
    new_ = pusher(actions.new_session);
    open_ = pusher(actions.open);
    for (KeyButton* button : {new_, open_}) {
        set_button_kind(*button, ButtonKind::flat);
    }
    divider();
    pause_ = pusher(actions.pause);
    stop_ = pusher(actions.stop);
    stop_->setText(tr("Stop"));
    stop_->setAccessibleName(tr("Stop"));
    divider();
    auto* algorithm_word = new Label(theme, tr("Algorithm"), TextSize::secondary, Tone::secondary);
    algorithm_word_ = algorithm_word;
    row->addWidget(algorithm_word_);
    algorithm_ = new Chooser;
    for (const AlgorithmInfo& entry : plumbline::algorithms()) {
        algorithm_->add(title_of(entry.algorithm), words_for(entry.algorithm));
    }
    algorithm_->setAccessibleName(tr("Algorithm"));
    algorithm_word->setBuddy(algorithm_);
    row->addWidget(algorithm_);
    row->addSpacing(4);
    auto* beta_word = new Label(theme, tr("KL β"), TextSize::secondary, Tone::secondary);
    row->addWidget(beta_word);
    beta_ = new QDoubleSpinBox;
    beta_->setRange(0, 100);
    beta_->setDecimals(2);
    beta_->setSingleStep(0.05);
    beta_->setFixedWidth(76);
    beta_->setAccessibleName(tr("KL β"));
    beta_->setToolTip(tr("How firmly the policy is held near its start; higher is firmer. 0 to 100."));
    beta_word->setBuddy(beta_);
    row->addWidget(beta_);
    row->addSpacing(4);
    auto* steps_word = new Label(theme, tr("Steps per vote"), TextSize::secondary, Tone::secondary);
    row->addWidget(steps_word);
    steps_ = new QSpinBox;
    steps_->setRange(0, 64);
    steps_->setFixedWidth(60);
    steps_->setAccessibleName(tr("Steps per vote"));
    steps_->setToolTip(
        tr("Training steps of the policy after each answer; 0 only collects answers. 0 to 64."));
    steps_word->setBuddy(steps_);
    row->addWidget(steps_);
    for (QAbstractSpinBox* box :
         {static_cast<QAbstractSpinBox*>(beta_), static_cast<QAbstractSpinBox*>(steps_)}) {
        box->setFont(theme.mono(TextSize::interface));
        box->setKeyboardTracking(false);
    }
    row->addStretch(1);
    find_ = new KeyButton(theme, tr("Find a command"), {QStringLiteral("Ctrl+K")});
    find_->setIcon(theme.icon(QStringLiteral("search"), Tone::secondary));
    find_->set_text_tone(Tone::tertiary);
    find_->set_spread(true);
    find_->setMinimumWidth(212);
    find_->setAccessibleName(tr("Find a command"));
    connect(find_, &QPushButton::clicked, actions.find_command, &QAction::trigger);
    row->addWidget(find_);
    theme_button_ = new QToolButton;
    theme_button_->setAutoRaise(true);
    theme_button_->setFocusPolicy(Qt::TabFocus);
    connect(theme_button_, &QToolButton::clicked, actions.dark, &QAction::toggle);
    row->addWidget(theme_button_);

    const auto show_scheme = [this, &theme] {
        const bool dark = theme.scheme() == Scheme::dark;
        theme_button_->setIcon(
            theme.icon(dark ? QStringLiteral("sun") : QStringLiteral("moon"), Tone::secondary));
        theme_button_->setToolTip(dark ? tr("Light theme") : tr("Dark theme"));
        theme_button_->setAccessibleName(theme_button_->toolTip());
    };
    show_scheme();
    connect(&theme, &Theme::changed, this, show_scheme);
    connect(algorithm_, &Chooser::activated, this,
            [this](int index) { actions_.algorithms[index]->trigger(); });
    connect(beta_, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        if (!showing_ && state_.open()) {
            SessionConfig config = state_.config();
            config.live.beta = value;
            bridge_.post(ChangeConfig{config});
        }
    });
    connect(steps_, &QSpinBox::valueChanged, this, [this](int value) {
        if (!showing_ && state_.open()) {
            SessionConfig config = state_.config();
            config.live.steps_per_click = value;
            bridge_.post(ChangeConfig{config});
        }
    });
    connect(&state, &SessionState::config_changed, this, &ToolRow::refresh);
    connect(&state, &SessionState::phase_changed, this, &ToolRow::refresh);
    for (QAction* action : {actions.new_session, actions.open, actions.pause, actions.stop}) {
        connect(action, &QAction::changed, this, &ToolRow::refresh);
    }
    refresh();
}

void ToolRow::refresh() {
    showing_ = true;
    const LiveConfig& live = state_.config().live;
    algorithm_->setCurrentIndex(static_cast<int>(live.algorithm));
    beta_->setValue(live.beta);
    steps_->setValue(live.steps_per_click);
    const QString locked = actions_.training_locked();
    algorithm_->setEnabled(locked.isEmpty());
    algorithm_->setToolTip(locked.isEmpty() ? words_for(live.algorithm) : locked);
    set_available(*beta_, locked);
    set_available(*steps_, locked);
    const auto mirror = [](QPushButton& button, const QAction& action) {
        button.setEnabled(action.isEnabled());
        button.setToolTip(action.toolTip());
        button.setIcon(action.icon());
    };
    mirror(*new_, *actions_.new_session);
    mirror(*open_, *actions_.open);
    mirror(*pause_, *actions_.pause);
    mirror(*stop_, *actions_.stop);
    pause_->setText(actions_.pause->iconText());
    pause_->setAccessibleName(pause_->text());
    showing_ = false;
}

void ToolRow::resizeEvent(QResizeEvent* event) {
    Surface::resizeEvent(event);
    set_words(width() >= wordy_width);
}

void ToolRow::set_words(bool shown) {
    if (shown == words_) {
        return;
    }
    words_ = shown;
    new_->setText(shown ? actions_.new_session->iconText() : QString());
    open_->setText(shown ? actions_.open->iconText() : QString());
    algorithm_word_->setVisible(shown);
    find_->setText(shown ? tr("Find a command") : QString());
    find_->setMinimumWidth(shown ? 212 : 0);
}

}  // namespace plumbline::ui
