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
    grid_ = new QGridLayout(this);
    grid_->setContentsMargins(12, 7, 8, 7);
    grid_->setSpacing(8);
    grid_->setColumnStretch(1, 1);
    mark_ = new QLabel(this);
    connect(&theme, &Theme::changed, this, &Notice::draw_mark);
    grid_->addWidget(mark_, 0, 0);
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
    tell(Tone::warning, QStringLiteral("warning"), text, ways);
}

void Notice::show_done(const QString& text, const std::vector<Way>& ways) {
    tell(Tone::accent, QStringLiteral("check"), text, ways);
}

void Notice::draw_mark() {
    mark_->setPixmap(icon_.isEmpty() ? QPixmap() : theme().icon(icon_, tone_).pixmap(16, 16));
}

void Notice::tell(Tone tone, const QString& icon, const QString& text, const std::vector<Way>& ways) {
    clear();
    tone_ = tone;
    icon_ = icon;
    set_border(tone == Tone::warning ? tone : Tone::selection_border);
    text_->set_tone(tone == Tone::warning ? tone : Tone::text);
    draw_mark();
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
    Q_EMIT told();
    QAccessibleEvent alert(this, QAccessible::Alert);
    QAccessible::updateAccessibility(&alert);
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
