#pragma once
// The live run in one line: its curve's colour, its name, its latest reward and KL.

#include <QWidget>
#include <optional>

#include "ui/theme/theme.h"

namespace plumbline::ui {

/// The theme must outlive it.
class RunTable : public QWidget {
    Q_OBJECT
  public:
    explicit RunTable(const Theme& theme, QWidget* parent = nullptr);

    struct Run {
        QString name;  // "DPO, live"; empty: no run
        std::optional<double> reward, kl;
        double kl_limit = 0;  // a KL above it is shown as a warning
    };
    void set_run(const Run& run);
    const Run& run() const { return run_; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    const Theme& theme_;
    Run run_;
};

}  // namespace plumbline::ui
