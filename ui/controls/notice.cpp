#include "ui/controls/notice.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

#include "ui/controls/label.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

Notice::Notice(const Theme& theme, QWidget* parent) : Surface(theme, Tone::panel, Edge::box, parent) {
    set_border(Tone::warning);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 7, 8, 7);
    row->setSpacing(8);
    auto* mark = new QLabel(this);
    mark->setPixmap(theme.icon(QStringLiteral("warning"), Tone::warning).pixmap(16, 16));
    connect(&theme, &Theme::changed, mark, [mark, &theme] {
        mark->setPixmap(theme.icon(QStringLiteral("warning"), Tone::warning).pixmap(16, 16));
    });
    row->addWidget(mark);
    text_ = new Label(theme, {}, TextSize::secondary, Tone::warning, 500);
    text_->setWordWrap(true);
    text_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    row->addWidget(text_, 1);
    ways_ = new QHBoxLayout;
    ways_->setSpacing(8);
    row->addLayout(ways_);
    auto* dismiss = new QToolButton(this);
    dismiss->setIcon(theme.icon(QStringLiteral("close"), Tone::secondary));
    dismiss->setToolTip(tr("Dismiss this message"));
    dismiss->setAccessibleName(tr("Dismiss"));
    set_compact(*dismiss);
    row->addWidget(dismiss);
    connect(dismiss, &QToolButton::clicked, this, [this] {
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
        ways_->addWidget(button);
    }
    show();
    QAccessibleEvent told(this, QAccessible::Alert);
    QAccessible::updateAccessibility(&told);
}

void Notice::clear() {
    hide();
    text_->clear();
    while (QLayoutItem* item = ways_->takeAt(0)) {
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
