#pragma once
// Asking for files: dialogs that do not block, remember nothing, and hand over one path.

#include <QFileDialog>
#include <functional>

namespace plumbline::ui {

using TakePath = std::function<void(const QString&)>;

/// One that is there.
QFileDialog* ask_file(QWidget* parent, const QString& title, const QString& folder, const QString& filter,
                      const TakePath& take);
QFileDialog* ask_folder(QWidget* parent, const QString& title, const TakePath& take);

enum class Replace { ask, allow };   // what is there already: the dialog asks, or whoever takes the path sees to it

/// Where to write. `suggested` is a path or a name; a name without an ending gets `suffix`.
QFileDialog* ask_place(QWidget* parent, const QString& title, const QString& suggested, const QString& filter,
                       const QString& suffix, const TakePath& take, Replace replace = Replace::ask);

}  // namespace plumbline::ui
