#pragma once
// The window: arranges start screen, work area, docks, menus; the parts connect themselves.

#include <QMainWindow>

#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"
#include "ui/window/recent_sessions.h"

class QSettings;
class QStackedWidget;

namespace plumbline::ui {

class Actions;
class ComparePanel;
class DataExchange;
class Docks;
class Label;
class ModelDialogs;
class ModelExport;
class SessionFiles;
class StartScreen;
class StatusRow;
class ToolRow;

/// Bridge, theme and settings must outlive it.
class MainWindow : public QMainWindow {
    Q_OBJECT
  public:
    MainWindow(EngineBridge& bridge, Theme& theme, QSettings& settings);
    ~MainWindow() override;

    void open_path(const QString& path);            // .plumb, or a model
    void start_model(const QString& name_or_path);  // a new session with the usual settings

    SessionState& state() const { return *state_; }
    ModelDialogs& models() const { return *models_; }
    ComparePanel& compare() const { return *compare_; }
    StartScreen& start_screen() const { return *start_; }
    Docks& docks() const { return *docks_; }
    Actions& actions() const { return *actions_; }
    StatusRow& status_row() const { return *status_; }
    ToolRow& tool_row() const { return *tools_; }

  protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    void build_menus();
    void connect_actions();
    void show_phase();
    void show_name();
    void note_session();
    void find_command();

    EngineBridge& bridge_;
    Theme& theme_;
    QSettings& settings_;
    RecentSessions recent_;
    SessionState* state_;
    ModelDialogs* models_;
    Actions* actions_;
    QStackedWidget* middle_;
    StartScreen* start_;
    ComparePanel* compare_;
    ToolRow* tools_;
    StatusRow* status_;
    Docks* docks_;
    SessionFiles* files_;
    DataExchange* exchange_;
    ModelExport* export_;
    Label* name_;
    bool closing_ = false;
};

}  // namespace plumbline::ui
