#pragma once
// Ticks at round numbers; the unit stands beside the last of them.

#include <QFont>
#include <QString>
#include <optional>

#include "ui/plot/qcustomplot_wrapper.h"

namespace plumbline::ui {

/// Of an axis without a unit every tick has its number. With one, the last label is left out here, and so is
/// a label that it would run into; `last_label` says what to write and where.
class RoundTicker : public QCPAxisTicker {
  public:
    std::optional<double> step;  // set: ticks this far apart; else about `intervals` of them
    int intervals = 4;
    double least_step = 0;
    QString unit;
    QFont font;              // with a unit: of the labels
    double axis_pixels = 0;  // with a unit: length of the axis

    struct LastLabel {
        QString text;     // "24 labels"
        double left = 0;  // pixels from the axis' start
    };
    const std::optional<LastLabel>& last_label() const { return last_label_; }

  protected:
    double getTickStep(const QCPRange& range) override;
    int getSubTickCount(double) override { return 0; }
    QVector<QString> createLabelVector(const QVector<double>& ticks, const QLocale& locale, QChar format,
                                       int precision) override;

  private:
    void place_unit(const QVector<double>& ticks, QVector<QString>& labels);

    std::optional<LastLabel> last_label_;
    QCPRange range_;
    double used_step_ = 1;
};

}  // namespace plumbline::ui
