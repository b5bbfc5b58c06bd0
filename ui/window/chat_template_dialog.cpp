#include "ui/window/chat_template_dialog.h"

#include <QFile>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollBar>
#include <QSplitter>
#include <QStringDecoder>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/controls/ask_file.h"
#include "ui/controls/availability.h"
#include "ui/controls/code_edit.h"
#include "ui/controls/label.h"
#include "ui/controls/surface.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

constexpr int typing_pause = 150;              // ms without a key, then the preview follows
constexpr qint64 longest_file = 1024 * 1024;   // bytes; templates have a few thousand
constexpr int longest_preview = 20000;         // characters shown

std::vector<Message> example(const QString& instructions) {
    std::vector<Message> out;
    if (!instructions.trimmed().isEmpty()) {
        out.push_back({"system", instructions.trimmed().toStdString()});
    }
    out.push_back({"user", ChatTemplateDialog::tr("What is a plumb line?").toStdString()});
    return out;
}

/// The longest first, so that none hides in another.
QRegularExpression any_of(std::vector<std::string> tokens) {
    std::ranges::sort(tokens, [](const auto& a, const auto& b) { return a.size() > b.size(); });
    QStringList parts;
    for (const std::string& token : tokens) {
        parts.append(QRegularExpression::escape(QString::fromStdString(token)));
    }
    return QRegularExpression(parts.join(QLatin1Char('|')));
}

QVBoxLayout* pane(QSplitter& panes, const Theme& theme, const QString& title, QWidget* beside, QWidget* body) {
    auto* widget = new QWidget;
    auto* column = new QVBoxLayout(widget);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    auto* head = new QHBoxLayout;
    auto* name = new Label(theme, title, TextSize::interface, Tone::text, 600);
    name->setBuddy(body);
    head->addWidget(name);
    head->addStretch();
    if (beside) {
        head->addWidget(beside);
    }
    column->addLayout(head);
    column->addWidget(body, 1);
    panes.addWidget(widget);
    return column;
}

}  // namespace

ChatTemplateDialog::ChatTemplateDialog(const Theme& theme, TemplateUse use, const QString& model_title,
                                       const ModelTemplate& model, const QString& jinja, const QString& instructions,
                                       QWidget* parent)
    : QDialog(parent), theme_(theme), use_(use), model_(model), example_(example(instructions)) {
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Chat template"));
    setMinimumSize(720, 440);
    resize(960, 600);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 20, 24, 20);
    column->setSpacing(16);
    auto* head = new QVBoxLayout;
    head->setSpacing(4);
    head->addWidget(new Label(theme, tr("Chat template"), TextSize::lesson_title, Tone::text, 600));
    auto* about = new Label(
        theme,
        use == TemplateUse::edit
            ? tr("How %1 is given a dialogue, in Jinja. It is fixed once the session has begun.").arg(model_title)
            : tr("How %1 is given a dialogue, in Jinja. It is fixed for this session.").arg(model_title),
        TextSize::interface, Tone::secondary);
    about->setWordWrap(true);
    head->addWidget(about);
    column->addLayout(head);
    column->addWidget(build_panes(), 1);
    column->addWidget(build_foot());

    const QString own = QString::fromStdString(model.jinja);
    editor_->setPlainText(own);
    own_ = editor_->text();
    if (!jinja.isEmpty()) {
        editor_->setPlainText(jinja);
    }
    pause_.setSingleShot(true);
    pause_.setInterval(typing_pause);
    connect(&pause_, &QTimer::timeout, this, &ChatTemplateDialog::ask);
    connect(editor_, &QPlainTextEdit::textChanged, this, [this] {
        if (ok_) {
            set_available(*ok_, tr("It is being tried"));
            set_available(*reset_, is_own() ? tr("It is the model's own") : QString());
        }
        pause_.start();
    });
    connect(&reader_, &TemplateReader::written, this, &ChatTemplateDialog::show_written);
    connect(&theme, &Theme::changed, this, &ChatTemplateDialog::show_preview);
    if (ok_) {
        set_available(*ok_, tr("It is being tried"));
        set_available(*reset_, is_own() ? tr("It is the model's own") : QString());
    }
    ask();
    editor_->setFocus();
}

