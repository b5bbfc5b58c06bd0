#include "ui/window/model_details.h"

#include <QApplication>
#include <QClipboard>
#include <QFileInfo>
#include <QGridLayout>
#include <QPushButton>
#include <QScrollArea>
#include <QTimer>
#include <QVBoxLayout>

#include "core/api/chat_templates.h"
#include "ui/controls/availability.h"
#include "ui/controls/figures.h"
#include "ui/controls/label.h"
#include "ui/controls/memory_gauge.h"
#include "ui/controls/notice.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

enum FactRow { family, parameters, file, licence, place, dialogues, fact_rows };
constexpr int told = 2000;  // ms that a button tells what it did

QString folder_to_show(const CatalogModel& model) {
    const QFileInfo info(QString::fromStdString(model.path.string()));
    return info.isDir() ? info.absoluteFilePath() : info.absolutePath();
}

/// What its chat template is, with what there is to know of it.
QString template_words(const CatalogModel& model) {
    const QString note = QString::fromStdString(model.chat_template_note);
    if (model.chat_template.empty() || writes_plain_text(model.chat_template)) {
        return note;
    }
    const QString name = QString::fromStdString(model.chat_template);
    return note.isEmpty() ? name : ModelDetails::tr("%1. %2").arg(name, note);
}

}  // namespace

ModelDetails::ModelDetails(const Theme& theme, QWidget* parent) : Surface(theme, Tone::panel, Edge::left, parent) {
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(1, 0, 0, 0);
    outer->setSpacing(0);
    nothing_ = new Label(theme, {}, TextSize::interface, Tone::tertiary);
    nothing_->setWordWrap(true);
    nothing_->setAlignment(Qt::AlignCenter);
    nothing_->setContentsMargins(32, 32, 32, 32);
    outer->addWidget(nothing_, 1);
    whole_ = new QWidget;
    outer->addWidget(whole_, 1);
    auto* halves = new QVBoxLayout(whole_);
    halves->setContentsMargins(0, 0, 0, 0);
    halves->setSpacing(0);
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->viewport()->setAutoFillBackground(false);
    halves->addWidget(scroll, 1);
    auto* body = new Surface(theme, Tone::panel);
    scroll->setWidget(body);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(24, 20, 24, 16);
    column->setSpacing(0);

    title_ = new Label(theme, {}, TextSize::lesson_title, Tone::text, 600);
    title_->setWordWrap(true);
    column->addWidget(title_);
    column->addSpacing(2);
    command_name_ = new Label(theme, {}, TextSize::secondary, Tone::tertiary, 400, Face::mono);
    command_name_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    command_name_->setToolTip(tr("Its name on the command line"));
    column->addWidget(command_name_);
    column->addSpacing(16);
    wrong_ = new QWidget;
    auto* wrong = new QVBoxLayout(wrong_);
    wrong->setContentsMargins(0, 0, 0, 16);
    notice_ = new Notice(theme);
    notice_->set_dismissable(false);
    wrong->addWidget(notice_);
    column->addWidget(wrong_);
    build_facts(*column);
    build_memory(*column);
    how_ = new Label(theme, {}, TextSize::interface, Tone::text);
    how_->setWordWrap(true);
    how_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    column->addWidget(how_);
    column->addStretch(1);
    build_buttons(*halves);
    show_nothing({});
}

void ModelDetails::build_facts(QVBoxLayout& column) {
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(8);
    grid->setColumnMinimumWidth(0, 76);
    grid->setColumnStretch(1, 1);
    const QString keys[fact_rows] = {tr("Family"), tr("Parameters"), tr("File"), tr("Licence"), tr("Place"),
                                     tr("Template")};
    for (int row = 0; row < fact_rows; ++row) {
        auto* key = new Label(theme(), keys[row], TextSize::interface, Tone::secondary);
        auto* value = new Label(theme(), {}, TextSize::interface, Tone::text);
        value->setTextInteractionFlags(Qt::TextSelectableByMouse);
        if (row == place) {
            value->set_elided(Qt::ElideMiddle);
        } else if (row == dialogues) {
            value->setWordWrap(true);
        }
        grid->addWidget(key, row, 0, Qt::AlignTop);
        grid->addWidget(value, row, 1);
        facts_.append(Fact{key, value});
    }
    column.addLayout(grid);
    column.addSpacing(20);
}

void ModelDetails::build_memory(QVBoxLayout& column) {
    memory_ = new QWidget;
    auto* rows = new QVBoxLayout(memory_);
    rows->setContentsMargins(0, 0, 0, 20);
    rows->setSpacing(6);
    auto* head = new QHBoxLayout;
    head->addWidget(new Label(theme(), tr("Memory for a session"), TextSize::interface, Tone::text, 600));
    head->addStretch();
    memory_note_ = new Label(theme(), {}, TextSize::secondary, Tone::secondary);
    head->addWidget(memory_note_);
    rows->addLayout(head);
    for (const char* dtype : {"f32", "bf16"}) {
        auto* line = new QHBoxLayout;
        line->setSpacing(8);
        auto* name = new Label(theme(), QString::fromLatin1(dtype), TextSize::secondary, Tone::secondary, 400, Face::mono);
        name->setFixedWidth(36);
        line->addWidget(name);
        auto* amount = new Label(theme(), {}, TextSize::secondary, Tone::text, 500, Face::mono);
        line->addWidget(amount);
        line->addStretch();
        auto* words = new Label(theme(), {}, TextSize::secondary, Tone::secondary);
        line->addWidget(words);
        rows->addSpacing(2);
        rows->addLayout(line);
        auto* gauge = new MemoryGauge(theme());
        rows->addWidget(gauge);
        needs_.append(Need{amount, words, gauge});
    }
    column.addWidget(memory_);
}

