#include "ui/plot/axis_ticks.h"

#include <algorithm>
#include <cmath>

namespace plumbline::ui {

namespace {

constexpr QChar minus(0x2212);

QString with_minus(QString text) {
    return text.replace(QLatin1Char('-'), minus);
}

}  // namespace

double round_step(double least) {
    const double power = std::pow(10.0, std::floor(std::log10(least)));
    // The slack keeps a step such as 0.1 from growing to 0.2 by rounding.
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= least * (1 - 1e-9)) {
            return factor * power;
        }
    }
    return 10 * power;
}

RoundRange round_range(Extent data, int intervals, double least_step) {
    if (data.empty()) {
        data = {0, 1};
    }
    if (data.size() <= 1e-12 * std::max(std::abs(data.lower), std::abs(data.upper))) {
        const double around = data.lower == 0 ? 0.5 : std::abs(data.lower) * 0.2;
        data = {data.lower - around, data.upper + around};
    }
    const double step = std::max(round_step(data.size() / std::max(intervals, 1)), least_step);
    RoundRange out;
    out.step = step;
    out.lower = std::floor(data.lower / step + 1e-9) * step;
    out.upper = std::ceil(data.upper / step - 1e-9) * step;
    if (out.upper <= out.lower) {
        out.upper = out.lower + step;
    }
    return out;
}

QString tick_text(double value, double step) {
    const double rounded = std::abs(value) < step * 1e-6 ? 0 : value;
    if (step >= 1e6 || step < 1e-4) {
        const double ratio = std::abs(rounded) / step;
        const int digits = ratio < 1 ? 1 : static_cast<int>(std::floor(std::log10(ratio) + 1e-9)) + 1;
        return with_minus(QString::number(rounded, 'g', std::min(digits, 15)));
    }
    const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
    QString text = QString::number(rounded, 'f', decimals);
    if (decimals == 0 && std::abs(rounded) >= 1e4) {
        for (qsizetype at = text.size() - 3; at > (rounded < 0 ? 1 : 0); at -= 3) {
            text.insert(at, QChar(0x2009));  // thin space
        }
    }
    return with_minus(text);
}

QString value_text(double value, int decimals) {
    if (std::isnan(value)) {
        return QStringLiteral("NaN");
    }
    if (std::isinf(value)) {
        return value > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
    }
    const double size = std::abs(value);
    const double half_unit = 0.5 * std::pow(10.0, -decimals);
    if (size >= 1e6 || (size > 0 && size < half_unit)) {
        return with_minus(QString::number(value, 'g', 2));
    }
    return with_minus(QString::number(value, 'f', decimals));
}

}  // namespace plumbline::ui
