#include "ui/plot/curve_plot.h"

#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "ui/plot/axis_ticks.h"
#include "ui/plot/plot_paint.h"
#include "ui/plot/qcustomplot_wrapper.h"
#include "ui/plot/round_ticker.h"
#include "ui/plot/series_line.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

constexpr int side = 16, top = 8, bottom = 8;  // around title and plot
constexpr QMargins axes_margins(28, 9, 8, 22);
constexpr double curve_width = 2.5, raw_width = 1, raw_dot = 2.5;
constexpr float raw_alpha = 0.3F;

// From below to above.
const QString beyond_layer = QStringLiteral("beyond");
const QString reference_layer = QStringLiteral("reference");
const QString raw_layer = QStringLiteral("raw");
const QString curve_layer = QStringLiteral("curves");
const QString text_layer = QStringLiteral("texts");
const QString readout_layer = QStringLiteral("readout");

QPen curve_pen(const Stroke& stroke, const Theme& theme) {
    QPen pen(theme.color(stroke.tone), curve_width);
    pen.setJoinStyle(Qt::RoundJoin);
    pen.setCapStyle(Qt::RoundCap);
    if (!stroke.dash_pixels.empty()) {
        QList<qreal> pattern;
        for (const double pixels : stroke.dash_pixels) {
            pattern.append(pixels / curve_width);
        }
        pen.setCapStyle(Qt::FlatCap);
        pen.setDashPattern(pattern);
    }
    return pen;
}

bool has_points(const CurveSpec& curve) {
    return curve.series->size() > curve.series->gaps();
}

}  // namespace

CurvePlot::CurvePlot(const Theme& theme, QWidget* parent)
    : QWidget(parent),
      theme_(theme),
      title_(new PlotTitle(theme, this)),
      plot_(new QCustomPlot(this)),
      reset_button_(new QPushButton(plot_)),
      x_ticker_(new RoundTicker),
      y_ticker_(new RoundTicker) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(side, top, side, bottom);
    layout->setSpacing(2);
    layout->addWidget(title_);
    layout->addWidget(plot_, 1);

    plot_->setMinimumHeight(96);
    plot_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    // By Tab only: a click into a plot must not take the arrow keys from the vote.
    plot_->setFocusPolicy(Qt::TabFocus);
    plot_->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    plot_->setAutoAddPlottableToLegend(false);
    plot_->axisRect()->setMinimumMargins(axes_margins);
    plot_->installEventFilter(this);
    plot_->xAxis->setTicker(x_ticker_);
    plot_->yAxis->setTicker(y_ticker_);
    using RangeChange = void (QCPAxis::*)(const QCPRange&, const QCPRange&);
    for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
        connect(
            axis, static_cast<RangeChange>(&QCPAxis::rangeChanged), this,
            [this, axis](const QCPRange& now, const QCPRange& before) { view_moved(*axis, now, before); });
    }
    connect(plot_, &QCustomPlot::mouseDoubleClick, this, &CurvePlot::reset_view);
    connect(plot_, &QCustomPlot::mouseMove, this, [this](QMouseEvent* event) {
        if (event->buttons() == Qt::NoButton) {
            update_readout(event->position());
        } else {
            update_readout(std::nullopt);
        }
    });

    reset_button_->setText(tr("Whole view"));
    reset_button_->setToolTip(tr("Show all points again (double click, or key 0)"));
    reset_button_->setFocusPolicy(Qt::NoFocus);
    reset_button_->setCursor(Qt::ArrowCursor);
    reset_button_->setFont(theme_.font(TextSize::secondary));
    set_compact(*reset_button_);
    reset_button_->hide();
    connect(reset_button_, &QPushButton::clicked, this, &CurvePlot::reset_view);
    connect(title_, &PlotTitle::clicked, this,
            [this] { menu_.popup(title_->mapToGlobal(title_->title_rect().bottomLeft())); });
    connect(&theme_, &Theme::changed, this, &CurvePlot::apply_theme);

    add_layers();
    build_menu();
    apply_theme();
}

CurvePlot::~CurvePlot() = default;

