#include "ui/controls/code_edit.h"

#include <QPaintEvent>
#include <QPainter>
#include <QTextBlock>

namespace plumbline::ui {

namespace {

constexpr int at_left = 12, at_right = 8;   // of the numbers

}  // namespace

class CodeEdit::Numbers : public QWidget {
  public:
    explicit Numbers(CodeEdit& edit) : QWidget(&edit), edit_(edit) {}
    int wanted() const {
        const int digits = int(QString::number(edit_.blockCount()).size());
        return at_left + at_right + std::max(2, digits) * fontMetrics().horizontalAdvance(QLatin1Char('9'));
    }

  protected:
    void paintEvent(QPaintEvent* event) override {
        QPainter painter(this);
        edit_.paint_numbers(painter, event->rect());
    }

  private:
    CodeEdit& edit_;
};

CodeEdit::CodeEdit(const Theme& theme, QWidget* parent) : QPlainTextEdit(parent), theme_(theme) {
    setFont(theme.mono(TextSize::interface));
    setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    setTabChangesFocus(true);
    document()->setDocumentMargin(6);
    viewport()->setAutoFillBackground(false);
    numbers_ = new Numbers(*this);
    numbers_->setFont(theme.mono(TextSize::secondary));
    connect(this, &QPlainTextEdit::blockCountChanged, this, &CodeEdit::fit);
    connect(this, &QPlainTextEdit::updateRequest, numbers_, qOverload<>(&QWidget::update));
    connect(&theme, &Theme::changed, this, &CodeEdit::tint);
    fit();
}

QString CodeEdit::text() const {
    return document()->toRawText().replace(QChar::ParagraphSeparator, QLatin1Char('\n'))
        .replace(QChar::LineSeparator, QLatin1Char('\n'));
}

void CodeEdit::mark_line(int line) {
    if (line != marked_) {
        marked_ = line;
        tint();
    }
}

void CodeEdit::tint() {
    QList<QTextEdit::ExtraSelection> tints;
    if (const QTextBlock block = document()->findBlockByNumber(marked_ - 1); marked_ > 0 && block.isValid()) {
        QTextEdit::ExtraSelection tint;
        tint.cursor = QTextCursor(block);
        tint.cursor.movePosition(QTextCursor::EndOfBlock, QTextCursor::KeepAnchor);
        tint.format.setBackground(theme_.color(Tone::down1));
        tint.format.setProperty(QTextFormat::FullWidthSelection, true);
        tints.append(tint);
    }
    setExtraSelections(tints);
    numbers_->update();
}

void CodeEdit::resizeEvent(QResizeEvent* event) {
    QPlainTextEdit::resizeEvent(event);
    fit();
}

void CodeEdit::fit() {
    const int width = numbers_->wanted();
    setViewportMargins(width, 0, 0, 0);
    const QRect inside = contentsRect();
    numbers_->setGeometry(inside.left(), inside.top(), width, inside.height());
}

void CodeEdit::paint_numbers(QPainter& painter, const QRect& dirty) const {
    painter.setFont(numbers_->font());
    QTextBlock block = firstVisibleBlock();
    double top = blockBoundingGeometry(block).translated(contentOffset()).top();
    const int line = cursorRect().height();
    for (; block.isValid() && top <= dirty.bottom(); block = block.next()) {
        const bool marked = block.blockNumber() + 1 == marked_;
        painter.setPen(theme_.color(marked ? Tone::warning : Tone::tertiary));
        painter.drawText(QRectF(0, top, numbers_->width() - at_right, line), Qt::AlignRight | Qt::AlignVCenter,
                         QString::number(block.blockNumber() + 1));
        top += blockBoundingRect(block).height();
    }
}

}  // namespace plumbline::ui
