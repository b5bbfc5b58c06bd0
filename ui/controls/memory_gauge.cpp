#include "ui/controls/memory_gauge.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>

#include "ui/controls/figures.h"

namespace plumbline::ui {

MemoryGauge::MemoryGauge(const Theme& theme, QWidget* parent) : QWidget(parent), theme_(theme) {
    setFixedHeight(8);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme, &Theme::changed, this, qOverload<>(&QWidget::update));
}

void MemoryGauge::show_need(std::int64_t need, const MachineMemory& memory) {
    need_ = need;
    memory_ = memory;
    const QString words = tr("needs %1; %2 of %3 are in use")
                              .arg(memory_size(need), memory_size(memory.total - memory.available),
                                   memory_size(memory.total));
    setAccessibleName(words);
    setToolTip(words);
    update();
}

void MemoryGauge::paintEvent(QPaintEvent*) {
    if (memory_.total <= 0) {
        return;
    }
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QPainterPath outline;
    outline.addRoundedRect(QRectF(rect()), 4, 4);
    painter.setClipPath(outline);
    const auto along = [&](std::int64_t bytes) {
        return width() * std::min(1.0, double(bytes) / double(memory_.total));
    };
    const double used = along(memory_.total - memory_.available), needed = along(need_);
    painter.fillRect(rect(), theme_.color(Tone::line));
    painter.fillRect(QRectF(0, 0, used, height()), theme_.color(Tone::tertiary));
    // A need that does not fit covers what is in use: all of it would have to go.
    const bool fits = need_ <= memory_.available;
    painter.fillRect(QRectF(fits ? used : width() - needed, 0, needed, height()),
                     theme_.color(fits ? Tone::accent : Tone::warning));
}

QString fit_words(std::int64_t need, const MachineMemory& memory) {
    switch (fit(need, memory)) {
        case Fit::yes:
            return MemoryGauge::tr("fits");
        case Fit::when_freed:
            return MemoryGauge::tr("fits when %1 more is free").arg(memory_size(need - memory.available));
        case Fit::no:
            break;
    }
    return MemoryGauge::tr("does not fit");
}

}  // namespace plumbline::ui