void CurvePlot::add_layers() {
    // A layer of its own in a buffer of its own: moving the pointer does not draw the curves again.
    QCPLayer* above = plot_->layer(QStringLiteral("axes"));
    for (const QString& name : {raw_layer, curve_layer, text_layer, readout_layer}) {
        plot_->addLayer(name, above);
        above = plot_->layer(name);
    }
    plot_->layer(readout_layer)->setMode(QCPLayer::lmBuffered);
    plot_->addLayer(beyond_layer, plot_->layer(QStringLiteral("background")));
    plot_->addLayer(reference_layer, plot_->layer(QStringLiteral("grid")));

    QCPAxisRect* axes = plot_->axisRect();
    using Clip = PaintedPart::Clip;
    new PaintedPart(axes, beyond_layer, Clip::axes, [this, axes](QCPPainter& painter) {
        for (const ReferenceLine& line : reference_lines_) {
            paint_beyond(painter, *axes, line, theme_);
        }
    });
    new PaintedPart(axes, reference_layer, Clip::axes, [this, axes](QCPPainter& painter) {
        for (const ReferenceLine& line : reference_lines_) {
            paint_reference(painter, *axes, line, theme_);
        }
    });
    new PaintedPart(axes, text_layer, Clip::plot, [this, axes](QCPPainter& painter) {
        paint_unit(painter, *plot_->xAxis, *x_ticker_, theme_);
        if (!message().isEmpty()) {
            paint_message(painter, axes->rect(), message(), theme_);
        } else if (!note().isEmpty()) {
            paint_note(painter, axes->rect(), note(), theme_);
        }
    });
    new PaintedPart(axes, readout_layer, Clip::plot, [this](QCPPainter& painter) {
        if (readout_) {
            paint_readout(painter, plot_->rect(), readout_->pixel, readout_->color, readout_->lines, theme_);
        }
    });
}

void CurvePlot::build_menu() {
    reset_action_ = menu_.addAction(tr("Whole view"), this, &CurvePlot::reset_view);
    reset_action_->setEnabled(false);
    menu_.addAction(tr("Save picture…"), this, &CurvePlot::picture_wanted);
    menu_.addAction(tr("Save table…"), this, &CurvePlot::table_wanted);
}

void CurvePlot::apply_theme() {
    plot_->setBackground(QBrush(theme_.color(Tone::panel)));
    const QPen grid(theme_.color(Tone::grid), 1);
    const QPen axis_line(theme_.color(Tone::axis), 1);
    for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
        axis->setTickLabelFont(theme_.font(TextSize::axis));
        axis->setTickLabelColor(theme_.color(Tone::tertiary));
        axis->setBasePen(axis_line);
        axis->setTickPen(axis_line);
        axis->setTickLength(0, 3);
        axis->setTickLabelPadding(4);
        axis->setSubTicks(false);
        axis->grid()->setPen(grid);
        axis->grid()->setZeroLinePen(grid);
    }
    // The grid's lines lead to the left axis' numbers; it needs no line of its own.
    plot_->xAxis->grid()->setVisible(false);
    plot_->yAxis->setBasePen(Qt::NoPen);
    plot_->yAxis->setTickPen(Qt::NoPen);
    plot_->yAxis->setTickLength(0, 0);
    plot_->yAxis->setTickLabelPadding(6);
    x_ticker_->font = plot_->xAxis->tickLabelFont();
    style_lines();
    replot();
    update();
}

void CurvePlot::style_lines() {
    for (std::size_t i = 0; i < curves_.size(); ++i) {
        const QPen pen = curve_pen(curves_[i].stroke, theme_);
        QColor faint = pen.color();
        faint.setAlphaF(raw_alpha);
        const bool path = curves_[i].series->smoothing() == Smoothing::both;
        lines_[i].raw->setPen(QPen(faint, path ? raw_dot : raw_width, Qt::SolidLine, Qt::RoundCap));
        lines_[i].smoothed->setPen(pen);
        lines_[i].tip->setPen(pen);
        lines_[i].tip->set_tip_text(
            {curves_[i].tip, theme_.font(TextSize::axis), theme_.color(Tone::secondary)});
    }
}

void CurvePlot::set_title(const QString& title) {
    title_->set_title(title);
    plot_->setAccessibleName(title);
}

void CurvePlot::set_x_axis(const XAxis& axis) {
    x_axis_ = axis;
    x_ticker_->least_step = axis.least_step;
    x_ticker_->unit = axis.unit;
}

