#include "ui/window/export_model_dialog.h"

#include <QComboBox>
#include <QDir>
#include <QGridLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QStorageInfo>
#include <QVBoxLayout>
#include <array>

#include "core/api/export_model.h"
#include "ui/controls/ask_file.h"
#include "ui/controls/availability.h"
#include "ui/controls/figures.h"
#include "ui/controls/label.h"
#include "ui/controls/segmented.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

/// What a form is called, what it is for, and how its file or folder ends.
struct FormatWords {
    const char *name, *about, *ending;
};
constexpr std::array<FormatWords, 3> format_words = {{   // in the order of ModelFormat
    {QT_TRANSLATE_NOOP("ExportModelDialog", "PEFT adapter"),
     QT_TRANSLATE_NOOP("ExportModelDialog", "The adapter alone: a small folder for peft and transformers, to be used "
                                            "with the model that the session began with."),
     "-adapter"},
    {QT_TRANSLATE_NOOP("ExportModelDialog", "Merged folder"),
     QT_TRANSLATE_NOOP("ExportModelDialog", "The whole model with what it has learned: a Hugging Face folder of "
                                            "safetensors for transformers, or for a new session here."),
     "-merged"},
    {QT_TRANSLATE_NOOP("ExportModelDialog", "GGUF file"),
     QT_TRANSLATE_NOOP("ExportModelDialog", "The whole model with what it has learned: one file for llama.cpp, or for "
                                            "a new session here. Q8_0 and below round the weights to fewer bits."),
     ".gguf"},
}};

const FormatWords& words_of(ModelFormat format) {
    return format_words[static_cast<std::size_t>(format)];
}

bool is_folder(ModelFormat format) {
    return format != ModelFormat::gguf;
}

}  // namespace

ExportModelDialog::ExportModelDialog(const Theme& theme, const ModelInfo& model, const QString& name,
                                     bool trains_all, QWidget* parent)
    : QDialog(parent), model_(model), name_(name), trains_all_(trains_all) {
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Export model"));
    setMinimumWidth(600);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 24, 24, 24);
    column->setSpacing(16);
    column->addWidget(new Label(theme, tr("Export model"), TextSize::lesson_title, Tone::text, 600));
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(12);
    grid->setColumnStretch(1, 1);
    const auto word = [&](int row, const QString& text, QWidget* of) {
        auto* label = new Label(theme, text, TextSize::interface, Tone::secondary);
        label->setMinimumHeight(32);
        label->setBuddy(of);
        of->setAccessibleName(text);
        grid->addWidget(label, row, 0, Qt::AlignTop | Qt::AlignLeft);
        return label;
    };
    QStringList names;
    for (const FormatWords& each : format_words) {
        names.append(tr(each.name));
    }
    formats_ = new Segmented(theme, names);
    word(0, tr("Form"), formats_);
    grid->addWidget(formats_, 0, 1, 1, 2, Qt::AlignLeft);
    about_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    about_->setWordWrap(true);
    about_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    about_->setMinimumHeight(36);   // two lines: what is below stays in its place
    grid->addWidget(about_, 1, 1, 1, 2);
    type_ = new QComboBox;
    type_word_ = word(2, tr("Weights"), type_);
    grid->addWidget(type_, 2, 1, 1, 2);
    place_ = new QLineEdit;
    word(3, tr("Save as"), place_);
    grid->addWidget(place_, 3, 1);
    auto* browse_place = new QPushButton(tr("Browse…"));
    browse_place->setAutoDefault(false);
    browse_place->setAccessibleName(tr("Browse for a place"));
    grid->addWidget(browse_place, 3, 2);
    remark_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    remark_->setWordWrap(true);
    remark_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    remark_->setMinimumHeight(36);
    grid->addWidget(remark_, 4, 1, 1, 2);
    column->addLayout(grid);
    column->addStretch();

    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addStretch();
    auto* cancel = new QPushButton(tr("Cancel"));
    cancel->setAutoDefault(false);
    export_ = new QPushButton(tr("Export"));
    export_->setToolTip(tr("Writes the policy as it is now; you can go on meanwhile"));
    export_->setDefault(true);
    set_button_kind(*export_, ButtonKind::primary);
    buttons->addWidget(cancel);
    buttons->addWidget(export_);
    column->addLayout(buttons);

    connect(formats_, &Segmented::chosen, this, [this](int index) { choose(static_cast<ModelFormat>(index)); });
    connect(type_, &QComboBox::currentIndexChanged, this, &ExportModelDialog::check);
    connect(place_, &QLineEdit::textEdited, this, [this] { place_is_usual_ = false; });
    connect(place_, &QLineEdit::textChanged, this, &ExportModelDialog::check);
    connect(browse_place, &QPushButton::clicked, this, &ExportModelDialog::browse);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(export_, &QPushButton::clicked, this, [this] {
        Q_EMIT wanted({format_, type_->currentData().toString().toStdString(), path().toStdString()});
        accept();
    });
    choose(ModelFormat::gguf);
    type_->setFocus();
}

