#include "ui/plot/plot_title.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <limits>

namespace plumbline::ui {

namespace {

constexpr double swatch_width = 14, swatch_gap = 5, value_gap = 5, entry_gap = 10, title_gap = 8;
constexpr int icon_size = 12;
constexpr int chevron_size = 10, chevron_gap = 4;

QPen swatch_pen(const Stroke& stroke, const Theme& theme) {
    QPen pen(theme.color(stroke.tone), 2.5);
    pen.setCapStyle(Qt::FlatCap);
    if (!stroke.dash_pixels.empty()) {
        QList<qreal> pattern;
        for (const double pixels : stroke.dash_pixels) {
            pattern.append(pixels / pen.widthF());
        }
        pen.setDashPattern(pattern);
    }
    return pen;
}

struct Fonts {
    QFont name, value;
    QFontMetricsF name_metrics, value_metrics;
    explicit Fonts(const Theme& theme)
        : name(theme.font(TextSize::secondary)),
          value(theme.mono(TextSize::secondary)),
          name_metrics(name),
          value_metrics(value) {}
};

// What an entry needs besides its name.
double fixed_width(const TitleEntry& entry, const Fonts& fonts) {
    double width = fonts.value_metrics.horizontalAdvance(entry.value);
    if (!entry.name.isEmpty() && !entry.value.isEmpty()) {
        width += value_gap;
    }
    if (entry.stroke) {
        width += swatch_width + swatch_gap;
    }
    if (!entry.warning.isEmpty()) {
        width += value_gap + icon_size + 3 + fonts.name_metrics.horizontalAdvance(entry.warning);
    }
    return width;
}

void paint_entry(QPainter& painter, double left, double middle, const TitleEntry& entry, const QString& name,
                 const Fonts& fonts, const Theme& theme) {
    const auto text = [&](const QString& part, const QFont& font, const QFontMetricsF& metrics, Tone tone) {
        painter.setFont(font);
        painter.setPen(theme.color(tone));
        painter.drawText(QPointF(left, middle + fonts.name_metrics.capHeight() / 2), part);
        left += metrics.horizontalAdvance(part);
    };
    if (entry.stroke) {
        painter.setPen(swatch_pen(*entry.stroke, theme));
        painter.drawLine(QPointF(left, middle), QPointF(left + swatch_width, middle));
        left += swatch_width + swatch_gap;
    }
    text(name, fonts.name, fonts.name_metrics, Tone::secondary);
    left += !entry.name.isEmpty() && !entry.value.isEmpty() ? value_gap : 0;
    text(entry.value, fonts.value, fonts.value_metrics, Tone::text);
    if (!entry.warning.isEmpty()) {
        left += value_gap;
        const QRect icon(qRound(left), qRound(middle - icon_size / 2.0), icon_size, icon_size);
        theme.icon(QStringLiteral("warning"), Tone::warning).paint(&painter, icon);
        left += icon_size + 3;
        text(entry.warning, fonts.name, fonts.name_metrics, Tone::warning);
    }
}

// The width to which the longest names are cut so that all of them fit: short ones stay whole.
double common_cap(std::vector<double> widths, double room) {
    std::sort(widths.begin(), widths.end());
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const double share = room / static_cast<double>(widths.size() - i);
        if (widths[i] > share) {
            return share;
        }
        room -= widths[i];
    }
    return std::numeric_limits<double>::infinity();
}

double title_width(const QString& title, const Theme& theme) {
    return QFontMetricsF(theme.font(TextSize::interface, 600)).horizontalAdvance(title);
}

}  // namespace

