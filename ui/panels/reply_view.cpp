#include "ui/panels/reply_view.h"

#include <QPainter>
#include <QScrollBar>
#include <QTextBlockFormat>
#include <QTextCursor>
#include <QTextDocument>

namespace plumbline::ui {

namespace {

constexpr QSize caret_size(8, 18);

}  // namespace

ReplyView::ReplyView(const Theme& theme, QWidget* parent) : QTextEdit(parent), theme_(theme) {
    setReadOnly(true);
    setAcceptRichText(false);
    setUndoRedoEnabled(false);
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::NoFocus);
    setTextInteractionFlags(Qt::TextSelectableByMouse);
    setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFont(theme.font(TextSize::reply));
    document()->setDocumentMargin(12);
    viewport()->setAutoFillBackground(false);
    apply_colors();
    apply_format();
    connect(&theme, &Theme::changed, this, &ReplyView::apply_colors);
}

void ReplyView::set_size(TextSize size) {
    line_height_ = size == TextSize::reply_small ? 22 : 26;
    setFont(theme_.font(size));
    document()->setDocumentMargin(size == TextSize::reply_small ? 8 : 12);
    apply_format();
}

void ReplyView::set_reply(const QString& text) {
    setPlainText(text);
    apply_format();
    verticalScrollBar()->setValue(0);
}

void ReplyView::append_reply(const QString& text) {
    QScrollBar* bar = verticalScrollBar();
    const bool at_end = bar->value() >= bar->maximum();
    QTextCursor end(document());
    end.movePosition(QTextCursor::End);
    end.insertText(text);
    if (at_end) {
        bar->setValue(bar->maximum());
    }
    viewport()->update();
}

void ReplyView::set_caret(bool shown) {
    caret_ = shown;
    viewport()->update();
}

void ReplyView::set_greyed(bool greyed) {
    greyed_ = greyed;
    apply_colors();
}

void ReplyView::apply_format() {
    QTextBlockFormat format;
    format.setLineHeight(line_height_, QTextBlockFormat::FixedHeight);
    QTextCursor all(document());
    all.select(QTextCursor::Document);
    all.mergeBlockFormat(format);
}

void ReplyView::apply_colors() {
    QPalette colors = palette();
    colors.setColor(QPalette::Base, Qt::transparent);
    colors.setColor(QPalette::Text, theme_.color(greyed_ ? Tone::disabled : Tone::text));
    setPalette(colors);
}

void ReplyView::paintEvent(QPaintEvent* event) {
    QTextEdit::paintEvent(event);
    if (!caret_) {
        return;
    }
    QTextCursor end(document());
    end.movePosition(QTextCursor::End);
    const QRect at = cursorRect(end);
    QPainter painter(viewport());
    painter.fillRect(QRect(QPoint(at.left() + 1, at.center().y() - caret_size.height() / 2 + 1), caret_size),
                     theme_.color(Tone::accent));
}

}  // namespace plumbline::ui
