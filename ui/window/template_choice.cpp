#include "ui/window/template_choice.h"

#include <QPushButton>
#include <QVBoxLayout>

#include "ui/controls/availability.h"
#include "ui/controls/label.h"
#include "ui/window/chat_template_dialog.h"

namespace plumbline::ui {

TemplateChoice::TemplateChoice(const Theme& theme, QWidget* parent) : QWidget(parent), theme_(theme) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    name_ = new Label(theme, {}, TextSize::interface);
    name_->set_elided(Qt::ElideRight);
    name_->setMinimumHeight(32);
    edit_ = new QPushButton(tr("Edit…"), this);
    edit_->setAutoDefault(false);
    edit_->setAccessibleName(tr("Chat template…"));
    edit_->setToolTip(tr("Shows the template, what it makes of a dialogue, and takes another one"));
    note_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    note_->setWordWrap(true);
    column->addWidget(name_);
    column->addWidget(note_);
    note_->hide();
    setFocusProxy(edit_);
    connect(edit_, &QPushButton::clicked, this, &TemplateChoice::edit);
    connect(&reader_, &TemplateReader::read, this, &TemplateChoice::show_model);
    connect(&reader_, &TemplateReader::written, this, &TemplateChoice::show_template);
    connect(&reader_, &TemplateReader::failed, this, [this](const QString& message) {
        name_->setText(tr("not known"));
        note_->setText(message);
        note_->set_tone(Tone::warning);
        note_->show();
        set_available(*edit_, tr("The model cannot be read"));
    });
}

void TemplateChoice::choose_model(const QString& model, const QString& title) {
    if (model == model_) {
        return;
    }
    model_ = model;
    title_ = title;
    read_.reset();
    note_->hide();
    note_->clear();
    name_->setText(model.isEmpty() ? QString() : tr("reading…"));
    set_available(*edit_, model.isEmpty() ? tr("Choose a model first") : tr("The model's files are being read"));
    if (!model.isEmpty()) {
        reader_.ask_model(model);
    }
}

void TemplateChoice::show_model(const ModelTemplate& read) {
    read_ = read;
    set_available(*edit_, {});
    ask();
}

void TemplateChoice::ask() {
    const QString own = jinja();
    reader_.ask_dialogue(own.isEmpty() ? QString::fromStdString(read_->jinja) : own, *read_, {{"user", "Hello"}});
}

void TemplateChoice::show_template(const WrittenDialogue& dialogue) {
    const QString name = QString::fromStdString(dialogue.name);
    const bool plain = writes_plain_text(dialogue.name);
    name_->setText(plain               ? tr("none: plain text")
                   : jinja().isEmpty() ? tr("%1, the model's own").arg(name)
                                       : tr("%1, your own text").arg(name));
    note_->setText(QString::fromStdString(dialogue.note));
    note_->set_tone(plain ? Tone::warning : Tone::secondary);
    note_->setVisible(!dialogue.note.empty());
}

void TemplateChoice::edit() {
    if (!read_) {
        return;
    }
    auto* dialog = new ChatTemplateDialog(theme_, TemplateUse::edit, title_, *read_, jinja(), instructions_, window());
    connect(dialog, &ChatTemplateDialog::chosen, this, [this](const QString& jinja) {
        own_[model_] = jinja;
        ask();
    });
    dialog->open();
}

QString TemplateChoice::text() const {
    return name_->text();
}

QString TemplateChoice::note() const {
    return note_->isHidden() ? QString() : note_->text();
}

}  // namespace plumbline::ui
