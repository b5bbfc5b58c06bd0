#pragma once
// What stands in the window before a session is open.

#include <functional>

#include "core/api/catalog.h"
#include "ui/bridge/session_state.h"
#include "ui/controls/surface.h"
#include "ui/window/recent_sessions.h"

class QProgressBar;
class QPushButton;
class QVBoxLayout;

namespace plumbline::ui {

class Label;
class Notice;

/// Bridge, state and theme must outlive it.
class StartScreen : public Surface {
    Q_OBJECT
  public:
    StartScreen(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent = nullptr);

    /// Those on this computer; what can be fetched by hand stands in the catalogue.
    void show_models(const std::vector<CatalogModel>& models);
    void show_recent(const QList<RecentSession>& sessions);
    Notice& notice() const { return *notice_; }

  Q_SIGNALS:
    void model_wanted(const QString& name_or_path);
    void catalogue_wanted();
    void session_wanted(const QString& path);
    void open_other_wanted();
    void forget_wanted(const QString& path);

  private:
    void build_head(QVBoxLayout& column);
    void build_steps(QVBoxLayout& column);
    void show_loading();
    void show_snapshot(const Snapshot& snapshot);

    EngineBridge& bridge_;
    SessionState& state_;
    Notice* notice_;
    Surface* loading_;
    Label* loading_text_;
    QProgressBar* loading_bar_;
    QVBoxLayout* models_;
    QVBoxLayout* recent_;
    Label* recent_note_;
    QList<QWidget*> openers_;  // disabled while something is being opened
};

/// Words for how long ago: "today 14:32", "yesterday", "12 May".
QString when(const QDateTime& time, const QDateTime& now);

}  // namespace plumbline::ui
