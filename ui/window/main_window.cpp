#include "ui/window/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDir>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QMenuBar>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTimer>
#include <QToolBar>

#include "core/api/errors.h"
#include "ui/controls/label.h"
#include "ui/controls/notice.h"
#include "ui/panels/compare_panel.h"
#include "ui/window/actions.h"
#include "ui/window/ask_file.h"
#include "ui/window/command_palette.h"
#include "ui/window/data_exchange.h"
#include "ui/window/docks.h"
#include "ui/window/key_guard.h"
#include "ui/window/model_dialogs.h"
#include "ui/window/model_files.h"
#include "ui/window/note_dialog.h"
#include "ui/window/prompt_file.h"
#include "ui/window/start_screen.h"
#include "ui/window/status_row.h"
#include "ui/window/tool_row.h"
#include "ui/window/usual_settings.h"

namespace plumbline::ui {

namespace {

const QString geometry_key = QStringLiteral("window/geometry");
constexpr int longest_save = 10000;  // ms; then the disk does not answer
constexpr int cards_in_a_row = 3;    // more stand in two rows

/// A status bar that is its one row, without the margins of its own layout.
class FilledBar : public QStatusBar {
  public:
    explicit FilledBar(QWidget* row) : row_(row) {
        row->setParent(this);
        setSizeGripEnabled(false);
        setFixedHeight(row->height());
    }

  protected:
    void resizeEvent(QResizeEvent*) override { row_->setGeometry(rect()); }

