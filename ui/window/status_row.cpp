#include "ui/window/status_row.h"

#include <QAction>
#include <QHBoxLayout>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QTimer>

#include "core/api/chat_templates.h"
#include "ui/controls/figures.h"
#include "ui/controls/key_button.h"
#include "ui/controls/label.h"
#include "ui/theme/style.h"
#include "ui/window/actions.h"

namespace plumbline::ui {

namespace {

constexpr int said_milliseconds = 6000;

/// Filled while something runs.
class Dot : public QWidget {
  public:
    explicit Dot(const Theme& theme) : theme_(theme) { setFixedSize(10, 10); }
    void set_busy(bool busy) {
        busy_ = busy;
        update();
    }

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(theme_.color(busy_ ? Tone::accent : Tone::tertiary), 1));
        painter.setBrush(busy_ ? QBrush(theme_.color(Tone::accent)) : QBrush(Qt::NoBrush));
        painter.drawEllipse(QRectF(1.5, 1.5, 7, 7));
    }

  private:
    const Theme& theme_;
    bool busy_ = false;
};

}  // namespace

StatusRow::StatusRow(EngineBridge& bridge, SessionState& state, const Theme& theme, Actions& actions,
                     QWidget* parent)
    : Surface(theme, Tone::chrome, Edge::top, parent), bridge_(bridge), state_(state), actions_(actions) {
    setFixedHeight(28);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(16, 1, 16, 0);
    row->setSpacing(8);
    dot_ = new Dot(theme);
    text_ = new Label(theme, {}, TextSize::secondary);
    text_->set_elided(Qt::ElideRight);
    bar_ = new QProgressBar;
    bar_->setTextVisible(false);
    bar_->setRange(0, 1000);
    bar_->setFixedSize(128, 4);
    bar_->setAccessibleName(tr("Progress"));
    rate_ = new Label(theme, {}, TextSize::secondary, Tone::secondary, 400, Face::mono);
    stop_ = new QPushButton(tr("Stop"));
    stop_->setAutoDefault(false);
    stop_->setIcon(theme.icon(QStringLiteral("stop")));
    stop_->setIconSize({12, 12});
    stop_->setFont(theme.font(TextSize::secondary));
    stop_->setAccessibleName(tr("Stop what runs"));
    stop_->setToolTip(tr("Stops at the next small step; what is saved stays (Esc)"));
    set_compact(*stop_);
    stop_->setFixedHeight(20);
    connect(stop_, &QPushButton::clicked, actions.stop, &QAction::trigger);
    row->addWidget(dot_);
    row->addWidget(text_);
    row->addSpacing(4);
    row->addWidget(bar_);
    row->addWidget(rate_);
    row->addWidget(stop_);
    row->addStretch(1);
    plain_text_ = new KeyButton(theme, tr("Plain text"), {});
    plain_text_->setIcon(theme.icon(QStringLiteral("warning"), Tone::warning));
    plain_text_->set_text_tone(Tone::warning);
    plain_text_->setFont(theme.font(TextSize::secondary));
    set_button_kind(*plain_text_, ButtonKind::flat);
    set_compact(*plain_text_);
    plain_text_->hide();
    connect(plain_text_, &QPushButton::clicked, actions.chat_template, &QAction::trigger);
    connect(&state, &SessionState::phase_changed, this, &StatusRow::show_template);
    row->addWidget(plain_text_);
    device_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    memory_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    saved_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    row->addWidget(device_);
    row->addSpacing(6);
    row->addWidget(new Divider(theme, 14));
    row->addSpacing(6);
    row->addWidget(memory_);
    row->addSpacing(6);
    row->addWidget(new Divider(theme, 14));
    row->addSpacing(6);
    row->addWidget(saved_);
    connect(&bridge, &EngineBridge::snapshot_changed, this, &StatusRow::show_snapshot);
    connect(&state, &SessionState::phase_changed, this, &StatusRow::show_snapshot);
    connect(&actions, &Actions::busy_changed, this, &StatusRow::show_snapshot);
    show_snapshot();
}

QString StatusRow::text() const {
    return text_->text();
}
QString StatusRow::plain_text_note() const {
    return plain_text_->isHidden() ? QString() : plain_text_->toolTip();
}
QString StatusRow::saved_text() const {
    return saved_->text();
}

void StatusRow::say(const QString& words) {
    said_ = words;
    show_snapshot();
    QTimer::singleShot(said_milliseconds, this, [this, words] {
        if (said_ == words) {
            said_.clear();
            show_snapshot();
        }
    });
}

void StatusRow::show_template() {
    const ModelInfo& model = state_.model();
    plain_text_->setVisible(state_.open() && writes_plain_text(model.chat_template));
    plain_text_->setToolTip(QString::fromStdString(model.chat_template_note));
    plain_text_->setAccessibleDescription(plain_text_->toolTip());
}

void StatusRow::show_snapshot() {
    const Snapshot& now = bridge_.snapshot();
    const bool busy = actions_.busy();
    static_cast<Dot*>(dot_)->set_busy(busy);
    QString words = QString::fromStdString(now.text);
    if (!state_.open() && !busy) {
        words = tr("Idle, no model loaded");
    } else if (words.isEmpty() || !busy) {
        words = state_.phase() == Phase::choosing ? tr("Waiting for your answer")
                : busy                            ? tr("Working")
                                                  : tr("Idle");
    }
    if (now.training_paused) {
        words =
            tr("Training is paused, %1 waiting").arg(counted(now.pending_clicks, tr("vote"), tr("votes")));
    }
    text_->setText(said_.isEmpty() ? words : said_);
    bar_->setVisible(busy && now.progress >= 0);
    bar_->setValue(int(1000 * now.progress));
    const bool sampling = now.activity == Activity::sampling || now.activity == Activity::sampling_ahead ||
                          now.activity == Activity::evaluating;
    rate_->setVisible(busy && sampling && now.tokens_per_second > 0);
    rate_->setText(tr("%1 tok/s").arg(now.tokens_per_second, 0, 'f', 0));
    stop_->setVisible(busy);
    device_->setText(tr("%1, %2").arg(QString::fromStdString(now.device),
                                      counted(now.threads, tr("thread"), tr("threads"))));
    memory_->setText(tr("%1 of %2 GB")
                         .arg(gigabytes(now.memory_bytes))
                         .arg(double(now.memory_total) / double(1LL << 30), 0, 'f', 0));
    saved_->setText(!state_.open()            ? tr("Autosave on")
                    : now.saved_unix_time > 0 ? tr("✓ Saved %1").arg(clock_time(double(now.saved_unix_time)))
                                              : tr("Nothing to save yet"));
}

}  // namespace plumbline::ui
