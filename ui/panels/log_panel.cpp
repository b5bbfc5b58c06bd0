#include "ui/panels/log_panel.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTextBlock>
#include <QVBoxLayout>

#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

constexpr int kept_lines = 5000;
constexpr int source_width = 9;

}  // namespace

LogPanel::LogPanel(EngineBridge& bridge, const Theme& theme, QWidget* parent)
    : Surface(theme, Tone::panel, Edge::none, parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 8, 8, 0);
    column->setSpacing(8);
    auto* top = new QHBoxLayout;
    sources_ = new QComboBox;
    sources_->addItem(tr("All sources"));
    for (const char* source : {"vote", "reward", "policy", "sample", "session", "job"}) {
        sources_->addItem(QLatin1String(source), QLatin1String(source));
    }
    sources_->setAccessibleName(tr("Sources shown"));
    level_ = new QComboBox;
    level_->addItem(tr("Info and up"));
    level_->addItem(tr("Warnings"));
    level_->setAccessibleName(tr("Level shown"));
    follow_ = new QCheckBox(tr("Follow"));
    follow_->setChecked(true);
    follow_->setToolTip(tr("Scrolls to the newest line"));
    for (QComboBox* box : {sources_, level_}) {
        set_compact(*box);
        box->setFont(theme.font(TextSize::secondary));
        top->addWidget(box);
        connect(box, &QComboBox::currentIndexChanged, this, &LogPanel::refill);
    }
    follow_->setFont(theme.font(TextSize::secondary));
    top->addWidget(follow_);
    top->addStretch();
    column->addLayout(top);

    text_ = new QPlainTextEdit;
    text_->setReadOnly(true);
    text_->setFrameShape(QFrame::NoFrame);
    text_->setFont(theme.mono(TextSize::interface));
    text_->setMaximumBlockCount(kept_lines);
    text_->setLineWrapMode(QPlainTextEdit::NoWrap);
    text_->setUndoRedoEnabled(false);
    text_->setAccessibleName(tr("Log"));
    text_->document()->setDocumentMargin(0);
    text_->viewport()->setAutoFillBackground(false);
    column->addWidget(text_, 1);

    connect(&bridge, &EngineBridge::event, this, [this](const Event& event) {
        if (const std::optional<LogLine> line = in_words(event.body)) {
            add(*line);
        }
    });
    connect(&theme, &Theme::changed, this, &LogPanel::refill);
    refill();
}

void LogPanel::add(const LogLine& line) {
    entries_.push_back({QDateTime::currentDateTime(), line});
    if (entries_.size() > kept_lines) {
        entries_.pop_front();
    }
    if (wanted(entries_.back())) {
        show_line(entries_.back());
    }
}

bool LogPanel::wanted(const Entry& entry) const {
    const QString source = sources_->currentData().toString();
    return (source.isEmpty() || source == entry.line.source) &&
           (level_->currentIndex() == 0 || entry.line.warning);
}

void LogPanel::show_line(const Entry& entry) {
    QScrollBar* bar = text_->verticalScrollBar();
    const int place = bar->value();
    QTextCursor end(text_->document());
    end.movePosition(QTextCursor::End);
    if (!text_->document()->isEmpty()) {
        end.insertBlock();
    }
    QTextCharFormat dim;
    dim.setForeground(theme().color(Tone::tertiary));
    QTextCharFormat ink;
    ink.setForeground(theme().color(entry.line.warning ? Tone::warning : Tone::text));
    end.insertText(entry.time.toString(QStringLiteral("HH:mm:ss  ")), dim);
    end.insertText(entry.line.source.leftJustified(source_width), dim);
    QString words = entry.line.text.simplified();
    end.insertText(entry.line.warning ? tr("warning: ") + words : words, ink);
    bar->setValue(follow_->isChecked() ? bar->maximum() : place);
}

void LogPanel::refill() {
    text_->clear();
    for (const Entry& entry : entries_) {
        if (wanted(entry)) {
            show_line(entry);
        }
    }
}

QString LogPanel::shown_text() const {
    return text_->toPlainText();
}

}  // namespace plumbline::ui
