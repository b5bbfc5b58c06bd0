#include "ui/window/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QMenuBar>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTimer>
#include <QToolBar>

#include "ui/controls/label.h"
#include "ui/controls/notice.h"
#include "ui/panels/compare_panel.h"
#include "ui/window/actions.h"
#include "ui/window/command_palette.h"
#include "ui/window/data_exchange.h"
#include "ui/window/docks.h"
#include "ui/window/key_guard.h"
#include "ui/window/model_dialogs.h"
#include "ui/window/model_files.h"
#include "ui/window/model_export.h"
#include "ui/window/notes.h"
#include "ui/window/session_files.h"
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

}  // namespace

MainWindow::MainWindow(EngineBridge& bridge, Theme& theme, QSettings& settings)
    : bridge_(bridge), theme_(theme), settings_(settings), recent_(settings) {
    setObjectName(QStringLiteral("plumbline"));
    setWindowIcon(theme.icon(QStringLiteral("plumbline"), Tone::accent));
    setAcceptDrops(true);
    setMinimumSize(880, 600);
    qApp->installEventFilter(new KeyGuard(this));
    state_ = new SessionState(bridge, this);
    models_ = new ModelDialogs(bridge, *state_, theme, *this);
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
    files_ = new SessionFiles(bridge, *state_, *status_, *this);
    exchange_ = new DataExchange(bridge, *state_, compare_->notice(), *status_, *this);
    export_ = new ModelExport(bridge, *state_, theme, compare_->notice(), *status_, *this);
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
    file->addActions({actions_->new_session, actions_->open, actions_->open_folder, actions_->models});
    file->addSeparator();
    file->addActions({actions_->prompts_from_file, actions_->save_copy, actions_->close_session});
    file->addSeparator();
    exchange_->add_to(*file);
    file->addAction(export_->action);
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
    session->addSeparator();
    session->addAction(actions_->chat_template);
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
    connect(actions_->open, &QAction::triggered, files_, &SessionFiles::ask_open);
    connect(actions_->open_folder, &QAction::triggered, files_, &SessionFiles::ask_model_folder);
    connect(actions_->prompts_from_file, &QAction::triggered, files_, &SessionFiles::ask_prompts);
    connect(actions_->save_copy, &QAction::triggered, files_, &SessionFiles::ask_copy);
    connect(actions_->chat_template, &QAction::triggered, models_, &ModelDialogs::show_chat_template);
    connect(actions_->quit, &QAction::triggered, this, &QWidget::close);
    connect(actions_->find_command, &QAction::triggered, this, &MainWindow::find_command);
    connect(actions_->keys, &QAction::triggered, this, [this] { show_keys(theme_, this); });
    connect(actions_->about, &QAction::triggered, this, [this] { show_about(theme_, this); });
    connect(start_, &StartScreen::model_wanted, files_, &SessionFiles::start_model);
    connect(start_, &StartScreen::session_wanted, files_, &SessionFiles::open_path);
    connect(start_, &StartScreen::catalogue_wanted, actions_->models, &QAction::trigger);
    connect(actions_->models, &QAction::triggered, models_, [this] { models_->show_catalogue({}); });
    connect(&models_->catalog(), &ModelCatalog::changed, start_,
            [this] { start_->show_models(models_->catalog().models()); });
    const auto say = [this](const QString& message) {
        (state_->open() ? compare_->notice() : start_->notice()).show_problem(message);
    };
    connect(models_, &ModelDialogs::failed, this, say);
    connect(files_, &SessionFiles::failed, this, say);
    connect(files_, &SessionFiles::opening_failed, &start_->notice(), &Notice::show_problem);
    connect(start_, &StartScreen::open_other_wanted, files_, &SessionFiles::ask_open);
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

void MainWindow::open_path(const QString& path) {
    files_->open_path(path);
}

void MainWindow::start_model(const QString& name_or_path) {
    files_->start_model(name_or_path);
}

void MainWindow::find_command() {
    auto* palette = new CommandPalette(theme_, *menuBar(), this);
    palette->move(mapToGlobal(QPoint((width() - palette->width()) / 2, 76)));
    palette->show();
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
        files_->add_prompts(files.prompts);
    } else if (!files.preferences.isEmpty()) {
        bridge_.post(ImportPreferences{files.preferences.toStdString()});
    } else if (!files.session.isEmpty()) {
        files_->open_path(files.session);
    } else {
        models_->catalog().add(files.models);
    }
}

}  // namespace plumbline::ui
