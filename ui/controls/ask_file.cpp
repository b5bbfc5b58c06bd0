#include "ui/controls/ask_file.h"

#include <QFileInfo>
#include <QHeaderView>
#include <QSplitter>
#include <QTreeView>

namespace plumbline::ui {

namespace {

QFileDialog* made(QWidget* parent, const QString& title, const QString& folder, const QString& filter,
                  const TakePath& take) {
    auto* dialog = new QFileDialog(parent, title, folder, filter);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    QObject::connect(dialog, &QFileDialog::fileSelected, parent, take);
    return dialog;
}

/// Qt's own dialog, where the desktop has none, cuts sizes and dates off.
void open(QFileDialog* dialog) {
    dialog->open();
    auto* files = dialog->findChild<QTreeView*>(QStringLiteral("treeView"));
    auto* halves = dialog->findChild<QSplitter*>(QStringLiteral("splitter"));
    if (files && halves) {
        dialog->resize(820, 500);
        halves->setSizes({160, 640});
        files->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
        files->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    }
}

}  // namespace

QFileDialog* ask_file(QWidget* parent, const QString& title, const QString& folder, const QString& filter,
                      const TakePath& take) {
    QFileDialog* dialog = made(parent, title, folder, filter, take);
    dialog->setFileMode(QFileDialog::ExistingFile);
    open(dialog);
    return dialog;
}

QFileDialog* ask_folder(QWidget* parent, const QString& title, const TakePath& take) {
    QFileDialog* dialog = made(parent, title, {}, {}, take);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    open(dialog);
    return dialog;
}

QFileDialog* ask_place(QWidget* parent, const QString& title, const QString& suggested, const QString& filter,
                       const QString& suffix, const TakePath& take, Replace replace) {
    const QFileInfo info(suggested);
    QFileDialog* dialog = made(parent, title, info.isAbsolute() ? info.absolutePath() : QString(), filter, take);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setFileMode(QFileDialog::AnyFile);
    dialog->setDefaultSuffix(suffix);
    dialog->setOption(QFileDialog::DontConfirmOverwrite, replace == Replace::allow);
    dialog->selectFile(info.fileName());
    open(dialog);
    return dialog;
}

}  // namespace plumbline::ui