void CurvePlot::set_curves(std::vector<CurveSpec> curves) {
    update_readout(std::nullopt);
    plot_->clearPlottables();
    lines_.clear();
    curves_ = std::move(curves);
    for (const CurveSpec& curve : curves_) {
        const auto line = [&](SeriesLine::Part part, const QString& layer) {
            auto* made = new SeriesLine(plot_->xAxis, plot_->yAxis, curve.series, part);
            made->setLayer(layer);
            return made;
        };
        lines_.push_back({line(SeriesLine::Part::raw, raw_layer),
                          line(SeriesLine::Part::smoothed, curve_layer),
                          line(SeriesLine::Part::tip, text_layer)});
    }
    style_lines();
}

void CurvePlot::set_reference_lines(std::vector<ReferenceLine> lines) {
    reference_lines_ = std::move(lines);
}

void CurvePlot::set_least_y(Extent extent) {
    least_y_ = extent;
}

void CurvePlot::set_badges(std::vector<Badge> badges) {
    badges_ = std::move(badges);
}

void CurvePlot::set_empty_text(const QString& text) {
    empty_text_ = text;
}

void CurvePlot::refresh() {
    update_legend();
    resize_view(plot_->size());
    update_readout(pointer_);
    replot();
}

void CurvePlot::replot() {
    if (isVisible()) {
        plot_->replot(QCustomPlot::rpQueuedRefresh);
    } else {
        stale_ = true;
    }
}

QString CurvePlot::message() const {
    return std::any_of(curves_.begin(), curves_.end(), has_points) ? QString() : empty_text_;
}

QString CurvePlot::note() const {
    if (std::none_of(curves_.begin(), curves_.end(), has_points)) {
        return {};
    }
    for (const CurveSpec& curve : curves_) {
        if (!has_points(curve) && !curve.missing_note.isEmpty()) {
            return curve.missing_note;
        }
    }
    return {};
}

void CurvePlot::update_legend() {
    std::vector<TitleEntry> entries;
    for (const CurveSpec& curve : curves_) {
        if (curve.legend.isEmpty()) {
            continue;
        }
        TitleEntry entry;
        entry.name = curve.legend;
        if (curves_.size() > 1) {
            entry.stroke = curve.stroke;
        }
        const Series& series = *curve.series;
        entry.value =
            series.empty() ? QStringLiteral("–") : value_text(series.values().back(), curve.decimals);
        if (const std::size_t gaps = series.gaps(); gaps > 0) {
            entry.warning = gaps == 1 ? tr("1 gap") : tr("%1 gaps").arg(gaps);
            entry.explanation = tr("values that are not finite are drawn as gaps");
        }
        entries.push_back(std::move(entry));
    }
    for (const Badge& badge : badges_) {
        TitleEntry entry;
        if (badge.warning) {
            entry.warning = badge.text + QLatin1Char(' ') + badge.value;
        } else {
            entry.name = badge.text;
            entry.value = badge.value;
        }
        entries.push_back(std::move(entry));
    }
    title_->set_entries(std::move(entries));
    plot_->setAccessibleDescription(title_->accessibleDescription());
}

QImage CurvePlot::picture(QSize size, double scale) {
    QImage image(QSize(qRound(size.width() * scale), qRound(size.height() * scale)), QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    image.fill(theme_.color(Tone::panel));
    const QRect row(side, top, size.width() - 2 * side, title_height);
    const QSize plot_size(row.width(), size.height() - row.bottom() - 3 - bottom);
    update_legend();
    {
        QPainter painter(&image);
        paint_title(painter, row, title(), title_->entries(), theme_);
    }
    const std::optional<Readout> kept = std::exchange(readout_, std::nullopt);
    resize_view(plot_size);
    {
        QCPPainter painter(&image);
        painter.translate(side, row.bottom() + 3);
        plot_->toPainter(&painter, plot_size.width(), plot_size.height());
    }
    readout_ = kept;
    resize_view(plot_->size());
    replot();
    return image;
}

std::vector<NamedSeries> CurvePlot::table() const {
    std::vector<NamedSeries> out;
    for (const CurveSpec& curve : curves_) {
        out.push_back({curve.name, curve.series});
    }
    return out;
}

}  // namespace plumbline::ui
