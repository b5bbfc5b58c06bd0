#include "ui/window/docks.h"

#include <QAction>
#include <QHBoxLayout>
#include <QMainWindow>
#include <QMenu>
#include <QSettings>
#include <QStackedWidget>
#include <QTabBar>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/controls/label.h"
#include "ui/controls/surface.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

constexpr int title_height = 32;
constexpr int tabs_height = 40;
constexpr int narrow_width = 1280;
constexpr int low_height = 820;
constexpr int work_height = 636;  // of the window, without the bottom dock
constexpr int layout_version = 1;
const QString layout_key = QStringLiteral("window/layout");
const QString page_key = QStringLiteral("window/bottom_page");
const QString folded_key = QStringLiteral("window/bottom_folded");

QToolButton* title_button(const Theme& theme, const QString& icon, const QString& name) {
    auto* button = new QToolButton;
    button->setIcon(theme.icon(icon, Tone::secondary));
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::TabFocus);
    button->setToolTip(name);
    button->setAccessibleName(name);
    set_compact(*button);
    return button;
}

}  // namespace

PanelDock::PanelDock(const Theme& theme, const QString& id, const QString& title, QWidget* parent)
    : QDockWidget(title, parent), pages_(new QStackedWidget) {
    setObjectName(id);
    setFeatures(DockWidgetClosable | DockWidgetMovable | DockWidgetFloatable);
    build_title(theme, title);
    // Folding hides the pages and not the dock's own widget, without which the dock loses its width.
    auto* body = new QWidget;
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(pages_);
    setWidget(body);
}

void PanelDock::build_title(const Theme& theme, const QString& title) {
    const bool tabbed = title.isEmpty();
    auto* surface = new Surface(theme, Tone::chrome, Edge::bottom);
    surface->setFixedHeight(tabbed ? tabs_height : title_height);
    auto* row = new QHBoxLayout(surface);
    row->setContentsMargins(tabbed ? 8 : 16, 0, 8, 0);
    row->setSpacing(4);
    row->addStrut(tabbed ? tabs_height : title_height);  // the dock asks for the hint only
    if (tabbed) {
        tabs_ = new QTabBar;
        tabs_->setDrawBase(false);
        tabs_->setExpanding(false);
        tabs_->setAccessibleName(tr("Tools"));
        tabs_->setFixedHeight(tabs_height);
        row->addWidget(tabs_);
        connect(tabs_, &QTabBar::currentChanged, pages_, &QStackedWidget::setCurrentIndex);
        connect(tabs_, &QTabBar::tabBarClicked, this, [this](int index) {
            if (index >= 0 && folded_) {
                set_folded(false);
            }
        });
    } else {
        row->addWidget(new Label(theme, title, TextSize::secondary, Tone::text, 600));
    }
    row->addStretch();
    if (tabbed) {
        fold_ = title_button(theme, QStringLiteral("chevron-down"), tr("Fold to the tabs"));
        connect(fold_, &QToolButton::clicked, this, [this] { set_folded(!folded_); });
        connect(this, &PanelDock::folded_changed, this, [this, &theme](bool folded) {
            fold_->setIcon(theme.icon(folded ? QStringLiteral("chevron-up") : QStringLiteral("chevron-down"),
                                      Tone::secondary));
            fold_->setToolTip(folded ? tr("Unfold") : tr("Fold to the tabs"));
            fold_->setAccessibleName(fold_->toolTip());
        });
        row->addWidget(fold_);
    }
    auto* floating = title_button(theme, QStringLiteral("float"), tr("Detach or attach this panel"));
    connect(floating, &QToolButton::clicked, this, [this] { setFloating(!isFloating()); });
    row->addWidget(floating);
    auto* shut = title_button(theme, QStringLiteral("close"), tr("Close this panel; View brings it back"));
    connect(shut, &QToolButton::clicked, this, &QDockWidget::close);
    row->addWidget(shut);
    title_row_ = surface;
    setTitleBarWidget(surface);
}

void PanelDock::add_page(const QString& id, const QString& title, QWidget* page) {
    page_ids_.append(id);
    pages_->addWidget(page);
    if (tabs_) {
        tabs_->addTab(title);
    }
}

void PanelDock::show_page(const QString& id) {
    const qsizetype index = page_ids_.indexOf(id);
    if (index < 0) {
        return;
    }
    if (tabs_) {
        tabs_->setCurrentIndex(int(index));
    }
    pages_->setCurrentIndex(int(index));
}

QString PanelDock::current_page() const {
    return page_ids_.value(pages_->currentIndex());
}

void PanelDock::set_folded(bool folded) {
    if (folded == folded_) {
        return;
    }
    folded_ = folded;
    pages_->setVisible(!folded);
    setMaximumHeight(folded ? title_row_->height() : QWIDGETSIZE_MAX);
    Q_EMIT folded_changed(folded);
}

