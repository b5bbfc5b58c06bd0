#pragma once
// The session at a glance: its model, how far the pipeline is, what was answered.

#include <QWidget>

#include "ui/bridge/session_state.h"
#include "ui/controls/surface.h"
#include "ui/theme/theme.h"

class QListView;
class QProgressBar;

namespace plumbline::ui {

class Label;
class PipelineView;
struct Stage;

/// Bridge, state and theme must outlive it.
class SessionPanel : public Surface {
    Q_OBJECT
  public:
    SessionPanel(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent = nullptr);

    const PipelineView& pipeline() const { return *pipeline_; }
    const QListView& history() const { return *history_; }
    QString model_text() const;
    QString template_text() const;
    QString memory_text() const;

  private:
    void show_model();
    void show_snapshot(const Snapshot& snapshot);
    void show_pipeline();

    EngineBridge& bridge_;
    SessionState& state_;
    Label* name_;
    Label* size_;
    Label* device_;
    Label* template_;
    Label* memory_;
    QProgressBar* memory_bar_;
    PipelineView* pipeline_;
    QListView* history_;
    Label* no_history_;
};

/// What the three stages say; pure.
std::vector<Stage> pipeline_stages(const SessionState& state, const Snapshot& snapshot);

}  // namespace plumbline::ui
