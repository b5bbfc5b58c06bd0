#include "ui/window/new_session_dialog.h"

#include <QComboBox>
#include <QEvent>
#include <QFileInfo>
#include <QGridLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>

#include "core/api/machine_memory.h"
#include "ui/controls/ask_file.h"
#include "ui/controls/figures.h"
#include "ui/controls/label.h"
#include "ui/controls/notice.h"
#include "ui/theme/style.h"
#include "ui/window/model_files.h"
#include "ui/window/prompt_file.h"
#include "ui/window/template_choice.h"
#include "ui/window/usual_settings.h"

namespace plumbline::ui {

NewSessionDialog::NewSessionDialog(const Theme& theme, const std::vector<CatalogModel>& models,
                                   QWidget* parent)
    : QDialog(parent) {
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("New session"));
    setMinimumWidth(560);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 24, 24, 24);
    column->setSpacing(16);
    notice_ = new Notice(theme);
    column->addWidget(new Label(theme, tr("New session"), TextSize::lesson_title, Tone::text, 600));
    column->addWidget(notice_);

    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(12);
    int line = 0;
    const auto field = [&](const QString& name, QWidget* widget, QWidget* beside) {
        auto* label = new Label(theme, name, TextSize::interface, Tone::secondary);
        label->setBuddy(widget);
        widget->setAccessibleName(name);
        grid->addWidget(label, line, 0, Qt::AlignTop | Qt::AlignLeft);
        label->setMinimumHeight(32);
        grid->addWidget(widget, line, 1, 1, beside ? 1 : 2);
        if (beside) {
            grid->addWidget(beside, line, 2, Qt::AlignTop);
        }
        ++line;
    };
    const auto browse = [&](const QString& name) {
        auto* button = new QPushButton(tr("Browse…"));
        button->setAutoDefault(false);
        button->setAccessibleName(name);
        return button;
    };

    model_ = new QComboBox;
    model_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    auto* browse_model = browse(tr("Browse for a model"));
    browse_model->setMenu(model_file_menu(*this, [this](const QString& path) {
        choose_model(path);
        notice_->clear();
    }));
    field(tr("Model"), model_, browse_model);
    need_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    need_->setWordWrap(true);
    grid->addWidget(need_, line++, 1, 1, 2);
    template_ = new TemplateChoice(theme);
    field(tr("Chat template"), template_, &template_->edit_button());
    place_ = new QLineEdit;
    place_->setPlaceholderText(tr("by itself, under today's date"));
    auto* browse_place = browse(tr("Browse for a place"));
    connect(browse_place, &QPushButton::clicked, this, &NewSessionDialog::browse_place);
    field(tr("Save as"), place_, browse_place);
    prompts_ = new QComboBox;
    prompts_->addItem({});
    prompts_->addItem(tr("From a text file, one a line…"));
    connect(prompts_, &QComboBox::activated, this, [this](int index) {
        if (index == 1) {
            auto* dialog = ask_file(this, tr("Prompts, one a line"), {}, prompt_patterns(),
                                    [this](const QString& path) { use_prompts_file(path); });
            connect(dialog, &QFileDialog::rejected, this, [this] { prompts_->setCurrentIndex(0); });
        }
    });
    field(tr("Prompts"), prompts_, nullptr);
    system_prompt_ = new QPlainTextEdit;
    system_prompt_->setFixedHeight(88);
    system_prompt_->document()->setDocumentMargin(6);
    system_prompt_->viewport()->setAutoFillBackground(false);
    system_prompt_->setTabChangesFocus(true);
    system_prompt_->setToolTip(tr("Stands before every prompt. Asking for short replies saves time."));
    field(tr("Instructions"), system_prompt_, nullptr);
    connect(system_prompt_, &QPlainTextEdit::textChanged, this,
            [this] { template_->set_instructions(system_prompt_->toPlainText()); });
    grid->setColumnStretch(1, 1);
    column->addLayout(grid);

    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addStretch();
    auto* cancel = new QPushButton(tr("Cancel"));
    cancel->setAutoDefault(false);
    start_ = new QPushButton(tr("Start"));
    start_->setDefault(true);
    set_button_kind(*start_, ButtonKind::primary);
    buttons->addWidget(cancel);
    buttons->addWidget(start_);
    column->addLayout(buttons);
    connect(model_, &QComboBox::currentIndexChanged, this, &NewSessionDialog::show_usual);
    show_models(models);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(start_, &QPushButton::clicked, this, &NewSessionDialog::start);
}

// What is said below a choice may take more lines, and a dialog does not grow for wrapped text by itself.
bool NewSessionDialog::event(QEvent* event) {
    const bool taken = QDialog::event(event);
    if (event->type() == QEvent::LayoutRequest && layout()) {
        resize(width(), std::max(height(), layout()->totalHeightForWidth(width())));
    }
    return taken;
}

