#pragma once
// The catalogue as the rows of a list, under headings, narrowed by a search.

#include <QAbstractListModel>
#include <QStyledItemDelegate>
#include <vector>

#include "ui/bridge/model_catalog.h"
#include "ui/theme/theme.h"

namespace plumbline::ui {

/// Headings cannot be selected. The catalogue must outlive it.
class ModelRows : public QAbstractListModel {
    Q_OBJECT
  public:
    enum Role { heading_role = Qt::UserRole + 1, facts_role, state_role, wrong_role, name_role };

    explicit ModelRows(const ModelCatalog& catalog, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;

    /// Rows that have every word of `text` in title, name, family, licence or place.
    void search(const QString& text);
    int row_of(const QString& name) const;  // -1: not in the list
    int first_model() const;                // -1: there is none

  private:
    void refresh();
    struct Row {
        QString heading;
        CatalogModel model;  // where the heading is empty
    };
    const ModelCatalog& catalog_;
    QStringList words_;
    std::vector<Row> rows_;
};

/// Two lines a model, its state at the right; one line a heading.
class ModelRowDelegate : public QStyledItemDelegate {
  public:
    ModelRowDelegate(const Theme& theme, QObject* parent) : QStyledItemDelegate(parent), theme_(theme) {}
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

  private:
    const Theme& theme_;
};

/// "536.7 k parameters, BF16, 1 MB"; of what cannot be opened, its place.
QString model_facts(const CatalogModel& model);

}  // namespace plumbline::ui
