#include "ui/window/session_files.h"

#include <QDir>
#include <QFileInfo>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "ui/controls/ask_file.h"
#include "ui/window/model_files.h"
#include "ui/window/prompt_file.h"
#include "ui/window/status_row.h"
#include "ui/window/usual_settings.h"

namespace plumbline::ui {

namespace {

QString sessions_folder() {
    try {
        const QString folder = QString::fromStdString((data_folder() / "sessions").string());
        return QDir(folder).exists() ? folder : QString();
    } catch (const Error&) {
        return {};
    }
}

}  // namespace

SessionFiles::SessionFiles(EngineBridge& bridge, SessionState& state, StatusRow& status, QWidget& window)
    : QObject(&window), bridge_(bridge), state_(state), status_(status), window_(window) {
    connect(&bridge, &EngineBridge::command_failed, this, [this](const CommandFailed& failure) {
        if (!state_.open() && failure.message != "stopped") {
            tell_failure(QString::fromStdString(failure.message));
        }
    });
}

void SessionFiles::tell_failure(const QString& message) {
    std::vector<Notice::Way> ways;
    const auto& last = state_.last_open();
    const auto* open = last ? std::get_if<OpenSession>(&*last) : nullptr;
    if (open && message.contains(QLatin1String("its model"))) {
        ways.push_back({tr("Locate model…"), [this] { locate_model(); }});
    } else if (last) {
        ways.push_back({tr("Retry"), [this] { bridge_.post(*state_.last_open()); }});
    }
    Q_EMIT opening_failed(message, ways);
}

void SessionFiles::open_path(const QString& path) {
    const QFileInfo info(path);
    if (info.suffix().compare(QLatin1String("plumb"), Qt::CaseInsensitive) == 0) {
        bridge_.post(OpenSession{info.absoluteFilePath().toStdString(), {}});
    } else {
        start_model(info.exists() ? model_of(info.absoluteFilePath()) : path);
    }
}

void SessionFiles::start_model(const QString& name_or_path) {
    NewSession session;
    session.model = name_or_path.toStdString();
    session.config = usual_settings(session.model);
    bridge_.post(session);
}

void SessionFiles::ask_open() {
    ask_file(&window_, tr("Open a session or a model"), sessions_folder(),
             tr("Sessions and models (*.plumb %1);;Sessions (*.plumb);;Models (%1)").arg(model_patterns),
             [this](const QString& path) { open_path(path); });
}

void SessionFiles::ask_model_folder() {
    ask_folder(&window_, tr("Open a model folder"), [this](const QString& path) { open_path(path); });
}

void SessionFiles::locate_model() {
    ask_file(&window_, tr("Where is the model now? A .gguf file, or a file of its folder"), {},
             tr("Models (%1)").arg(model_patterns), [this](const QString& path) {
                 const auto& last = state_.last_open();
                 if (const auto* open = last ? std::get_if<OpenSession>(&*last) : nullptr) {
                     bridge_.post(OpenSession{open->project_path, model_of(path).toStdString()});
                 }
             });
}

void SessionFiles::ask_prompts() {
    ask_file(&window_, tr("Prompts, one a line"), {}, prompt_patterns(),
             [this](const QString& path) { add_prompts(path); });
}

void SessionFiles::add_prompts(const QString& path) {
    QString problem;
    std::vector<std::string> prompts = read_prompt_file(path, problem);
    if (!problem.isEmpty()) {
        Q_EMIT failed(problem);
        return;
    }
    status_.say(tr("%1 prompts from %2").arg(prompts.size()).arg(QFileInfo(path).fileName()));
    bridge_.post(AddPrompts{std::move(prompts), false});
}

void SessionFiles::ask_copy() {
    ask_place(&window_, tr("Save a copy"), sessions_folder() + QLatin1Char('/'), tr("Plumbline sessions (*.plumb)"),
              QStringLiteral("plumb"), [this](const QString& path) {
                  bridge_.post(SaveCopy{path.toStdString()});
                  status_.say(tr("Saving a copy to %1").arg(QFileInfo(path).fileName()));
              });
}

}  // namespace plumbline::ui
