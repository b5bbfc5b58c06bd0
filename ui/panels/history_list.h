#pragma once
// What was answered, newest first.

#include <QAbstractListModel>
#include <QStyledItemDelegate>
#include <vector>

#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"

namespace plumbline::ui {

class HistoryModel : public QAbstractListModel {
    Q_OBJECT
  public:
    enum Role { step_role = Qt::UserRole + 1, undone_role, latest_role };
    explicit HistoryModel(SessionState& state, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

  private:
    void refresh();
    std::vector<HistoryRow> rows_;  // oldest first, as in the state
    SessionState& state_;
};

/// A dot on the line of time, the words, and the policy's step after it.
class HistoryDelegate : public QStyledItemDelegate {
    Q_OBJECT
  public:
    explicit HistoryDelegate(const Theme& theme, QObject* parent = nullptr);
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

  private:
    const Theme& theme_;
};

}  // namespace plumbline::ui
