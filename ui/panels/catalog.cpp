#include "ui/panels/catalog.h"

#include <QCoreApplication>

#include "ui/panels/data_panel.h"
#include "ui/panels/live_plots.h"
#include "ui/panels/log_panel.h"
#include "ui/panels/session_panel.h"

namespace plumbline::ui {

const std::vector<PanelEntry>& panel_catalog() {
    using C = const PanelContext&;
    const auto tr = [](const char* text) { return QCoreApplication::translate("Panels", text); };
    static const std::vector<PanelEntry> panels = {
        {"session", tr("Session"), PanelPlace::left, 240,
         [](C c) { return new SessionPanel(c.bridge, c.state, c.theme); }},
        {"plots", tr("Live plots"), PanelPlace::right, 352,
         [](C c) { return new LivePlotsPanel(c.bridge, c.theme, nullptr); }},
        {"data", tr("Data"), PanelPlace::bottom, 264, [](C c) { return new DataPanel(c.state, c.theme); }},
        {"log", tr("Log"), PanelPlace::bottom, 264, [](C c) { return new LogPanel(c.bridge, c.theme); }},
    };
    return panels;
}

}  // namespace plumbline::ui
