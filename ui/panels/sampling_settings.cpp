#include "ui/panels/sampling_settings.h"

#include <QAction>
#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QRandomGenerator>
#include <QRegularExpressionValidator>
#include <QSpinBox>
#include <algorithm>

#include "ui/controls/chooser.h"
#include "ui/controls/flow_layout.h"
#include "ui/controls/key_button.h"
#include "ui/controls/label.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

/// A label and its field, kept together when the line wraps.
QWidget* labelled(const Theme& theme, const QString& text, QWidget* field) {
    auto* box = new QWidget;
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(5);
    auto* label = new Label(theme, text, TextSize::secondary, Tone::secondary);
    label->setBuddy(field);
    row->addWidget(label);
    row->addWidget(field);
    field->setAccessibleName(text);
    return box;
}

template <class Box>
Box* number(const Theme& theme, int width) {
    auto* box = new Box;
    set_compact(*box);
    box->setFont(theme.mono(TextSize::interface));
    box->setKeyboardTracking(false);  // a number counts when it is finished
    box->setFixedSize(width, 24);
    return box;
}

}  // namespace

SamplingSettings::SamplingSettings(EngineBridge& bridge, SessionState& state, const Theme& theme,
                                   QWidget* parent)
    : QWidget(parent), bridge_(bridge), state_(state) {
    auto* flow = new FlowLayout(9, 8, this);
    flow->set_last_to_the_right(true);

    candidates_ = number<QSpinBox>(theme, 46);
    candidates_->setRange(2, 16);
    candidates_->setToolTip(tr("Replies drawn for one prompt, 2 to 16."));
    flow->addWidget(labelled(theme, tr("Candidates"), candidates_));

    shown_ = number<QSpinBox>(theme, 42);
    shown_->setRange(2, 6);
    shown_->setToolTip(
        tr("Replies on the screen, 2 to 6: of two say which is better, of more which is best, or "
           "rank them."));
    pair_choice_ = new Chooser;
    set_compact(*pair_choice_);
    pair_choice_->setFont(theme.font(TextSize::secondary));
    pair_choice_->add(tr("most different"),
                      tr("The two whose rewards differ most; until there are labels, whose words do"));
    pair_choice_->add(tr("least certain"), tr("The two of whose order the reward model is least certain"));
    pair_choice_->add(tr("most telling"), tr("The two of which an answer would teach the reward model most"));
    pair_choice_->add(tr("closest rewards"), tr("The two whose rewards are closest"));
    pair_choice_->add(tr("at random"), tr("Any two: what the other ways are measured by"));
    pair_choice_->setAccessibleName(tr("Which of the drawn replies are shown"));
    pair_choice_->setToolTip(
        tr("Which of the drawn replies are shown. Replies that differ teach more than two that are alike."));
    auto* shown_box = labelled(theme, tr("Shown"), shown_);
    shown_box->layout()->addWidget(pair_choice_);
    flow->addWidget(shown_box);

    temperature_ = number<QDoubleSpinBox>(theme, 56);
    temperature_->setRange(0, 5);
    temperature_->setDecimals(2);
    temperature_->setSingleStep(0.1);
    temperature_->setToolTip(tr("0 always takes the likeliest token; higher values vary more. 0 to 5."));
    flow->addWidget(labelled(theme, tr("Temperature"), temperature_));

    max_tokens_ = number<QSpinBox>(theme, 52);
    max_tokens_->setRange(1, 4096);
    max_tokens_->setSingleStep(8);
    max_tokens_->setToolTip(tr("A reply stops after this many tokens, 1 to 4096."));
    flow->addWidget(labelled(theme, tr("Max tokens"), max_tokens_));

    seed_ = new QLineEdit;
    set_compact(*seed_);
    seed_->setFont(theme.mono(TextSize::interface));
    seed_->setFixedSize(68, 24);
    seed_->setValidator(
        new QRegularExpressionValidator(QRegularExpression(QStringLiteral("[0-9]{1,19}")), seed_));
    seed_->setToolTip(tr("Random numbers depend on it; the same seed repeats a session."));
    QAction* reroll =
        seed_->addAction(theme.icon(QStringLiteral("refresh"), Tone::secondary), QLineEdit::TrailingPosition);
    reroll->setToolTip(tr("Another seed"));
    flow->addWidget(labelled(theme, tr("Seed"), seed_));

    blind_ = new QCheckBox(tr("Blind"));
    blind_->setFont(theme.font(TextSize::secondary));
    blind_->setToolTip(tr("Keeps the reward model's scores hidden until you have voted."));
    flow->addWidget(blind_);
    shuffle_ = new QCheckBox(tr("Shuffle"));
    shuffle_->setFont(theme.font(TextSize::secondary));
    shuffle_->setToolTip(tr("Draws at random which reply is A and which is B."));
    flow->addWidget(shuffle_);

    again_ = new KeyButton(theme, tr("Sample again"), {QStringLiteral("R")});
    set_compact(*again_);
    again_->setFont(theme.font(TextSize::secondary));
    again_->setIcon(theme.icon(QStringLiteral("refresh"), Tone::secondary));
    again_->setAccessibleName(tr("Sample again"));
    again_->setToolTip(tr("Draws another pair for this prompt"));
    flow->addWidget(again_);

    connect(candidates_, &QSpinBox::valueChanged, this, [this](int value) {
        change([&](SessionConfig& c) {
            c.sampling.candidates = value;
            c.sampling.shown = std::min(c.sampling.shown, value);
        });
    });
    connect(shown_, &QSpinBox::valueChanged, this, [this](int value) {
        change([&](SessionConfig& c) {
            c.sampling.shown = value;
            c.sampling.candidates = std::max(c.sampling.candidates, value);
        });
        if (!showing_ && state_.open() && state_.phase() != Phase::saving) {
            bridge_.post(SampleAgain{});  // who asks for more replies wants to see them
        }
    });
    connect(pair_choice_, &Chooser::activated, this, [this](int index) {
        change([&](SessionConfig& c) { c.sampling.pair_choice = static_cast<PairChoice>(index); });
    });
    connect(temperature_, &QDoubleSpinBox::valueChanged, this,
            [this](double value) { change([&](SessionConfig& c) { c.sampling.temperature = value; }); });
    connect(max_tokens_, &QSpinBox::valueChanged, this,
            [this](int value) { change([&](SessionConfig& c) { c.sampling.max_new_tokens = value; }); });
    connect(blind_, &QCheckBox::toggled, this,
            [this](bool on) { change([&](SessionConfig& c) { c.blind = on; }); });
    connect(shuffle_, &QCheckBox::toggled, this,
            [this](bool on) { change([&](SessionConfig& c) { c.shuffle_sides = on; }); });
    connect(seed_, &QLineEdit::editingFinished, this, [this] {
        bool right = false;
        const quint64 value = seed_->text().toULongLong(&right);
        if (right && value != state_.config().seed) {
            change([&](SessionConfig& c) { c.seed = value; });
        } else if (!right) {
            show_config();
        }
    });
    connect(reroll, &QAction::triggered, this, [this] {
        const quint64 value = QRandomGenerator::global()->bounded(1, 10000);
        change([&](SessionConfig& c) { c.seed = value; });
    });
    connect(&state, &SessionState::config_changed, this, &SamplingSettings::show_config);
    show_config();
}

QList<QWidget*> SamplingSettings::controls() const {
    return {candidates_, shown_, pair_choice_, temperature_, max_tokens_, seed_, blind_, shuffle_, again_};
}

template <class Change>
void SamplingSettings::change(Change change) {
    if (showing_ || !state_.open()) {
        return;
    }
    SessionConfig config = state_.config();
    change(config);
    bridge_.post(ChangeConfig{config});
}

void SamplingSettings::show_config() {
    showing_ = true;
    const SessionConfig& config = state_.config();
    candidates_->setValue(config.sampling.candidates);
    shown_->setValue(config.sampling.shown);
    pair_choice_->setCurrentIndex(static_cast<int>(config.sampling.pair_choice));
    temperature_->setValue(config.sampling.temperature);
    max_tokens_->setValue(config.sampling.max_new_tokens);
    seed_->setText(QString::number(config.seed));
    blind_->setChecked(config.blind);
    shuffle_->setChecked(config.shuffle_sides);
    showing_ = false;
}

}  // namespace plumbline::ui