QWidget* ChatTemplateDialog::build_panes() {
    auto* panes = new QSplitter;
    panes->setHandleWidth(16);
    panes->setChildrenCollapsible(false);
    editor_ = new CodeEdit(theme_);
    editor_->setReadOnly(use_ == TemplateUse::look);
    editor_->setAccessibleName(tr("Template, Jinja text"));
    pane(*panes, theme_, tr("Template"), nullptr, editor_);
    preview_ = new QPlainTextEdit;
    preview_->setReadOnly(true);
    preview_->setFont(theme_.mono(TextSize::interface));
    preview_->setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    preview_->setTabChangesFocus(true);
    preview_->document()->setDocumentMargin(6);
    preview_->viewport()->setAutoFillBackground(false);
    preview_->setAccessibleName(tr("What the model is given"));
    auto* legend = new Label(theme_, tr("tinted: one special token"), TextSize::secondary, Tone::tertiary);
    pane(*panes, theme_, tr("What the model is given"), legend, preview_);
    panes->setSizes({1000, 1000});   // shared in this proportion
    panes->setStretchFactor(0, 1);
    panes->setStretchFactor(1, 1);
    return panes;
}

QWidget* ChatTemplateDialog::build_foot() {
    auto* foot = new QWidget;
    auto* column = new QVBoxLayout(foot);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(16);
    auto* line = new QHBoxLayout;
    line->setSpacing(8);
    mark_ = new Label(theme_, {}, TextSize::interface);
    mark_->setFixedSize(16, 20);
    state_ = new Label(theme_, {}, TextSize::interface, Tone::secondary);
    state_->setWordWrap(true);
    state_->setMinimumHeight(40);   // two lines: what is below stays in its place
    state_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    state_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    line->addWidget(mark_, 0, Qt::AlignTop);
    line->addWidget(state_, 1);
    column->addLayout(line);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    const auto button = [&](const QString& text, const QString& tip) {
        auto* made = new QPushButton(text);
        made->setAutoDefault(false);
        made->setToolTip(tip);
        buttons->addWidget(made);
        return made;
    };
    if (use_ == TemplateUse::look) {
        buttons->addStretch();
        connect(button(tr("Close"), {}), &QPushButton::clicked, this, &QDialog::reject);
    } else {
        reset_ = button(tr("Reset to the model's own"), tr("The text in the model's files"));
        load_ = button(tr("Load file…"), tr("A template from a .jinja or text file"));
        buttons->addStretch();
        connect(button(tr("Cancel"), {}), &QPushButton::clicked, this, &QDialog::reject);
        ok_ = button(tr("Use"), tr("The session will be begun with this template (Ctrl+Enter)"));
        ok_->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Return));   // in the editor Enter begins a line
        ok_->setDefault(true);
        set_button_kind(*ok_, ButtonKind::primary);
        connect(reset_, &QPushButton::clicked, this, [this] {
            editor_->selectAll();
            editor_->insertPlainText(own_);   // one step, which an undo takes back
        });
        connect(load_, &QPushButton::clicked, this, [this] {
            ask_file(this, tr("Load a chat template"), {}, tr("Templates (*.jinja *.jinja2 *.j2 *.txt);;All files (*)"),
                     [this](const QString& path) { load(path); });
        });
        connect(ok_, &QPushButton::clicked, this, [this] {
            Q_EMIT chosen(jinja());
            accept();
        });
    }
    column->addLayout(buttons);
    return foot;
}

bool ChatTemplateDialog::is_own() const {
    return editor_->text() == own_;
}

QString ChatTemplateDialog::jinja() const {
    return is_own() ? QString() : editor_->text();
}

QString ChatTemplateDialog::state() const {
    return state_->text();
}