  private:
    QWidget* row_;
};

QString sessions_folder() {
    try {
        const QString folder = QString::fromStdString((data_folder() / "sessions").string());
        return QDir(folder).exists() ? folder : QString();
    } catch (const Error&) {
        return {};
    }
}

}  // namespace

MainWindow::MainWindow(EngineBridge& bridge, Theme& theme, QSettings& settings)
    : bridge_(bridge), theme_(theme), settings_(settings), recent_(settings) {
    setObjectName(QStringLiteral("plumbline"));
    setWindowIcon(theme.icon(QStringLiteral("plumbline"), Tone::accent));
    setAcceptDrops(true);
    setMinimumSize(880, 600);
    qApp->installEventFilter(new KeyGuard(this));
    state_ = new SessionState(bridge, this);
    models_ = new ModelDialogs(bridge, theme, *this);
    actions_ = new Actions(bridge, *state_, theme, this);
    middle_ = new QStackedWidget;
    start_ = new StartScreen(bridge, *state_, theme);
    compare_ = new ComparePanel(bridge, *state_, theme);
    middle_->addWidget(start_);
    middle_->addWidget(compare_);
    setCentralWidget(middle_);

    auto* bar = new QToolBar(tr("Tools"));
    bar->setObjectName(QStringLiteral("toolbar"));
    bar->setMovable(false);
    bar->toggleViewAction()->setVisible(false);
    tools_ = new ToolRow(bridge, *state_, theme, *actions_);
    tools_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    bar->addWidget(tools_);
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    addToolBar(bar);
    status_ = new StatusRow(bridge, *state_, theme, *actions_);
    setStatusBar(new FilledBar(status_));
    docks_ = new Docks(*this, PanelContext{bridge, *state_, theme}, settings);
    exchange_ = new DataExchange(bridge, *state_, compare_->notice(), *status_, *this);
    build_menus();
    connect_actions();

    models_->catalog().refresh();
    start_->show_recent(recent_.list());
    resize(1440, 900);
    restoreGeometry(settings.value(geometry_key).toByteArray());
    show_phase();
}

MainWindow::~MainWindow() = default;

void MainWindow::build_menus() {
    QMenu* file = menuBar()->addMenu(tr("&File"));
    file->addActions({actions_->new_session, actions_->open, actions_->models});
    file->addSeparator();
    file->addActions({actions_->prompts_from_file, actions_->save_copy, actions_->close_session});
    file->addSeparator();
    exchange_->add_to(*file);
    file->addSeparator();
    file->addAction(actions_->quit);
    QMenu* edit = menuBar()->addMenu(tr("&Edit"));
    edit->addAction(compare_->undo_action());
    edit->addSeparator();
    edit->addAction(actions_->find_command);
    QMenu* session = menuBar()->addMenu(tr("&Session"));
    for (QAction* action : compare_->actions_for_menu()) {
        if (action != compare_->undo_action()) {
            session->addAction(action);
        }
    }
    QMenu* train = menuBar()->addMenu(tr("&Train"));
    train->addActions({actions_->pause, actions_->stop});
    train->addSeparator();
    train->addActions(actions_->algorithms);
    QMenu* view = menuBar()->addMenu(tr("&View"));
    docks_->add_toggles(*view);
    view->addSeparator();
    connect(view->addAction(tr("&Reset the layout")), &QAction::triggered, docks_, &Docks::reset);
    view->addAction(actions_->dark);
    QMenu* help = menuBar()->addMenu(tr("&Help"));
    help->addActions({actions_->keys, actions_->about});
    for (QMenu* menu : {file, edit, session, train, view, help}) {
        menu->setToolTipsVisible(true);
    }
    name_ = new Label(theme_, {}, TextSize::secondary, Tone::tertiary);
    name_->setContentsMargins(0, 0, 16, 0);
    name_->setFixedSize(320, 28);
    name_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    name_->set_elided(Qt::ElideMiddle);
    menuBar()->setCornerWidget(name_);
    // In the menus, and so in the window: their keys work wherever the focus is.
    addActions({actions_->pause, actions_->stop, actions_->find_command});
}

void MainWindow::connect_actions() {
    connect(actions_->new_session, &QAction::triggered, models_,
            [this] { models_->ask_new_session({}); });
    connect(actions_->open, &QAction::triggered, this, &MainWindow::ask_open);
    connect(actions_->prompts_from_file, &QAction::triggered, this, &MainWindow::ask_prompts);
    connect(actions_->save_copy, &QAction::triggered, this, &MainWindow::ask_copy);
    connect(actions_->quit, &QAction::triggered, this, &QWidget::close);
    connect(actions_->find_command, &QAction::triggered, this, &MainWindow::find_command);
    connect(actions_->keys, &QAction::triggered, this, &MainWindow::show_keys);
    connect(actions_->about, &QAction::triggered, this, &MainWindow::show_about);
    connect(start_, &StartScreen::model_wanted, this, &MainWindow::start_model);
    connect(start_, &StartScreen::session_wanted, this, &MainWindow::open_path);
    connect(start_, &StartScreen::catalogue_wanted, actions_->models, &QAction::trigger);
    connect(actions_->models, &QAction::triggered, models_, [this] { models_->show_catalogue({}); });
    connect(&models_->catalog(), &ModelCatalog::changed, start_,
            [this] { start_->show_models(models_->catalog().models()); });
    connect(models_, &ModelDialogs::failed, this, [this](const QString& message) {
        (state_->open() ? compare_->notice() : start_->notice()).show_problem(message);
    });
    connect(start_, &StartScreen::open_other_wanted, this, &MainWindow::ask_open);
    connect(start_, &StartScreen::forget_wanted, this, [this](const QString& path) {
        recent_.forget(path);
        start_->show_recent(recent_.list());
    });
    connect(compare_, &ComparePanel::log_wanted, this, [this] { docks_->reveal(QStringLiteral("log")); });
    connect(compare_, &ComparePanel::count_changed, this,
            [this](int cards) { docks_->set_crowded(cards > cards_in_a_row); });
    connect(state_, &SessionState::phase_changed, this, &MainWindow::show_phase);
    connect(state_, &SessionState::opened, this, [this] {
        note_session();
        compare_->focus_cards();
        const auto* begun = state_->last_open() ? std::get_if<NewSession>(&*state_->last_open()) : nullptr;
        const auto fitted = begun ? fitted_settings(*begun, state_->model().parameters) : std::nullopt;
        if (fitted) {
            bridge_.post(ChangeConfig{*fitted});
        }
    });
    connect(state_, &SessionState::history_changed, this, &MainWindow::note_session);
    connect(state_, &SessionState::closed, this, [this] { start_->show_recent(recent_.list()); });
    connect(&bridge_, &EngineBridge::command_failed, this, [this](const CommandFailed& failed) {
        if (!state_->open() && failed.message != "stopped") {
            opening_failed(QString::fromStdString(failed.message));
        }
    });
}

void MainWindow::show_phase() {
    const bool session = state_->open();
    if (session != (middle_->currentWidget() == compare_) || !isVisible()) {
        middle_->setCurrentWidget(session ? static_cast<QWidget*>(compare_) : start_);
        docks_->show_for_session(session);
        if (session) {
            compare_->focus_cards();
        }
    }
    show_name();
}

void MainWindow::show_name() {
    const QString name = state_->open() ? file_name(state_->project_path()) : QString();
    name_->setText(name.isEmpty() ? tr("no session") : name);
    name_->setToolTip(QString::fromStdString(state_->project_path()));
    setWindowTitle(name.isEmpty() ? tr("Plumbline") : tr("%1 — Plumbline").arg(name));
}

void MainWindow::note_session() {
    if (state_->open()) {
        recent_.note({QString::fromStdString(state_->project_path()), state_->model_title(), state_->labels(),
                      state_->policy_steps(), QDateTime::currentDateTime()});
    }
}

void MainWindow::opening_failed(const QString& message) {
    std::vector<Notice::Way> ways;
    const auto& last = state_->last_open();
    const auto* open = last ? std::get_if<OpenSession>(&*last) : nullptr;
    if (open && message.contains(QLatin1String("its model"))) {
        ways.push_back({tr("Locate model…"), [this] { locate_model(); }});
    } else if (last) {
        ways.push_back({tr("Retry"), [this] { bridge_.post(*state_->last_open()); }});
    }
    start_->notice().show_problem(message, ways);
}

void MainWindow::open_path(const QString& path) {
    const QFileInfo info(path);
    if (info.suffix().compare(QLatin1String("plumb"), Qt::CaseInsensitive) == 0) {
        bridge_.post(OpenSession{info.absoluteFilePath().toStdString(), {}});
    } else {
        start_model(info.exists() ? info.absoluteFilePath() : path);
    }
}

void MainWindow::start_model(const QString& name_or_path) {
    NewSession session;
    session.model = name_or_path.toStdString();
    session.config = usual_settings(session.model);
    bridge_.post(session);
}

void MainWindow::ask_open() {
    ask_file(this, tr("Open a session or a model"), sessions_folder(),
             tr("Sessions and models (*.plumb *.gguf)"), [this](const QString& path) { open_path(path); });
}

void MainWindow::locate_model() {
    ask_file(this, tr("Where is the model now?"), {}, tr("Models (*.gguf)"), [this](const QString& path) {
        const auto* open = state_->last_open() ? std::get_if<OpenSession>(&*state_->last_open()) : nullptr;
        if (open) {
            bridge_.post(OpenSession{open->project_path, path.toStdString()});
        }
    });
}

void MainWindow::ask_prompts() {
    ask_file(this, tr("Prompts, one a line"), {}, tr("Prompts (*.txt *.jsonl *.csv *.gz);;All files (*)"),
             [this](const QString& path) { add_prompts(path); });
}

void MainWindow::add_prompts(const QString& path) {
    QString problem;
    std::vector<std::string> prompts = read_prompt_file(path, problem);
    if (!problem.isEmpty()) {
        (state_->open() ? compare_->notice() : start_->notice()).show_problem(problem);
        return;
    }
    status_->say(tr("%1 prompts from %2").arg(prompts.size()).arg(QFileInfo(path).fileName()));
    bridge_.post(AddPrompts{std::move(prompts), false});
}

void MainWindow::ask_copy() {
    auto* dialog = ask_file(this, tr("Save a copy"), sessions_folder(), tr("Plumbline sessions (*.plumb)"),
                            [this](const QString& path) {
                                bridge_.post(SaveCopy{path.toStdString()});
                                status_->say(tr("Saving a copy to %1").arg(QFileInfo(path).fileName()));
                            });
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setFileMode(QFileDialog::AnyFile);
    dialog->setDefaultSuffix(QStringLiteral("plumb"));
}

void MainWindow::find_command() {
    auto* palette = new CommandPalette(theme_, *menuBar(), this);
    palette->move(mapToGlobal(QPoint((width() - palette->width()) / 2, 76)));
    palette->show();
}

void MainWindow::show_keys() {
    auto* note = new NoteDialog(theme_, tr("Keys"), this);
    note->add_pairs({{tr("1 or ←"), tr("A is better")},
                     {tr("2 or →"), tr("B is better")},
                     {tr("Q W E"), tr("The next choice is slightly, clearly, much better")},
                     {tr("↓"), tr("Tie")},
                     {tr("0"), tr("All replies are bad")},
                     {tr("1 to 6"), tr("The best of more than two; in Rank, the next one")},
                     {tr("Backspace"), tr("In Rank, takes the last rank back")},
                     {tr("Enter"), tr("In Rank, records the ranks")},
                     {tr("S"), tr("Skip this pair")},
                     {tr("R"), tr("Sample again")},
                     {tr("Ctrl+Z"), tr("Undo the last answer")},
                     {tr("Alt+← Alt+→"), tr("Previous, next prompt")},
                     {tr("P"), tr("Pause or resume training")},
                     {tr("Esc"), tr("Stop what runs")},
                     {tr("Ctrl+K"), tr("Find a command")}});
    note->open();
}

void MainWindow::show_about() {
    auto* note = new NoteDialog(theme_, tr("Plumbline %1").arg(QApplication::applicationVersion()), this);
    note->add_text(
        tr("A workbench for hands-on reinforcement learning from human feedback. Everything runs on this "
           "computer. Free software under the GNU General Public License, version 3 or later."));
    note->open();
}

void MainWindow::closeEvent(QCloseEvent* event) {
    settings_.setValue(geometry_key, saveGeometry());
    docks_->save();
    bridge_.stop();
    if (state_->phase() == Phase::saving && !closing_) {
        // The window goes at once; the program follows when the answer is in the file.
        closing_ = true;
        hide();
        connect(state_, &SessionState::phase_changed, this, &QWidget::close, Qt::QueuedConnection);
        QTimer::singleShot(longest_save, this, &QWidget::close);
        event->ignore();
        return;
    }
    event->accept();
    QApplication::quit();
}

void MainWindow::resizeEvent(QResizeEvent* event) {
    QMainWindow::resizeEvent(event);
    docks_->fit(event->size());
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    const DroppedFiles files = dropped_files(*event->mimeData());
    if (files.any() && (!files.needs_session() || state_->open())) {
        event->acceptProposedAction();
    }
}

void MainWindow::dropEvent(QDropEvent* event) {
    const DroppedFiles files = dropped_files(*event->mimeData());
    event->acceptProposedAction();
    if (!files.prompts.isEmpty()) {
        add_prompts(files.prompts);
    } else if (!files.preferences.isEmpty()) {
        bridge_.post(ImportPreferences{files.preferences.toStdString()});
    } else if (!files.session.isEmpty()) {
        open_path(files.session);
    } else {
        models_->catalog().add(files.models);
    }
}

}  // namespace plumbline::ui
