#include "ui/panels/session_panel.h"

#include <QHBoxLayout>
#include <QListView>
#include <QProgressBar>
#include <QVBoxLayout>

#include "core/api/chat_templates.h"
#include "ui/controls/figures.h"
#include "ui/controls/label.h"
#include "ui/panels/history_list.h"
#include "ui/panels/pipeline_view.h"

namespace plumbline::ui {

namespace {

QString dtype_words(const std::string& dtype) {
    return dtype == "f32"    ? QStringLiteral("float32")
           : dtype == "bf16" ? QStringLiteral("bfloat16")
                             : QString::fromStdString(dtype);
}

QVBoxLayout* section(const Theme& theme, QVBoxLayout* column, Edge edge) {
    auto* box = new Surface(theme, Tone::panel, edge);
    auto* inner = new QVBoxLayout(box);
    inner->setContentsMargins(16, 16, 16, 16);
    inner->setSpacing(4);
    column->addWidget(box);
    return inner;
}

}  // namespace

SessionPanel::SessionPanel(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent)
    : Surface(theme, Tone::panel, Edge::none, parent), bridge_(bridge), state_(state) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);

    QVBoxLayout* model = section(theme, column, Edge::bottom);
    name_ = new Label(theme, {}, TextSize::interface, Tone::text, 600);
    name_->set_elided(Qt::ElideRight);
    size_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    size_->set_elided(Qt::ElideRight);
    device_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    device_->set_elided(Qt::ElideRight);
    model->addWidget(name_);
    model->addWidget(size_);
    model->addWidget(device_);
    template_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    template_->set_elided(Qt::ElideRight);
    model->addWidget(template_);
    model->addSpacing(8);
    auto* memory_row = new QHBoxLayout;
    memory_row->addWidget(new Label(theme, tr("Memory"), TextSize::secondary, Tone::secondary));
    memory_row->addStretch();
    memory_ = new Label(theme, {}, TextSize::secondary, Tone::text, 400, Face::mono);
    memory_row->addWidget(memory_);
    model->addLayout(memory_row);
    memory_bar_ = new QProgressBar;
    memory_bar_->setTextVisible(false);
    memory_bar_->setFixedHeight(4);
    memory_bar_->setRange(0, 1000);
    memory_bar_->setAccessibleName(tr("Memory in use"));
    model->addWidget(memory_bar_);

    QVBoxLayout* pipeline = section(theme, column, Edge::bottom);
    pipeline->addWidget(new Label(theme, tr("Pipeline"), TextSize::axis, Tone::secondary, 600));
    pipeline->addSpacing(8);
    pipeline_ = new PipelineView(theme);
    pipeline->addWidget(pipeline_);

    auto* history_head = new QHBoxLayout;
    history_head->setContentsMargins(16, 10, 16, 6);
    history_head->addWidget(new Label(theme, tr("History"), TextSize::axis, Tone::secondary, 600));
    history_head->addStretch();
    history_head->addWidget(new Label(theme, tr("step"), TextSize::axis, Tone::secondary));
    column->addLayout(history_head);
    no_history_ = new Label(theme, tr("Your answers will be listed here, newest first."), TextSize::secondary,
                            Tone::tertiary);
    no_history_->setWordWrap(true);
    no_history_->setContentsMargins(16, 4, 16, 0);
    column->addWidget(no_history_);
    history_ = new QListView;
    history_->setFrameShape(QFrame::NoFrame);
    history_->setUniformItemSizes(true);
    history_->setMouseTracking(true);
    history_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    history_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    history_->viewport()->setAutoFillBackground(false);
    history_->setAccessibleName(tr("History of answers, newest first"));
    history_->setModel(new HistoryModel(state, this));
    history_->setItemDelegate(new HistoryDelegate(theme, this));
    column->addWidget(history_, 1);
    column->addStretch(0);

    connect(&state, &SessionState::opened, this, &SessionPanel::show_model);
    connect(&state, &SessionState::history_changed, this, &SessionPanel::show_pipeline);
    connect(&state, &SessionState::config_changed, this, &SessionPanel::show_pipeline);
    connect(&bridge, &EngineBridge::snapshot_changed, this, &SessionPanel::show_snapshot);
    show_model();
    show_snapshot(bridge.snapshot());
}

