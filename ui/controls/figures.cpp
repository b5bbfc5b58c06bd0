#include "ui/controls/figures.h"

#include <QDateTime>
#include <cmath>

namespace plumbline::ui {

QString signed_number(double value) {
    const QString digits = QString::number(std::abs(value), 'f', 2);
    const bool negative = value < 0 && digits != QLatin1String("0.00");
    return (negative ? QStringLiteral("−") : QStringLiteral("+")) + digits;
}

QString counted(std::int64_t count, const QString& one, const QString& many) {
    return QStringLiteral("%1 %2").arg(count).arg(count == 1 ? one : many);
}

QString gigabytes(std::int64_t bytes) {
    return QString::number(double(bytes) / double(1LL << 30), 'f', 1);
}

QString memory_size(std::int64_t bytes) {
    const double megabytes = double(bytes) / double(1LL << 20);
    return megabytes < 0.5 ? QStringLiteral("%1 kB").arg(megabytes * 1024, 0, 'f', 0)
           : megabytes < 1000 ? QStringLiteral("%1 MB").arg(megabytes, 0, 'f', 0)
                              : gigabytes(bytes) + " GB";
}

QString parameter_count(std::int64_t parameters) {
    const double count = double(parameters);
    return count >= 1e9   ? QStringLiteral("%1 B").arg(count / 1e9, 0, 'f', 1)
           : count >= 1e6 ? QStringLiteral("%1 M").arg(count / 1e6, 0, 'f', 1)
                          : QStringLiteral("%1 k").arg(count / 1e3, 0, 'f', 1);
}

QString clock_time(double unix_seconds) {
    return QDateTime::fromMSecsSinceEpoch(qint64(unix_seconds * 1000)).toString(QStringLiteral("HH:mm:ss"));
}

QString title_of(Algorithm algorithm) {
    const std::string_view title = info(algorithm).title;
    return QString::fromUtf8(title.data(), static_cast<qsizetype>(title.size()));
}

QString words_for(Algorithm algorithm) {
    const AlgorithmInfo& entry = info(algorithm);
    const auto text = [](std::string_view view) {
        return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size()));
    };
    return QStringLiteral("%1: %2 (%3)").arg(text(entry.title), text(entry.summary), text(entry.source));
}

}  // namespace plumbline::ui
