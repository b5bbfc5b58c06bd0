#include "ui/controls/notice.h"

#include <QAccessible>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

#include "ui/controls/label.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

constexpr int longest_beside = 120;   // characters; a longer text has its buttons below it

}  // namespace

Notice::Notice(const Theme& theme, QWidget* parent) : Surface(theme, Tone::panel, Edge::box, parent) {
    set_border(Tone::warning);
    grid_ = new QGridLayout(this);
    grid_->setContentsMargins(12, 7, 8, 7);
    grid_->setSpacing(8);
    grid_->setColumnStretch(1, 1);
    auto* mark = new QLabel(this);
    mark->setPixmap(theme.icon(QStringLiteral("warning"), Tone::warning).pixmap(16, 16));
    connect(&theme, &Theme::changed, mark, [mark, &theme] {
        mark->setPixmap(theme.icon(QStringLiteral("warning"), Tone::warning).pixmap(16, 16));
    });
    grid_->addWidget(mark, 0, 0);
    text_ = new Label(theme, {}, TextSize::secondary, Tone::warning, 500);
    text_->setWordWrap(true);
    text_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    grid_->addWidget(text_, 0, 1);
    ways_ = new QWidget(this);
    auto* buttons = new QHBoxLayout(ways_);
    buttons->setContentsMargins(0, 0, 0, 0);
    buttons->setSpacing(8);
    dismiss_ = new QToolButton(this);
    dismiss_->setIcon(theme.icon(QStringLiteral("close"), Tone::secondary));
    dismiss_->setToolTip(tr("Dismiss this message"));
    dismiss_->setAccessibleName(tr("Dismiss"));
    set_compact(*dismiss_);
    grid_->addWidget(dismiss_, 0, 3);
    connect(dismiss_, &QToolButton::clicked, this, [this] {
        clear();
        Q_EMIT dismissed();
    });
    hide();
}

void Notice::show_problem(const QString& text, const std::vector<Way>& ways) {
    clear();
    text_->setText(text);
    setAccessibleName(text);
    for (const Way& way : ways) {
        auto* button = new QPushButton(way.text, this);
        button->setAutoDefault(false);
        set_compact(*button);
        connect(button, &QPushButton::clicked, this, [take = way.take] { take(); });
        ways_->layout()->addWidget(button);
    }
    if (text.size() > longest_beside) {
        grid_->addWidget(ways_, 1, 1, 1, 3, Qt::AlignLeft);
    } else {
        grid_->addWidget(ways_, 0, 2);
    }
    ways_->setVisible(!ways.empty());
    show();
    QAccessibleEvent told(this, QAccessible::Alert);
    QAccessible::updateAccessibility(&told);
}

void Notice::set_dismissable(bool on) {
    dismiss_->setVisible(on);
}

void Notice::clear() {
    hide();
    text_->clear();
    while (QLayoutItem* item = ways_->layout()->takeAt(0)) {
        if (item->widget()) {
            item->widget()->hide();
            item->widget()->deleteLater();
        }
        delete item;
    }
}

QString Notice::text() const {
    return text_->text();
}

}  // namespace plumbline::ui