Docks::Docks(QMainWindow& window, const PanelContext& context, QSettings& settings)
    : QObject(&window), window_(window), settings_(settings) {
    window.setDockOptions(QMainWindow::AllowTabbedDocks | QMainWindow::AllowNestedDocks);
    window.setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
    window.setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    window.setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    bottom_ = new PanelDock(context.theme, QStringLiteral("tools"), {}, &window);
    bottom_->setWindowTitle(tr("Tools"));
    for (const PanelEntry& entry : panel_catalog()) {
        QWidget* panel = entry.make(context);
        panels_.insert(entry.id, panel);
        PanelDock* dock = bottom_;
        if (entry.place != PanelPlace::bottom) {
            PanelDock*& side = entry.place == PanelPlace::left ? left_ : right_;
            side = new PanelDock(context.theme, entry.id, entry.title, &window);
            dock = side;
        }
        dock->add_page(entry.id, entry.title, panel);
        dock_of_.insert(entry.id, dock);
    }
    left_->setMinimumWidth(200);
    right_->setMinimumWidth(280);
    arrange();
    layout_ = settings.value(layout_key).toByteArray();
    bottom_->show_page(settings.value(page_key).toString());
    for (PanelDock* dock : docks()) {
        dock->hide();
    }
}

void Docks::arrange() {
    window_.addDockWidget(Qt::LeftDockWidgetArea, left_);
    window_.addDockWidget(Qt::RightDockWidgetArea, right_);
    window_.addDockWidget(Qt::BottomDockWidgetArea, bottom_);
    for (PanelDock* dock : docks()) {
        dock->setFloating(false);
        dock->show();
    }
    if (narrow_) {
        window_.tabifyDockWidget(right_, left_);
        right_->raise();
    }
    QHash<PanelDock*, int> sizes;
    for (const PanelEntry& entry : panel_catalog()) {
        sizes.insert(dock_of_.value(entry.id), entry.size);
    }
    window_.resizeDocks({left_, right_}, {sizes.value(left_), narrow_ ? 320 : sizes.value(right_)},
                        Qt::Horizontal);
    const int most = sizes.value(bottom_) + 56;
    window_.resizeDocks({bottom_}, {std::clamp(window_.height() - work_height, 160, most)}, Qt::Vertical);
    bottom_->set_folded(low_ || crowded_);
}

void Docks::add_toggles(QMenu& menu) {
    for (const PanelEntry& entry : panel_catalog()) {
        if (entry.place == PanelPlace::bottom) {
            QAction* reveal_tab = menu.addAction(entry.title);
            connect(reveal_tab, &QAction::triggered, this, [this, id = entry.id] { reveal(id); });
        } else {
            QAction* toggle = dock_of_.value(entry.id)->toggleViewAction();
            toggle->setText(entry.title);
            menu.addAction(toggle);
        }
    }
    QAction* tools = bottom_->toggleViewAction();
    tools->setText(tr("Bottom dock"));
    menu.addAction(tools);
}

void Docks::reveal(const QString& panel_id) {
    PanelDock* dock = dock_of_.value(panel_id);
    if (!dock || !session_) {
        return;
    }
    dock->set_folded(false);
    dock->show();
    dock->raise();
    dock->show_page(panel_id);
}

void Docks::show_for_session(bool session) {
    if (session == session_) {
        return;
    }
    if (!session) {
        save();
        session_ = false;
        for (PanelDock* dock : docks()) {
            dock->hide();
        }
    } else {
        session_ = true;
        fitted_ = false;
        if (layout_.isEmpty() || !window_.restoreState(layout_, layout_version)) {
            fit(window_.size());
            arrange();
        } else {
            narrow_ = window_.width() < narrow_width;
            low_ = window_.height() < low_height;
            bottom_->set_folded(crowded_ || settings_.value(folded_key).toBool());
        }
        fitted_ = true;
    }
    for (PanelDock* dock : docks()) {
        dock->toggleViewAction()->setEnabled(session);
    }
}

void Docks::fit(const QSize& size) {
    const bool narrow = size.width() < narrow_width;
    const bool low = size.height() < low_height;
    const bool was_narrow = narrow_;
    const bool was_low = low_;
    narrow_ = narrow;
    low_ = low;
    if (!session_ || !fitted_) {
        return;
    }
    if (narrow != was_narrow) {
        if (narrow) {
            window_.tabifyDockWidget(right_, left_);
            right_->raise();
        } else {
            window_.addDockWidget(Qt::LeftDockWidgetArea, left_);
            window_.resizeDocks({left_}, {240}, Qt::Horizontal);
        }
    }
    if (low != was_low) {
        bottom_->set_folded(low || crowded_);
    }
}

void Docks::set_crowded(bool crowded) {
    if (crowded != crowded_) {
        crowded_ = crowded;
        if (session_) {
            bottom_->set_folded(low_ || crowded);
        }
    }
}

void Docks::reset() {
    if (session_) {
        fitted_ = true;
        arrange();
    }
}

void Docks::save() {
    if (session_) {
        layout_ = window_.saveState(layout_version);
        settings_.setValue(folded_key, bottom_->folded());
        settings_.setValue(page_key, bottom_->current_page());
    }
    settings_.setValue(layout_key, layout_);
}

}  // namespace plumbline::ui
