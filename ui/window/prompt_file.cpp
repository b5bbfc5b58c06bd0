#include "ui/window/prompt_file.h"

#include <QCoreApplication>
#include <QFile>
#include <QSet>
#include <QStringDecoder>

namespace plumbline::ui {

namespace {

constexpr qint64 most_bytes = 4 * 1024 * 1024;

QString tr(const char* text) {
    return QCoreApplication::translate("PromptFile", text);
}

}  // namespace

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
    QStringDecoder decode(QStringDecoder::Utf8);
    const QString text = decode(file.read(most_bytes));
    if (decode.hasError() || text.contains(QChar(0))) {
        problem =
            tr("prompts from file: %1 is not UTF-8 text; save it as UTF-8, one prompt a line").arg(path);
        return {};
    }
    std::vector<std::string> prompts;
    QSet<QString> seen;
    for (const QString& line : text.split(QLatin1Char('\n'))) {
        const QString prompt = line.trimmed();
        if (!prompt.isEmpty() && !seen.contains(prompt)) {
            seen.insert(prompt);
            prompts.push_back(prompt.toStdString());
        }
    }
    if (prompts.empty()) {
        problem = tr("prompts from file: %1 has no prompt; write one a line").arg(path);
    }
    return prompts;
}

}  // namespace plumbline::ui