void paint_title(QPainter& painter, QRect row, const QString& title, const std::vector<TitleEntry>& entries,
                 const Theme& theme) {
    painter.setRenderHint(QPainter::Antialiasing);
    const double middle = row.top() + row.height() / 2.0;
    const QFont title_font = theme.font(TextSize::interface, 600);
    painter.setFont(title_font);
    painter.setPen(theme.color(Tone::text));
    painter.drawText(QPointF(row.left(), middle + QFontMetricsF(title_font).capHeight() / 2), title);

    const Fonts fonts(theme);
    const double room = row.width() - title_width(title, theme) - chevron_gap - chevron_size - title_gap;
    std::size_t first = 0;
    const auto fixed_total = [&] {
        double total = 0;
        for (std::size_t i = first; i < entries.size(); ++i) {
            total += fixed_width(entries[i], fonts) + (i > first ? entry_gap : 0);
        }
        return total;
    };
    while (first < entries.size() && fixed_total() > room) {
        ++first;
    }
    std::vector<double> widths;
    for (std::size_t i = first; i < entries.size(); ++i) {
        widths.push_back(fonts.name_metrics.horizontalAdvance(entries[i].name));
    }
    const double cap = common_cap(widths, room - fixed_total());
    double right = row.left() + row.width();
    for (std::size_t i = entries.size(); i-- > first;) {
        const TitleEntry& entry = entries[i];
        const QString name = widths[i - first] <= cap
                                 ? entry.name
                                 : fonts.name_metrics.elidedText(entry.name, Qt::ElideRight, cap);
        right -= fixed_width(entry, fonts) + fonts.name_metrics.horizontalAdvance(name);
        paint_entry(painter, right, middle, entry, name, fonts, theme);
        right -= entry_gap;
    }
}

PlotTitle::PlotTitle(const Theme& theme, QWidget* parent) : QAbstractButton(parent), theme_(theme) {
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void PlotTitle::set_title(const QString& title) {
    setText(title);
    setAccessibleName(title);
    update();
}

void PlotTitle::set_entries(std::vector<TitleEntry> entries) {
    entries_ = std::move(entries);
    QStringList said, explained;
    for (const TitleEntry& entry : entries_) {
        QStringList parts = {entry.name, entry.value, entry.warning};
        parts.removeAll(QString());
        said.append(parts.join(QLatin1Char(' ')));
        explained.append(entry.explanation.isEmpty()
                             ? said.last()
                             : said.last() + QStringLiteral(": ") + entry.explanation);
    }
    setAccessibleDescription(said.join(QStringLiteral(", ")));
    setToolTip(explained.join(QLatin1Char('\n')));
    update();
}

QRect PlotTitle::title_rect() const {
    const int width = static_cast<int>(title_width(text(), theme_)) + chevron_gap + chevron_size;
    return {0, 0, std::min(width, this->width()), height()};
}

QSize PlotTitle::sizeHint() const {
    return {title_rect().width() + 100, title_height};
}

void PlotTitle::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paint_title(painter, rect(), text(), entries_, theme_);
    const QRect title = title_rect();
    const QRect chevron(title.right() + 1 - chevron_size, (height() - chevron_size) / 2, chevron_size,
                        chevron_size);
    theme_.icon(QStringLiteral("chevron-down"), over_title_ || hasFocus() ? Tone::text : Tone::tertiary)
        .paint(&painter, chevron);
    if (hasFocus()) {
        painter.setPen(QPen(theme_.color(Tone::accent), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(title).adjusted(1, 1, 3, -1), 4, 4);
    }
}

void PlotTitle::enterEvent(QEnterEvent* event) {
    over_title_ = hitButton(event->position().toPoint());
    update();
}

void PlotTitle::leaveEvent(QEvent*) {
    over_title_ = false;
    update();
}

void PlotTitle::mouseMoveEvent(QMouseEvent* event) {
    const bool over = hitButton(event->position().toPoint());
    if (over != over_title_) {
        over_title_ = over;
        setCursor(over ? Qt::PointingHandCursor : Qt::ArrowCursor);
        update();
    }
    QAbstractButton::mouseMoveEvent(event);
}

}  // namespace plumbline::ui
