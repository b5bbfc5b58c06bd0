#pragma once
// How a person hands over files: dropped on the window, or chosen in a dialog.

#include <QString>
#include <QStringList>
#include <functional>

class QMenu;
class QMimeData;
class QWidget;

namespace plumbline::ui {

/// What a drop holds that this program takes; all empty: nothing. One session, or one file of prompts (text) or of
/// preferences (JSON lines, CSV, also packed), or any number of models: .gguf files, folders with config.json, or a
/// .safetensors file in such a folder.
struct DroppedFiles {
    QString session, prompts, preferences;
    QStringList models;
    bool any() const { return !session.isEmpty() || needs_session() || !models.isEmpty(); }
    bool needs_session() const { return !prompts.isEmpty() || !preferences.isEmpty(); }
};
DroppedFiles dropped_files(const QMimeData& data);

/// What a dialog shows of models: a folder is chosen by one of its files.
inline const QString model_patterns = QStringLiteral("*.gguf config.json *.safetensors");
/// The model that a chosen file is, or belongs to.
QString model_of(const QString& file);

/// A menu that asks for a model's file or for its folder, and hands over the path. The dialogs do not block.
QMenu* model_file_menu(QWidget& parent, const std::function<void(const QString&)>& take);

}  // namespace plumbline::ui
