#pragma once
// Asking for a file.

#include <QFileDialog>

namespace plumbline::ui {

/// A file dialog that does not block, remembers nothing, and hands over one path.
template <class Take>
QFileDialog* ask_file(QWidget* parent, const QString& title, const QString& folder, const QString& filter,
                      Take take) {
    auto* dialog = new QFileDialog(parent, title, folder, filter);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    QObject::connect(dialog, &QFileDialog::fileSelected, parent, take);
    dialog->open();
    return dialog;
}

}  // namespace plumbline::ui
