#pragma once
// Pictures and tables of plots as files. A file is written beside its place and renamed: never half of one.

#include <QByteArray>
#include <QImage>
#include <QString>
#include <memory>
#include <vector>

#include "ui/plot/series.h"

namespace plumbline::ui {

/// PNG. Throws Error with the path and the reason.
void save_png(const QString& path, const QImage& image);

struct NamedSeries {
    QString name;
    std::shared_ptr<const Series> series;
};

/// One line a point: name, label, step, x, raw, smoothed_x, smoothed. Of a curve over steps, step, x and
/// smoothed_x are the same. Numbers read back to the same bits; `nan`, `inf`, `-inf` otherwise. Names with
/// commas, quotes or line ends are quoted (RFC 4180); lines end in CRLF as there.
QByteArray to_csv(const std::vector<NamedSeries>& table);
/// Throws Error with the path and the reason.
void save_csv(const QString& path, const std::vector<NamedSeries>& table);

}  // namespace plumbline::ui
