#pragma once
// What a model would take of the machine's memory, beside what is in use already.

#include <QWidget>

#include "core/api/machine_memory.h"
#include "ui/theme/theme.h"

namespace plumbline::ui {

/// A bar of 8 px: in use, then the need; in the warning tone what does not fit. The theme must outlive it.
class MemoryGauge : public QWidget {
    Q_OBJECT
  public:
    explicit MemoryGauge(const Theme& theme, QWidget* parent = nullptr);
    void show_need(std::int64_t need, const MachineMemory& memory);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    const Theme& theme_;
    std::int64_t need_ = 0;
    MachineMemory memory_;
};

/// "fits", "fits when 1.2 GB more is free", "does not fit".
QString fit_words(std::int64_t need, const MachineMemory& memory);

}  // namespace plumbline::ui