void NewSessionDialog::show_models(const std::vector<CatalogModel>& models) {
    const QString chosen = model_->currentData().toString();
    const QSignalBlocker silent(model_);
    for (const CatalogModel& entry : models_) {
        if (const int row = model_->findData(QString::fromStdString(entry.name)); row >= 0) {
            model_->removeItem(row);
        }
    }
    models_.clear();
    for (const CatalogModel& entry : models) {
        if (entry.installed) {
            model_->insertItem(int(models_.size()), QString::fromStdString(entry.title),
                               QString::fromStdString(entry.name));
            models_.push_back(entry);
        }
    }
    model_->setCurrentIndex(std::max(0, model_->findData(chosen)));
    show_usual();
    if (!models.empty() && model_->count() == 0) {
        notice_->show_problem(tr("new session: no model is installed; browse for a file or a folder"));
    }
}

void NewSessionDialog::choose_model(const QString& name_or_path) {
    if (model_->findData(name_or_path) < 0) {
        model_->addItem(QFileInfo(name_or_path).fileName(), name_or_path);
    }
    model_->setCurrentIndex(model_->findData(name_or_path));
}

QString NewSessionDialog::need() const {
    return need_->text();
}

QString NewSessionDialog::problem() const {
    return notice_->text();
}

// Prompts and instruction belong to the model; what the person has typed stays.
void NewSessionDialog::show_usual() {
    const std::string model = model_->currentData().toString().toStdString();
    const std::size_t count = bundled_prompts(model).size();
    prompts_->setItemText(0, model == "courtesy" ? tr("%1 customers' questions").arg(count)
                                                 : tr("%1 everyday questions").arg(count));
    const QString usual = QString::fromStdString(usual_settings(model).system_prompt);
    if (system_prompt_->toPlainText() == usual_prompt_) {
        system_prompt_->setPlainText(usual);
    }
    usual_prompt_ = usual;
    template_->choose_model(model_->currentData().toString(), model_->currentText());
    show_need(model);
}

// Before anything is loaded: what a session will take of this machine.
void NewSessionDialog::show_need(const std::string& model) {
    const auto entry =
        std::find_if(models_.begin(), models_.end(), [&](const CatalogModel& each) { return each.name == model; });
    need_->setVisible(entry != models_.end() && entry->memory_f32 > 0);
    if (entry == models_.end()) {
        return;
    }
    const MachineMemory memory = machine_memory();
    const bool fits = fit(entry->memory_f32, memory) == Fit::yes;
    need_->set_tone(fits ? Tone::secondary : Tone::warning);
    need_->setText(fits ? tr("Needs about %1 of memory; %2 are free")
                              .arg(memory_size(entry->memory_f32), memory_size(memory.available))
                        : tr("Needs about %1 of memory, or %2 in bf16; %3 are free")
                              .arg(memory_size(entry->memory_f32), memory_size(entry->memory_bf16),
                                   memory_size(memory.available)));
}

void NewSessionDialog::use_prompts_file(const QString& path) {
    QString problem;
    std::vector<std::string> read = read_prompt_file(path, problem);
    if (!problem.isEmpty()) {
        notice_->show_problem(problem);
        prompts_->setCurrentIndex(0);
        return;
    }
    notice_->clear();
    file_prompts_ = std::move(read);
    prompts_->setItemText(1,
                          tr("%1 from %2")
                              .arg(counted(std::int64_t(file_prompts_.size()), tr("prompt"), tr("prompts")),
                                   QFileInfo(path).fileName()));
    prompts_->setCurrentIndex(1);
}

void NewSessionDialog::browse_place() {
    ask_place(this, tr("Save the session as"), {}, tr("Plumbline sessions (*.plumb)"), QStringLiteral("plumb"),
              [this](const QString& path) { place_->setText(path); },
              Replace::allow);  // an existing file is refused, never replaced
}

void NewSessionDialog::start() {
    const QString model = model_->currentData().toString();
    if (model.isEmpty()) {
        notice_->show_problem(tr("new session: no model is chosen; browse for a file or a folder"));
        return;
    }
    QString place = place_->text().trimmed();
    if (!place.isEmpty()) {
        if (!place.endsWith(QLatin1String(".plumb"))) {
            place += QStringLiteral(".plumb");
        }
        const QFileInfo info(place);
        if (info.exists()) {
            notice_->show_problem(tr("new session: %1 exists; choose another name, or open it").arg(place));
            return;
        }
        if (!info.absoluteDir().exists()) {
            notice_->show_problem(
                tr("new session: the folder %1 does not exist; choose another").arg(info.absolutePath()));
            return;
        }
        place = info.absoluteFilePath();
    }
    NewSession session;
    session.project_path = place.toStdString();
    session.model = model.toStdString();
    session.config = usual_settings(session.model);
    session.config.system_prompt = system_prompt_->toPlainText().trimmed().toStdString();
    session.config.chat_template = template_->jinja().toStdString();
    if (prompts_->currentIndex() == 1) {
        session.prompts = file_prompts_;
    }
    Q_EMIT wanted(session);
    accept();
}

}  // namespace plumbline::ui
