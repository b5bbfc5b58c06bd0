#pragma once
// The labels as a table: what was asked, what was preferred.

#include <QAbstractTableModel>
#include <vector>

#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"

namespace plumbline::ui {

/// One row a label, newest first; labels that were taken back are greyed. State and theme must outlive it.
class LabelTable : public QAbstractTableModel {
    Q_OBJECT
  public:
    enum Column { number, time, prompt, choice, chosen, rejected, columns };
    static constexpr int sort_role = Qt::UserRole + 1;

    LabelTable(SessionState& state, const Theme& theme, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    void refresh();
    std::vector<HistoryRow> rows_;
    SessionState& state_;
    const Theme& theme_;
};

}  // namespace plumbline::ui
