#include "ui/window/model_dialogs.h"

#include <QDesktopServices>
#include <QDir>
#include <QUrl>

#include "ui/window/chat_template_dialog.h"
#include "ui/window/new_session_dialog.h"

namespace plumbline::ui {

ModelDialogs::ModelDialogs(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget& window)
    : QObject(&window), bridge_(bridge), state_(state), theme_(theme), window_(window) {
    connect(&catalog_, &ModelCatalog::added, this, &ModelDialogs::added);
    connect(&catalog_, &ModelCatalog::failed, this, [this](const QString& message) {
        if (!dialog_) {
            Q_EMIT failed(message);
        }
    });
    connect(&templates_, &TemplateReader::failed, this, &ModelDialogs::failed);
    connect(&templates_, &TemplateReader::read, this, [this](const ModelTemplate& read) {
        if (state_.open()) {
            const SessionConfig& config = state_.config();
            (new ChatTemplateDialog(theme_, TemplateUse::look, state_.model_title(), read,
                                    QString::fromStdString(config.chat_template),
                                    QString::fromStdString(config.system_prompt), &window_))
                ->open();
        }
    });
}

void ModelDialogs::ask_new_session(const QString& model) {
    auto* dialog = new NewSessionDialog(theme_, catalog_.models(), &window_);
    if (!model.isEmpty()) {
        dialog->choose_model(model);
    }
    connect(&catalog_, &ModelCatalog::changed, dialog, [this, dialog] { dialog->show_models(catalog_.models()); });
    connect(dialog, &NewSessionDialog::wanted, this, [this](const NewSession& session) { bridge_.post(session); });
    dialog->open();
}

void ModelDialogs::show_catalogue(const QString& chosen) {
    if (!dialog_) {
        dialog_ = new ModelsDialog(theme_, catalog_, &window_);
        connect(dialog_, &ModelsDialog::use_wanted, this, &ModelDialogs::ask_new_session);
        connect(dialog_, &ModelsDialog::folder_wanted, this, &ModelDialogs::show_folder);
    }
    dialog_->select(chosen);
    dialog_->open();
}

void ModelDialogs::show_chat_template() {
    templates_.ask_model(QString::fromStdString(state_.model().path));
}

// Dropped on the window: one model is to be used, several are to be looked at. What is added in the catalogue stays
// there.
void ModelDialogs::added(const QStringList& names) {
    if (!dialog_) {
        names.size() == 1 ? ask_new_session(names.front()) : show_catalogue(names.front());
    }
}

void ModelDialogs::show_folder(const QString& path) {
    QDir().mkpath(path);  // the models folder is made when it is first needed
    QDesktopServices::openUrl(QUrl::fromLocalFile(path));
}

}  // namespace plumbline::ui
