#pragma once
// The catalogue of models: what is on this computer, what one has elsewhere, what can be fetched by hand; what each
// needs, and whether that fits.

#include <QDialog>

#include "ui/bridge/model_catalog.h"
#include "ui/theme/theme.h"

class QLineEdit;
class QListView;

namespace plumbline::ui {

class Label;
class ModelDetails;
class ModelRows;
class Notice;

/// Takes dropped models. Catalogue and theme must outlive it.
class ModelsDialog : public QDialog {
    Q_OBJECT
  public:
    ModelsDialog(const Theme& theme, ModelCatalog& catalog, QWidget* parent);

    QLineEdit& search() const { return *search_; }
    QListView& list() const { return *list_; }
    ModelDetails& details() const { return *details_; }
    Notice& notice() const { return *notice_; }
    QString count() const;
    /// Shows a model's details, dropping a search that would hide it.
    void select(const QString& name);

  Q_SIGNALS:
    void use_wanted(const QString& name);
    void folder_wanted(const QString& path);

  protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    QWidget* build_head();
    QWidget* build_list();
    QWidget* build_foot();
    void refresh();
    void show_current();

    const Theme& theme_;
    ModelCatalog& catalog_;
    ModelRows* rows_;
    QLineEdit* search_;
    QListView* list_;
    ModelDetails* details_;
    Notice* notice_;
    Label* count_;
    QString wanted_;  // the model to show when the list has been read anew
};

}  // namespace plumbline::ui