void SessionPanel::show_model() {
    const ModelInfo& model = state_.model();
    name_->setText(model.name.empty() ? tr("No model") : state_.model_title());
    size_->setText(
        model.parameters == 0
            ? QString()
            : tr("%1 parameters, %2").arg(parameter_count(model.parameters), dtype_words(model.dtype)));
    const bool plain = writes_plain_text(model.chat_template);
    template_->setVisible(!model.chat_template.empty());
    template_->set_tone(plain ? Tone::warning : Tone::secondary);
    template_->setText(plain ? tr("Plain text, no chat template")
                             : tr("Chat template %1").arg(QString::fromStdString(model.chat_template)));
    template_->setToolTip(QString::fromStdString(model.chat_template_note));
    if (!model.path.empty()) {
        name_->setToolTip(tr("%1\n%2 layers, hidden %3, vocabulary %4, context %5; %6 in the file")
                              .arg(QString::fromStdString(model.path))
                              .arg(model.layers)
                              .arg(model.hidden)
                              .arg(model.vocab)
                              .arg(model.context)
                              .arg(QString::fromStdString(model.file_dtype)));
    }
}

void SessionPanel::show_snapshot(const Snapshot& snapshot) {
    device_->setText(tr("%1, %2").arg(QString::fromStdString(snapshot.device),
                                      counted(snapshot.threads, tr("thread"), tr("threads"))));
    if (snapshot.memory_total > 0) {
        memory_->setText(
            tr("%1 / %2 GB")
                .arg(gigabytes(snapshot.memory_bytes),
                     QString::number(double(snapshot.memory_total) / double(1LL << 30), 'f', 0)));
        memory_bar_->setValue(int(1000.0 * double(snapshot.memory_bytes) / double(snapshot.memory_total)));
    }
    show_pipeline();
}

void SessionPanel::show_pipeline() {
    pipeline_->set_stages(pipeline_stages(state_, bridge_.snapshot()));
    no_history_->setVisible(state_.history().empty());
}

std::vector<Stage> pipeline_stages(const SessionState& state, const Snapshot& snapshot) {
    const int labels = state.labels();
    const int ties = state.ties();
    Stage preferences{SessionPanel::tr("Preferences"), SessionPanel::tr("no labels yet"),
                      StageState::current};
    if (labels > 0) {
        preferences.detail = counted(labels, SessionPanel::tr("label"), SessionPanel::tr("labels")) +
                             QStringLiteral(", ") +
                             counted(ties, SessionPanel::tr("tie"), SessionPanel::tr("ties"));
    }
    Stage reward{SessionPanel::tr("Reward model"), SessionPanel::tr("learns from the first label"),
                 StageState::waiting};
    if (labels > 0) {
        const std::optional<double> accuracy = state.heldout_accuracy();
        reward.detail = accuracy ? SessionPanel::tr("held-out accuracy %1").arg(*accuracy, 0, 'f', 2)
                                 : SessionPanel::tr("accuracy needs 5 pairs");
        reward.state = accuracy ? StageState::done : StageState::waiting;
    }
    const LiveConfig& live = state.config().live;
    Stage policy{SessionPanel::tr("Policy"), SessionPanel::tr("step 0, as it was"), StageState::waiting};
    if (state.policy_steps() > 0) {
        policy.detail =
            SessionPanel::tr("step %1, KL %2 nats").arg(state.policy_steps()).arg(snapshot.kl, 0, 'f', 1);
        policy.state = StageState::done;
        if (snapshot.kl > live.kl_limit) {
            policy.state = StageState::warning;
            policy.detail = SessionPanel::tr("KL %1 nats, over the limit %2")
                                .arg(snapshot.kl, 0, 'f', 1)
                                .arg(live.kl_limit, 0, 'f', 1);
        }
    }
    if (snapshot.training_paused && policy.state != StageState::warning) {
        policy.detail =
            SessionPanel::tr("paused, %1 waiting")
                .arg(counted(snapshot.pending_clicks, SessionPanel::tr("vote"), SessionPanel::tr("votes")));
    }
    return {preferences, reward, policy};
}

QString SessionPanel::model_text() const {
    return name_->text() + QLatin1Char('\n') + size_->text();
}
QString SessionPanel::template_text() const {
    return template_->text();
}
QString SessionPanel::memory_text() const {
    return memory_->text();
}

}  // namespace plumbline::ui
