#pragma once
// The docks around the work area, from the panel catalogue; their layout, narrow and wide, and its memory.

#include <QDockWidget>
#include <QHash>
#include <QObject>
#include <QString>

#include "ui/panels/catalog.h"

class QMainWindow;
class QMenu;
class QSettings;
class QStackedWidget;
class QTabBar;
class QToolButton;

namespace plumbline::ui {

/// A dock whose title row is its own: the panels' tabs, or one title.
class PanelDock : public QDockWidget {
    Q_OBJECT
  public:
    PanelDock(const Theme& theme, const QString& id, const QString& title, QWidget* parent);

    void add_page(const QString& id, const QString& title, QWidget* page);  // of the bottom dock
    void show_page(const QString& id);
    QString current_page() const;
    /// Folded, only the title row is left.
    void set_folded(bool folded);
    bool folded() const { return folded_; }

  Q_SIGNALS:
    void folded_changed(bool folded);

  private:
    void build_title(const Theme& theme, const QString& title);

    QWidget* title_row_;
    QTabBar* tabs_ = nullptr;
    QStackedWidget* pages_;
    QToolButton* fold_ = nullptr;
    QStringList page_ids_;
    bool folded_ = false;
};

/// Owns nothing: the docks belong to the window. The settings must outlive it.
class Docks : public QObject {
    Q_OBJECT
  public:
    Docks(QMainWindow& window, const PanelContext& context, QSettings& settings);

    void add_toggles(QMenu& menu);
    void reveal(const QString& panel_id);  // shows its dock and its tab
    QWidget* panel(const QString& id) const { return panels_.value(id); }

    /// Hidden while there is no session; their layout is kept meanwhile.
    void show_for_session(bool session);
    /// Narrow windows stack both side docks, low ones fold the bottom dock.
    void fit(const QSize& size);
    /// So many replies stand in the work area that the bottom dock makes room for them.
    void set_crowded(bool crowded);
    void reset();
    void save();

  private:
    void arrange();
    QList<PanelDock*> docks() const { return {left_, right_, bottom_}; }

    QMainWindow& window_;
    QSettings& settings_;
    PanelDock* left_ = nullptr;
    PanelDock* right_ = nullptr;
    PanelDock* bottom_ = nullptr;
    QHash<QString, QWidget*> panels_;
    QHash<QString, PanelDock*> dock_of_;
    QByteArray layout_;  // of the session view, while the start screen is shown
    bool session_ = false;
    bool narrow_ = false;
    bool low_ = false;
    bool crowded_ = false;
    bool fitted_ = false;
};

}  // namespace plumbline::ui
