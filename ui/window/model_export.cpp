#include "ui/window/model_export.h"

#include <QAction>
#include <QDesktopServices>
#include <QFileInfo>
#include <QUrl>

#include "core/api/recommended.h"
#include "ui/controls/availability.h"
#include "ui/controls/figures.h"
#include "ui/controls/notice.h"
#include "ui/window/export_model_dialog.h"
#include "ui/window/status_row.h"

namespace plumbline::ui {

ModelExport::ModelExport(EngineBridge& bridge, SessionState& state, const Theme& theme, Notice& notice,
                         StatusRow& status, QWidget& window)
    : QObject(&window),
      bridge_(bridge),
      state_(state),
      theme_(theme),
      notice_(notice),
      status_(status),
      window_(window) {
    action = new QAction(tr("Export m&odel…"), this);
    action->setShortcut(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_E));
    action->setToolTip(tr("The policy for peft, transformers or llama.cpp (%1)")
                           .arg(action->shortcut().toString(QKeySequence::NativeText)));
    connect(action, &QAction::triggered, this, &ModelExport::ask);
    connect(&state, &SessionState::phase_changed, this, &ModelExport::refresh);
    connect(&bridge, &EngineBridge::model_exported, this, qOverload<const ModelExported&>(&ModelExport::told));
    connect(&bridge, &EngineBridge::job_ended, this, qOverload<const JobEnded&>(&ModelExport::told));
    refresh();
}

void ModelExport::refresh() {
    set_available(*action, state_.open() ? QString() : tr("There is no session"));
}

void ModelExport::ask() {
    const QString name = QFileInfo(file_name(state_.project_path())).completeBaseName();
    auto* dialog = new ExportModelDialog(theme_, state_.model(), name,
                                         trains_all_weights(state_.config().lora, state_.model().parameters), &window_);
    connect(dialog, &ExportModelDialog::wanted, this, [this](const ExportModel& command) { bridge_.post(command); });
    dialog->open();
}

void ModelExport::told(const ModelExported& exported) {
    const ExportModelResult& result = exported.result;
    const QFileInfo info(QString::fromStdString(exported.path));
    const QString size = memory_size(static_cast<std::int64_t>(result.bytes));
    const QString tensors = counted(result.tensors, tr("tensor"), tr("tensors"));
    const QString type = QString::fromStdString(result.type).toUpper();
    QString text = type.isEmpty() ? tr("%1 written: an adapter of %2, %3.").arg(info.fileName(), tensors, size)
                                  : tr("%1 written: %2 as %3, %4.").arg(info.fileName(), tensors, type, size);
    for (const std::string& note : result.notes) {
        text += tr(" Note: %1.").arg(QString::fromStdString(note));
    }
    const QString folder = info.isDir() ? info.absoluteFilePath() : info.absolutePath();
    const auto show = [folder] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); };
    notice_.show_done(text, {{tr("Show folder"), show}});
}

// What it failed with stands where every command's failure does.
void ModelExport::told(const JobEnded& ended) {
    if (ended.end == JobEnd::stopped && ended.job.starts_with("Writing ")) {
        status_.say(tr("Export stopped; nothing was written"));
    }
}

}  // namespace plumbline::ui
