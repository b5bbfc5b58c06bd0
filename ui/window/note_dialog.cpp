#include "ui/window/note_dialog.h"

#include <QGridLayout>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/controls/label.h"

namespace plumbline::ui {

NoteDialog::NoteDialog(const Theme& theme, const QString& title, QWidget* parent)
    : QDialog(parent), theme_(theme) {
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(title);
    setMinimumWidth(400);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 24, 24, 24);
    column->setSpacing(16);
    column->addWidget(new Label(theme, title, TextSize::lesson_title, Tone::text, 600));
    body_ = new QVBoxLayout;
    column->addLayout(body_);
    auto* row = new QHBoxLayout;
    row->addStretch();
    auto* shut = new QPushButton(tr("Close"));
    shut->setDefault(true);
    connect(shut, &QPushButton::clicked, this, &QDialog::accept);
    row->addWidget(shut);
    column->addLayout(row);
}

void NoteDialog::add_text(const QString& text) {
    auto* label = new Label(theme_, text, TextSize::interface, Tone::secondary);
    label->setWordWrap(true);
    body_->addWidget(label);
}

void NoteDialog::add_pairs(const QList<std::pair<QString, QString>>& pairs) {
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(8);
    int row = 0;
    for (const auto& [left, right] : pairs) {
        grid->addWidget(new Label(theme_, left, TextSize::interface, Tone::text, 500, Face::mono), row, 0);
        grid->addWidget(new Label(theme_, right, TextSize::interface, Tone::secondary), row, 1);
        ++row;
    }
    grid->setColumnStretch(1, 1);
    body_->addLayout(grid);
}

}  // namespace plumbline::ui
