#pragma once
// A short text to read and close.

#include <QDialog>
#include <QList>
#include <QString>
#include <utility>

#include "ui/theme/theme.h"

class QVBoxLayout;

namespace plumbline::ui {

/// The theme must outlive it; deletes itself when closed.
class NoteDialog : public QDialog {
    Q_OBJECT
  public:
    NoteDialog(const Theme& theme, const QString& title, QWidget* parent);

    void add_text(const QString& text);
    void add_pairs(const QList<std::pair<QString, QString>>& pairs);

  private:
    const Theme& theme_;
    QVBoxLayout* body_;
};

}  // namespace plumbline::ui
