#include "ui/window/actions.h"

#include <QAction>
#include <QActionGroup>

#include "core/api/recommended.h"
#include "ui/controls/availability.h"
#include "ui/controls/figures.h"

namespace plumbline::ui {

Actions::Actions(EngineBridge& bridge, SessionState& state, Theme& theme, QObject* parent)
    : QObject(parent), bridge_(bridge), state_(state), theme_(theme) {
    new_session =
        make(tr("&New session…"), QKeySequence::New, tr("Choose a model, prompts and a place to save"));
    new_session->setIcon(theme.icon(QStringLiteral("plus")));
    new_session->setIconText(tr("New session"));
    open = make(tr("&Open…"), QKeySequence::Open, tr("A session (.plumb) or a model's file"));
    open->setIcon(theme.icon(QStringLiteral("folder")));
    open->setIconText(tr("Open"));
    open_folder = make(tr("Open a model &folder…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O),
                       tr("A Hugging Face folder: config.json, *.safetensors, tokenizer.json"));
    models = make(tr("&Models…"), QKeySequence(Qt::CTRL | Qt::Key_M),
                  tr("What is on this computer, what fits into its memory, and what else there is"));
    models->setIcon(theme.icon(QStringLiteral("model")));
    chat_template = make(tr("Chat &template…"), QKeySequence(Qt::CTRL | Qt::Key_T),
                         tr("How this session's model is given a dialogue"));
    prompts_from_file =
        make(tr("&Prompts from file…"), {}, tr("Adds each line of a text file to the queue of prompts"));
    save_copy = make(tr("Save a &copy…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S),
                     tr("Writes the session as it is to another file; the session itself saves by itself"));
    close_session =
        make(tr("C&lose session"), QKeySequence(Qt::CTRL | Qt::Key_W), tr("Back to the start screen"));
    quit = make(tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), {});
    pause = make(tr("&Pause training"), QKeySequence(Qt::Key_P),
                 tr("Answers are kept and trained on when you resume"));
    pause->setIcon(theme.icon(QStringLiteral("pause")));
    stop = make(tr("&Stop what runs"), QKeySequence(Qt::Key_Escape),
                tr("Stops at the next small step; what is saved stays"));
    stop->setIcon(theme.icon(QStringLiteral("stop")));
    make_algorithms();
    find_command = make(tr("&Find a command…"), QKeySequence(Qt::CTRL | Qt::Key_K), {});
    dark = make(tr("&Dark theme"), {}, tr("Light or dark"));
    dark->setCheckable(true);
    dark->setChecked(theme.scheme() == Scheme::dark);
    keys = make(tr("&Keys"), QKeySequence(Qt::Key_F1), {});
    about = make(tr("&About Plumbline"), {}, {});

    connect(pause, &QAction::triggered, this,
            [this] { bridge_.post(PauseTraining{!bridge_.snapshot().training_paused}); });
    connect(stop, &QAction::triggered, this, [this] { bridge_.stop(); });
    connect(close_session, &QAction::triggered, this, [this] {
        bridge_.stop();
        bridge_.post(CloseSession{});
    });
    connect(dark, &QAction::toggled, this,
            [this](bool on) { theme_.set_scheme(on ? Scheme::dark : Scheme::light); });
    connect(&theme, &Theme::changed, this, [this] { dark->setChecked(theme_.scheme() == Scheme::dark); });
    connect(&state, &SessionState::phase_changed, this, &Actions::refresh);
    connect(&state, &SessionState::config_changed, this, &Actions::refresh);
    connect(&bridge, &EngineBridge::snapshot_changed, this, &Actions::refresh);
    refresh();
}

QAction* Actions::make(const QString& text, const QKeySequence& key, const QString& tip) {
    auto* action = new QAction(text, this);
    action->setShortcut(key);
    if (!tip.isEmpty()) {
        action->setToolTip(
            key.isEmpty() ? tip : QStringLiteral("%1 (%2)").arg(tip, key.toString(QKeySequence::NativeText)));
    }
    return action;
}

QString Actions::training_locked() const {
    return state_.open() ? QString() : tr("There is no session");
}

void Actions::make_algorithms() {
    auto* group = new QActionGroup(this);
    for (const AlgorithmInfo& entry : plumbline::algorithms()) {
        QAction* action =
            make(tr("Algorithm %1").arg(title_of(entry.algorithm)), {}, words_for(entry.algorithm));
        action->setCheckable(true);
        group->addAction(action);
        connect(action, &QAction::triggered, this,
                [this, algorithm = entry.algorithm] { set_algorithm(algorithm); });
        algorithms.append(action);
    }
}

// The rates and batch sizes that were measured for one algorithm are wrong for another one.
void Actions::set_algorithm(Algorithm algorithm) {
    if (state_.open() && state_.config().live.algorithm != algorithm) {
        SessionConfig config = state_.config();
        config.live.algorithm = algorithm;
        recommend(config, state_.model().parameters);
        bridge_.post(ChangeConfig{config});
    }
}

void Actions::refresh() {
    const Snapshot& now = bridge_.snapshot();
    const bool busy = state_.phase() == Phase::loading || state_.phase() == Phase::streaming ||
                      (now.activity != Activity::idle && now.activity != Activity::no_session);
    const QString locked = training_locked();
    const QString loading =
        state_.phase() == Phase::loading ? tr("Something is being opened; stop it first") : QString();
    set_available(*new_session, loading);
    set_available(*open, loading);
    set_available(*open_folder, loading);
    set_available(*models, loading);
    for (QAction* action :
         QList<QAction*>{chat_template, prompts_from_file, save_copy, close_session, pause} + algorithms) {
        set_available(*action, locked);
    }
    set_available(*stop, busy ? QString() : tr("Nothing runs"));
    pause->setText(now.training_paused ? tr("&Resume training") : tr("&Pause training"));
    pause->setIconText(now.training_paused ? tr("Resume") : tr("Pause"));
    pause->setIcon(theme_.icon(now.training_paused ? QStringLiteral("play") : QStringLiteral("pause")));
    algorithms[static_cast<qsizetype>(state_.config().live.algorithm)]->setChecked(true);
    if (busy != busy_) {
        busy_ = busy;
        Q_EMIT busy_changed();
    }
}

}  // namespace plumbline::ui
