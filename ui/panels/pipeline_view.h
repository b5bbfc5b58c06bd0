#pragma once
// The stages of RLHF from top to bottom, with where each of them stands.

#include <QString>
#include <QWidget>
#include <vector>

#include "ui/theme/theme.h"

namespace plumbline::ui {

enum class StageState { waiting, current, done, warning };

struct Stage {
    QString title, detail;
    StageState state = StageState::waiting;
    bool operator==(const Stage&) const = default;
};

/// The theme must outlive it.
class PipelineView : public QWidget {
    Q_OBJECT
  public:
    explicit PipelineView(const Theme& theme, QWidget* parent = nullptr);

    void set_stages(const std::vector<Stage>& stages);
    const std::vector<Stage>& stages() const { return stages_; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {120, sizeHint().height()}; }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    const Theme& theme_;
    std::vector<Stage> stages_;
};

}  // namespace plumbline::ui