void ChatTemplateDialog::load(const QString& path) {
    QFile file(path);
    QString problem;
    if (!file.open(QIODevice::ReadOnly)) {
        problem = tr("load chat template: %1: %2; choose a file that can be read").arg(path, file.errorString());
    } else if (file.size() > longest_file) {
        problem =
            tr("load chat template: %1 has %2 bytes, more than 1 MB; choose a template").arg(path).arg(file.size());
    } else {
        QStringDecoder decode(QStringDecoder::Utf8);
        const QString text = decode(file.readAll());
        if (decode.hasError() || text.contains(QChar(0))) {
            problem = tr("load chat template: %1 is not UTF-8 text; choose a template").arg(path);
        } else {
            editor_->selectAll();
            editor_->insertPlainText(text);
            editor_->moveCursor(QTextCursor::Start);
            return;
        }
    }
    show_state(problem, Tone::warning);
}

void ChatTemplateDialog::ask() {
    reader_.ask_dialogue(editor_->text(), model_, example_);
}

void ChatTemplateDialog::show_written(const WrittenDialogue& dialogue) {
    if (pause_.isActive()) {
        return;   // of a text that is no longer there
    }
    outdated_ = !dialogue.failure.empty() && !is_own();
    if (!outdated_) {
        shown_ = dialogue.text;
    }
    editor_->mark_line(dialogue.line);
    show_preview();
    const bool blank = editor_->text().trimmed().isEmpty();
    if (!dialogue.failure.empty()) {
        const QString why = tr("This template %1").arg(QString::fromStdString(dialogue.failure));
        show_state(is_own() && !dialogue.note.empty() ? QString::fromStdString(dialogue.note) : why, Tone::warning);
    } else if (!dialogue.note.empty()) {
        show_state(QString::fromStdString(dialogue.note), blank ? Tone::warning : Tone::secondary);
    } else {
        show_state(tr("It works. Its form: %1.").arg(QString::fromStdString(dialogue.name)), Tone::secondary);
    }
    if (ok_) {
        const bool usable = is_own() || (dialogue.failure.empty() && !blank);
        set_available(*ok_, usable ? QString()
                            : blank ? tr("The template is empty; write one, or reset it to the model's own")
                                    : tr("The template does not work yet; the reason stands above"));
    }
}

void ChatTemplateDialog::show_state(const QString& text, Tone tone) {
    const QString icon = tone == Tone::warning ? QStringLiteral("warning") : QStringLiteral("check");
    mark_->setPixmap(theme_.icon(icon, tone).pixmap(16, 16));
    state_->set_tone(tone);
    state_->setText(text);
}

// Special tokens are tinted, and line ends are seen: both are what a template is about.
void ChatTemplateDialog::show_preview() {
    const int scrolled = preview_->verticalScrollBar()->value();
    preview_->clear();
    QTextCharFormat plain, special, end;
    plain.setForeground(theme_.color(outdated_ ? Tone::tertiary : Tone::text));
    special.setForeground(plain.foreground());
    special.setBackground(theme_.color(Tone::up1));
    end.setForeground(theme_.color(Tone::disabled));
    QTextCursor cursor(preview_->document());
    const auto write = [&](const QString& text) {
        qsizetype from = 0;
        for (qsizetype at = text.indexOf(QLatin1Char('\n')); at >= 0; at = text.indexOf(QLatin1Char('\n'), from)) {
            cursor.insertText(text.mid(from, at - from), plain);
            cursor.insertText(QStringLiteral("↵\n"), end);
            from = at + 1;
        }
        cursor.insertText(text.mid(from), plain);
    };
    const QString text = QString::fromStdString(shown_).left(longest_preview);
    qsizetype from = 0;
    if (!model_.special_tokens.empty()) {
        for (auto found = any_of(model_.special_tokens).globalMatch(text); found.hasNext();) {
            const QRegularExpressionMatch token = found.next();
            write(text.mid(from, token.capturedStart() - from));
            cursor.insertText(token.captured(), special);
            from = token.capturedEnd();
        }
    }
    write(text.mid(from));
    if (shown_.size() > std::size_t(longest_preview)) {
        cursor.insertText(tr(" …"), end);
    }
    preview_->verticalScrollBar()->setValue(scrolled);
}

}  // namespace plumbline::ui
