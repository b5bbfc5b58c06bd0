#pragma once
// One line that tells what a vote did: the label, the reward model, the policy.

#include <QColor>
#include <QVariantAnimation>
#include <QWidget>
#include <cstdint>
#include <vector>

#include "core/api/events.h"
#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"

namespace plumbline::ui {

/// Reads the events of one click at a time; those of an earlier one no longer change it. Fades from the
/// selection's colour to the panel's once the click is done, if animations are on. The theme, the bridge
/// and the state must outlive it.
class VerdictStrip : public QWidget {
    Q_OBJECT
  public:
    VerdictStrip(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent = nullptr);

    QString text() const;  // all of it, in one line
    void set_ranking(bool ranking);   // what the question before the first answer asks for
    QSize sizeHint() const override { return {400, heightForWidth(width())}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    /// `label` in Inter, `value` in JetBrains Mono.
    struct Part {
        QString label, value;
        bool strong = false;
    };
    void ask();   // before the first answer
    void say(const QString& hint);
    void recorded(const LabelRecorded& recorded);
    void fitted(const RewardFitted& fitted);
    void stepped(const PolicyStepped& stepped);
    void done(const ClickDone& done);
    void halted(const TrainingHalted& halted);
    QString question() const;
    QString rewards() const;  // as they were before the answer
    void compose();
    void light_up();
    void fade();
    int layout(int width, QPainter* painter) const;  // returns the height

    EngineBridge& bridge_;
    SessionState& state_;
    const Theme& theme_;
    std::vector<Part> parts_;
    QString hint_;
    bool ranking_ = false;
    std::int64_t label_id_ = 0;
    Choice choice_ = Choice::skip;
    QString verdict_;
    std::optional<Pair> pair_;  // that was answered
    std::optional<RewardFitted> fit_;
    int steps_ = 0;
    QString note_;
    bool done_ = false;
    bool halted_ = false;
    double fade_ = 1;  // 0: selection, 1: panel
    QVariantAnimation animation_;
};

}  // namespace plumbline::ui
