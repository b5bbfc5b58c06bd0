#pragma once
// The panels of the window, one line each.

#include <QString>
#include <functional>
#include <vector>

#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"

class QWidget;

namespace plumbline::ui {

enum class PanelPlace { left, right, bottom };  // panels at the bottom share one dock, as tabs

/// What a panel may use; all of it outlives the panels.
struct PanelContext {
    EngineBridge& bridge;
    SessionState& state;
    Theme& theme;
};

struct PanelEntry {
    QString id;  // names it in the saved layout
    QString title;
    PanelPlace place;
    int size;  // px across the dock's edge at the start
    std::function<QWidget*(const PanelContext&)> make;
};

const std::vector<PanelEntry>& panel_catalog();

}  // namespace plumbline::ui
