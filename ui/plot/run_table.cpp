#include "ui/plot/run_table.h"

#include <QPainter>

#include "ui/plot/axis_ticks.h"

namespace plumbline::ui {

namespace {

constexpr int row_height = 24, value_width = 64, swatch_width = 28, swatch_gap = 10, icon_size = 12;

QString shown(std::optional<double> value, int decimals) {
    return value ? value_text(*value, decimals) : QStringLiteral("–");
}

}  // namespace

RunTable::RunTable(const Theme& theme, QWidget* parent) : QWidget(parent), theme_(theme) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme_, &Theme::changed, this, qOverload<>(&QWidget::update));
}

void RunTable::set_run(const Run& run) {
    run_ = run;
    setAccessibleName(
        run.name.isEmpty()
            ? tr("No run")
            : tr("%1: reward %2, KL %3 nats").arg(run.name, shown(run.reward, 2), shown(run.kl, 2)));
    update();
}

QSize RunTable::sizeHint() const {
    return {swatch_width + swatch_gap + 90 + 2 * value_width, 2 * row_height};
}

void RunTable::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const int name_left = swatch_width + swatch_gap;
    const QRect kl(width() - value_width, 0, value_width, row_height);
    const QRect reward = kl.translated(-value_width, 0);
    const QRect name(name_left, 0, reward.left() - name_left, row_height);

    painter.setFont(theme_.font(TextSize::secondary));
    painter.setPen(theme_.color(Tone::tertiary));
    painter.drawText(name, Qt::AlignLeft | Qt::AlignVCenter, tr("Run"));
    painter.drawText(reward, Qt::AlignRight | Qt::AlignVCenter, tr("reward"));
    painter.drawText(kl, Qt::AlignRight | Qt::AlignVCenter, tr("KL, nats"));

    painter.translate(0, row_height);
    if (run_.name.isEmpty()) {
        painter.drawText(name, Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("–"));
        return;
    }
    painter.setPen(QPen(theme_.color(Tone::run1), 2.5));
    painter.drawLine(QPointF(0, row_height / 2.0), QPointF(swatch_width, row_height / 2.0));
    painter.setFont(theme_.font(TextSize::secondary, 600));
    painter.setPen(theme_.color(Tone::text));
    painter.drawText(name, Qt::AlignLeft | Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(run_.name, Qt::ElideRight, name.width()));
    painter.setFont(theme_.mono(TextSize::secondary));
    painter.drawText(reward, Qt::AlignRight | Qt::AlignVCenter, shown(run_.reward, 2));
    const QString kl_text = shown(run_.kl, 2);
    if (run_.kl && *run_.kl > run_.kl_limit) {
        painter.setPen(theme_.color(Tone::warning));
        const int text_width = painter.fontMetrics().horizontalAdvance(kl_text);
        theme_.icon(QStringLiteral("warning"), Tone::warning)
            .paint(&painter, QRect(kl.right() - text_width - icon_size - 4, (row_height - icon_size) / 2,
                                   icon_size, icon_size));
    }
    painter.drawText(kl, Qt::AlignRight | Qt::AlignVCenter, kl_text);
}

}  // namespace plumbline::ui