void ModelDetails::build_buttons(QVBoxLayout& column) {
    auto* foot = new Surface(theme(), Tone::panel, Edge::top);
    auto* row = new QHBoxLayout(foot);
    row->setContentsMargins(24, 12, 24, 12);
    row->setSpacing(8);
    act_ = new QPushButton;
    act_->setAutoDefault(false);
    set_button_kind(*act_, ButtonKind::primary);
    folder_ = new QPushButton(tr("Show folder"));
    folder_->setAutoDefault(false);
    folder_->setToolTip(tr("Opens the folder where it lies, or goes"));
    remove_ = new QPushButton(tr("Take off the list"));
    remove_->setAutoDefault(false);
    remove_->setToolTip(tr("Its file stays where it is"));
    row->addWidget(act_);
    row->addWidget(folder_);
    row->addWidget(remove_);
    row->addStretch();
    column.addWidget(foot);
    connect(act_, &QPushButton::clicked, this, &ModelDetails::act);
    connect(folder_, &QPushButton::clicked, this, [this] { Q_EMIT folder_wanted(place_); });
    connect(remove_, &QPushButton::clicked, this, [this] { Q_EMIT remove_wanted(name_); });
}

void ModelDetails::show_nothing(const QString& words) {
    name_.clear();
    nothing_->setText(words);
    nothing_->show();
    whole_->hide();
}

void ModelDetails::show_model(const CatalogModel& model, const MachineMemory& memory) {
    nothing_->hide();
    whole_->show();
    name_ = QString::fromStdString(model.name);
    place_ = folder_to_show(model);
    instructions_ = QString::fromStdString(model.how_to_get);
    title_->setText(QString::fromStdString(model.title));
    command_name_->setText(name_);

    QStringList values(fact_rows, QString());
    values[family] = QString::fromStdString(model.family);
    values[parameters] = model.parameters > 0 ? parameter_count(model.parameters) : QString();
    if (model.size_bytes > 0) {
        values[file] = model.file_dtype.empty() ? memory_size(model.size_bytes)
                                                : tr("%1, %2").arg(QString::fromStdString(model.file_dtype),
                                                                   memory_size(model.size_bytes));
    }
    values[licence] = QString::fromStdString(model.licence);
    if (values[licence].isEmpty() && model.installed) {
        values[licence] = tr("not stated in its files");
    }
    values[place] = QString::fromStdString(model.path.string());
    values[dialogues] = template_words(model);
    facts_[dialogues].value->set_tone(writes_plain_text(model.chat_template) ? Tone::warning : Tone::text);
    for (int row = 0; row < fact_rows; ++row) {
        facts_[row].key->setVisible(!values[row].isEmpty());
        facts_[row].value->setVisible(!values[row].isEmpty());
        facts_[row].value->setText(values[row]);
    }
    facts_[place].key->setText(model.source == ModelSource::known ? tr("Goes to") : tr("Place"));
    facts_[place].value->setToolTip(values[place]);

    memory_->setVisible(model.memory_f32 > 0);
    memory_note_->setText(tr("%1 of %2 free").arg(memory_size(memory.available), memory_size(memory.total)));
    show_need(0, model.memory_f32, memory);
    show_need(1, model.memory_bf16, memory);

    wrong_->setVisible(!model.problem.empty());
    model.problem.empty() ? notice_->clear() : notice_->show_problem(QString::fromStdString(model.problem));
    how_->setVisible(!instructions_.isEmpty());
    how_->setText(instructions_);
    fetch_ = !model.installed && !instructions_.isEmpty();
    act_->setText(fetch_ ? tr("Copy instructions") : tr("New session…"));
    set_tip(*act_, fetch_ ? tr("The text above, for a browser or a note")
                         : tr("Choose prompts and a place to save, then compare replies"));
    set_available(*act_, fetch_ || model.installed ? QString() : tr("It cannot be opened; the reason stands above"));
    remove_->setVisible(model.source == ModelSource::own && name_ != QLatin1String("models.json"));
}

void ModelDetails::show_need(int row, std::int64_t need, const MachineMemory& memory) {
    const Need& widgets = needs_[row];
    widgets.amount->setText(memory_size(need));
    widgets.words->setText(fit_words(need, memory));
    widgets.words->set_tone(fit(need, memory) == Fit::yes ? Tone::secondary : Tone::warning);
    widgets.gauge->show_need(need, memory);
}

void ModelDetails::act() {
    if (!act_->isEnabled() || name_.isEmpty()) {
        return;
    }
    if (!fetch_) {
        Q_EMIT use_wanted(name_);
        return;
    }
    QApplication::clipboard()->setText(instructions_);
    act_->setText(tr("Copied"));
    QTimer::singleShot(told, this, [this] {
        if (fetch_) {
            act_->setText(tr("Copy instructions"));
        }
    });
}

QString ModelDetails::problem() const {
    return notice_->text();
}

QString ModelDetails::text() const {
    QStringList lines;
    for (const Label* label : findChildren<Label*>()) {
        if (label->isVisible()) {
            lines.append(label->text());
        }
    }
    return lines.join(QLatin1Char('\n'));
}

}  // namespace plumbline::ui