void ExportModelDialog::choose(ModelFormat format) {
    format_ = format;
    formats_->set_current(int(format));
    about_->setText(tr(words_of(format).about));
    const std::vector<std::string> types = weight_types(format);
    {
        const QSignalBlocker silent(type_);
        type_->clear();
        for (const std::string& type : types) {
            const QString name = QString::fromStdString(type);
            const QString size = memory_size(merged_bytes(model_, format, type));
            type_->addItem(tr("%1, about %2").arg(name.toUpper(), size), name);
        }
        type_->setMaxVisibleItems(int(std::max<std::size_t>(1, types.size())));
    }
    type_->setVisible(!types.empty());
    type_word_->setVisible(!types.empty());
    if (place_is_usual_) {
        place_->setText(usual_place());
    }
    check();
}

QString ExportModelDialog::usual_place() const {
    return QDir::home().filePath(name_ + QLatin1String(words_of(format_).ending));
}

QString ExportModelDialog::path() const {
    QString text = place_->text().trimmed();
    if (text.startsWith(QLatin1String("~/"))) {
        text.replace(0, 1, QDir::homePath());
    }
    if (!text.isEmpty() && format_ == ModelFormat::gguf && !text.endsWith(QLatin1String(".gguf"))) {
        text += QStringLiteral(".gguf");
    }
    return text.isEmpty() ? QString() : QFileInfo(text).absoluteFilePath();
}

// What can be seen before it is tried; the rest is said by the export itself.
void ExportModelDialog::check() {
    const QFileInfo info(path());
    const QStorageInfo disk(info.absolutePath());
    const std::int64_t size = merged_bytes(model_, format_, type_->currentData().toString().toStdString());
    QString wrong, remark;
    if (format_ == ModelFormat::peft && trains_all_) {
        wrong = tr("This session trains every weight of its model, so there is no adapter: choose another form.");
    } else if (place_->text().trimmed().isEmpty()) {
        wrong = tr("Choose a place.");
    } else if (!info.absoluteDir().exists()) {
        wrong = tr("The folder %1 does not exist; choose another.").arg(info.absolutePath());
    } else if (is_folder(format_) && info.exists() && !info.isDir()) {
        wrong = tr("There is a file of that name; choose another name for the folder.");
    } else if (!is_folder(format_) && info.isDir()) {
        wrong = tr("There is a folder of that name; choose another name for the file.");
    } else if (format_ == ModelFormat::safetensors && info.isDir() && !QDir(path()).isEmpty()) {
        wrong = tr("That folder is not empty; choose a new one.");
    } else if (disk.isValid() && disk.bytesAvailable() < size) {
        remark = tr("Only %1 are free there; the file may not fit.").arg(memory_size(disk.bytesAvailable()));
    } else if (format_ == ModelFormat::gguf && info.exists()) {
        remark = tr("There is such a file; it will be replaced.");
    } else if (format_ == ModelFormat::peft && info.isDir() && !QDir(path()).isEmpty()) {
        remark = tr("That folder is not empty; an adapter in it will be replaced.");
    }
    const bool warns = !wrong.isEmpty() || !remark.isEmpty();
    if (!warns && disk.isValid()) {
        remark = tr("%1 are free there.").arg(memory_size(disk.bytesAvailable()));
    }
    remark_->set_tone(warns ? Tone::warning : Tone::secondary);
    remark_->setText(wrong.isEmpty() ? remark : wrong);
    set_available(*export_, wrong);
}

void ExportModelDialog::browse() {
    const bool folder = is_folder(format_);
    ask_place(this, folder ? tr("Save the folder as") : tr("Save the file as"), path(),
              folder ? QString() : tr("Models (*.gguf)"), folder ? QString() : QStringLiteral("gguf"),
              [this](const QString& chosen) {
                  place_is_usual_ = false;
                  place_->setText(chosen);
              },
              Replace::allow);  // said in the dialog below
}

QString ExportModelDialog::about() const {
    return about_->text();
}

QString ExportModelDialog::remark() const {
    return remark_->text();
}

}  // namespace plumbline::ui
