#include "ui/window/model_files.h"

#include <QFileInfo>
#include <QMenu>
#include <QMimeData>
#include <QUrl>

#include "core/api/catalog.h"
#include "ui/controls/ask_file.h"

namespace plumbline::ui {

namespace {

bool is_model(const QString& path) {
    return looks_like_model(path.toStdString());
}

}  // namespace

QString model_of(const QString& file) {
    const QFileInfo info(file);
    const bool part = info.fileName() == QLatin1String("config.json") ||
                      info.suffix().compare(QLatin1String("safetensors"), Qt::CaseInsensitive) == 0;
    return part && is_model(info.path()) ? info.path() : file;
}

DroppedFiles dropped_files(const QMimeData& data) {
    DroppedFiles files;
    const QList<QUrl> urls = data.urls();
    for (const QUrl& url : urls) {
        const QFileInfo info(url.toLocalFile());
        const QString path = info.filePath(), suffix = info.suffix().toLower();
        if (urls.size() == 1 && suffix == QLatin1String("plumb")) {
            files.session = path;
        } else if (urls.size() == 1 && suffix == QLatin1String("txt")) {
            files.prompts = path;
        } else if (urls.size() == 1 && (suffix == QLatin1String("jsonl") || suffix == QLatin1String("csv") ||
                                        suffix == QLatin1String("gz"))) {
            files.preferences = path;
        } else if (is_model(path)) {
            files.models.append(path);
        } else if (suffix == QLatin1String("safetensors") && is_model(info.path())) {
            if (!files.models.contains(info.path())) {
                files.models.append(info.path());
            }
        }
    }
    return files;
}

QMenu* model_file_menu(QWidget& parent, const std::function<void(const QString&)>& take) {
    auto* menu = new QMenu(&parent);
    QAction* file = menu->addAction(QMenu::tr("A &GGUF file…"));
    file->setToolTip(QMenu::tr("One .gguf file"));
    QObject::connect(file, &QAction::triggered, &parent, [&parent, take] {
        ask_file(&parent, QMenu::tr("A GGUF file"), {}, QMenu::tr("Models (*.gguf)"), take);
    });
    QAction* folder = menu->addAction(QMenu::tr("A &Hugging Face folder…"));
    folder->setToolTip(QMenu::tr("A folder with config.json, *.safetensors and tokenizer.json"));
    QObject::connect(folder, &QAction::triggered, &parent,
                     [&parent, take] { ask_folder(&parent, QMenu::tr("A Hugging Face folder"), take); });
    menu->setToolTipsVisible(true);
    return menu;
}

}  // namespace plumbline::ui
