#include "ui/panels/pipeline_view.h"

#include <QPainter>

namespace plumbline::ui {

namespace {

constexpr int stage_height = 44;
constexpr int mark_size = 20;
constexpr int text_left = 32;

}  // namespace

PipelineView::PipelineView(const Theme& theme, QWidget* parent) : QWidget(parent), theme_(theme) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Pipeline"));
    connect(&theme, &Theme::changed, this, qOverload<>(&QWidget::update));
}

void PipelineView::set_stages(const std::vector<Stage>& stages) {
    if (stages == stages_) {
        return;
    }
    stages_ = stages;
    QStringList words;
    for (const Stage& stage : stages) {
        words.append(stage.title + QStringLiteral(": ") + stage.detail);
    }
    setAccessibleDescription(words.join(QStringLiteral(". ")));
    setToolTip(words.join(QLatin1Char('\n')));
    updateGeometry();
    update();
}

QSize PipelineView::sizeHint() const {
    return {200, std::max(0, int(stages_.size()) * stage_height - 6)};
}

void PipelineView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        const Stage& stage = stages_[i];
        const int y = int(i) * stage_height;
        const QRectF mark(0.75, y + 0.75, mark_size - 1.5, mark_size - 1.5);
        if (i + 1 < stages_.size()) {
            painter.setPen(QPen(theme_.color(Tone::button_border), 1));
            painter.drawLine(QPointF(mark_size / 2, y + mark_size + 3),
                             QPointF(mark_size / 2, y + stage_height - 3));
        }
        const bool current = stage.state == StageState::current;
        const Tone edge = stage.state == StageState::warning   ? Tone::warning
                          : stage.state == StageState::waiting ? Tone::input_border
                                                               : Tone::accent;
        painter.setPen(QPen(theme_.color(edge), 1.5));
        painter.setBrush(current ? QBrush(theme_.color(Tone::accent)) : QBrush(Qt::NoBrush));
        painter.drawEllipse(mark);
        const QRect inside(2, y + 2, 16, 16);
        if (stage.state == StageState::done) {
            theme_.icon(QStringLiteral("check"), Tone::accent).paint(&painter, inside.adjusted(3, 3, -3, -3));
        } else if (stage.state == StageState::warning) {
            theme_.icon(QStringLiteral("warning"), Tone::warning)
                .paint(&painter, inside.adjusted(2, 1, -2, -3));
        } else {
            painter.setFont(theme_.font(TextSize::axis, 600));
            painter.setPen(theme_.color(current ? Tone::on_accent : Tone::tertiary));
            painter.drawText(inside, Qt::AlignCenter, QString::number(i + 1));
        }
        const int width_left = width() - text_left;
        painter.setFont(theme_.font(TextSize::interface, 600));
        painter.setPen(theme_.color(Tone::text));
        painter.drawText(QRect(text_left, y, width_left, 18), Qt::AlignLeft | Qt::AlignVCenter, stage.title);
        painter.setFont(theme_.font(TextSize::secondary));
        painter.setPen(theme_.color(stage.state == StageState::warning ? Tone::warning : Tone::secondary));
        painter.drawText(QRect(text_left, y + 18, width_left, 18), Qt::AlignLeft | Qt::AlignVCenter,
                         painter.fontMetrics().elidedText(stage.detail, Qt::ElideRight, width_left));
    }
}

}  // namespace plumbline::ui
