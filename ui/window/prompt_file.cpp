#include "ui/window/prompt_file.h"

#include <QCoreApplication>
#include <QFile>
#include <QFileInfo>
#include <QSet>
#include <QStringDecoder>

#include "core/api/errors.h"
#include "core/api/offline.h"

namespace plumbline::ui {

namespace {

constexpr qint64 most_bytes = 4 * 1024 * 1024;

QString tr(const char* text) {
    return QCoreApplication::translate("PromptFile", text);
}

/// Keeps each prompt once, in the order in which they come.
class Prompts {
  public:
    void add(const QString& text) {
        const QString prompt = text.trimmed();
        if (!prompt.isEmpty() && !seen_.contains(prompt)) {
            seen_.insert(prompt);
            texts.push_back(prompt.toStdString());
        }
    }
    std::vector<std::string> texts;

  private:
    QSet<QString> seen_;
};

void read_lines(const QByteArray& bytes, const QString& path, Prompts& prompts, QString& problem) {
    QStringDecoder decode(QStringDecoder::Utf8);
    const QString text = decode(bytes);
    if (decode.hasError() || text.contains(QChar(0))) {
        problem =
            tr("prompts from file: %1 is not UTF-8 text; save it as UTF-8, one prompt a line").arg(path);
        return;
    }
    for (const QString& line : text.split(QLatin1Char('\n'))) {
        prompts.add(line);
    }
    if (prompts.texts.empty()) {
        problem = tr("prompts from file: %1 has no prompt; write one a line").arg(path);
    }
}

}  // namespace

QString prompt_patterns() {
    return tr("Prompts (*.txt *.jsonl *.csv *.gz);;All files (*)");
}

std::vector<std::string> read_prompt_file(const QString& path, QString& problem) {
    problem.clear();
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        problem =
            tr("prompts from file: %1: %2; choose a file that can be read").arg(path, file.errorString());
        return {};
    }
    if (file.size() > most_bytes) {
        problem = tr("prompts from file: %1 has %2 bytes, more than 4 MB; choose a smaller file")
                      .arg(path)
                      .arg(file.size());
        return {};
    }
    Prompts prompts;
    const QString suffix = QFileInfo(path).suffix().toLower();
    if (suffix == QLatin1String("jsonl") || suffix == QLatin1String("csv") || suffix == QLatin1String("gz")) {
        try {
            for (const std::string& text : read_prompt_texts(path.toStdString())) {
                prompts.add(QString::fromStdString(text));
            }
        } catch (const Error& error) {
            problem = QString::fromUtf8(error.what());
        }
    } else {
        read_lines(file.read(most_bytes), path, prompts, problem);
    }
    return problem.isEmpty() ? prompts.texts : std::vector<std::string>();
}

}  // namespace plumbline::ui
