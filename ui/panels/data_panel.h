#pragma once
// The labels of this session, to look through.

#include "ui/bridge/session_state.h"
#include "ui/controls/surface.h"

class QLineEdit;
class QSortFilterProxyModel;
class QTableView;

namespace plumbline::ui {

class Label;

/// State and theme must outlive it.
class DataPanel : public Surface {
    Q_OBJECT
  public:
    DataPanel(SessionState& state, const Theme& theme, QWidget* parent = nullptr);

    QTableView& table() const { return *table_; }
    QLineEdit& filter() const { return *filter_; }
    void copy_selected() const;  // rows as tab-separated lines

  private:
    void count();

    SessionState& state_;
    QLineEdit* filter_;
    Label* count_;
    QTableView* table_;
    QSortFilterProxyModel* rows_;
};

}  // namespace plumbline::ui
