#include "ui/panels/candidate_card.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/controls/availability.h"
#include "ui/controls/figures.h"
#include "ui/controls/key_button.h"
#include "ui/controls/label.h"
#include "ui/panels/reply_view.h"

namespace plumbline::ui {

namespace {

constexpr int header_height = 40;

/// The letter on its small square.
class Badge : public Label {
  public:
    Badge(const Theme& theme, const QString& letter)
        : Label(theme, letter, TextSize::interface, Tone::text, 600), theme_(theme) {
        setFixedSize(24, 24);
        setAlignment(Qt::AlignCenter);
    }

  protected:
    void paintEvent(QPaintEvent* event) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme_.color(Tone::hover));
        painter.drawRoundedRect(rect(), 4, 4);
        painter.end();
        Label::paintEvent(event);
    }

  private:
    const Theme& theme_;
};

}  // namespace

QString letter_of(int place) {
    return QString(QChar(u'A' + place));
}

CandidateCard::CandidateCard(const Theme& theme, int place, QWidget* parent)
    : Surface(theme, Tone::card, Edge::box, parent), name_(letter_of(place)) {
    set_border(Tone::button_border);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(1, 1, 1, 8);
    column->setSpacing(0);

    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 0, 12, 0);
    header->setSpacing(8);
    letter_ = new Badge(theme, name_);
    header_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    header_->set_elided(Qt::ElideRight);
    reward_mark_ = new QLabel;
    reward_mark_->setToolTip(tr("The reward is hidden until you have voted"));
    const auto tint = [this, &theme] {
        reward_mark_->setPixmap(theme.icon(QStringLiteral("eye-off"), Tone::tertiary).pixmap(16, 16));
    };
    tint();
    connect(&theme, &Theme::changed, this, tint);
    reward_ = new Label(theme, {}, TextSize::secondary, Tone::tertiary);
    header->addWidget(letter_);
    header->addWidget(header_, 1);
    header->addWidget(reward_mark_);
    header->addWidget(reward_);
    auto* header_box = new QWidget;
    header_box->setFixedHeight(header_height);
    header_box->setLayout(header);
    column->addWidget(header_box);

    reply_ = new ReplyView(theme);
    reply_->setAccessibleName(tr("Reply %1").arg(name_));
    auto* reply_box = new QVBoxLayout;
    reply_box->setContentsMargins(4, 6, 2, 8);
    reply_box->addWidget(reply_);
    column->addLayout(reply_box, 1);

    button_ = new KeyButton(theme, {}, {});
    set_button_kind(*button_, ButtonKind::choose);
    button_->set_weight(600);
    button_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(button_, &QPushButton::clicked, this, [this] {
        button_->setChecked(chosen_);  // the answer decides, not the press
        Q_EMIT chosen();
    });
    auto* button_box = new QHBoxLayout;
    button_box->setContentsMargins(7, 0, 7, 0);
    button_box->addWidget(button_);
    column->addLayout(button_box);
    setAccessibleName(tr("Candidate %1").arg(name_));
    set_dense(false);
    show_nothing({});
}

void CandidateCard::set_dense(bool dense) {
    dense_ = dense;
    button_->setFixedHeight(dense ? 32 : 40);
    reply_->set_size(dense ? TextSize::reply_small : TextSize::reply);
    setMinimumSize(dense ? QSize(160, 132) : QSize(200, 180));
}

void CandidateCard::set_offer(const QString& text, const QString& tip, const QStringList& keys, bool chosen) {
    chosen_ = chosen;
    button_->setText(text);
    button_->setAccessibleName(dense_ ? tr("Reply %1: %2").arg(name_, text) : text);
    button_->set_keys(keys);
    button_->setCheckable(chosen);
    button_->setChecked(chosen);
    button_->set_text_tone(chosen ? Tone::accent : Tone::text);
    set_tip(*button_, tip);
    set_border(chosen ? Tone::accent : Tone::button_border);
}

QString CandidateCard::offer() const {
    return button_->text();
}

void CandidateCard::show_nothing(const QString& why) {
    fraction_ = -1;
    rate_ = 0;
    header_->setText({});
    set_reward({}, false);
    reply_->set_caret(false);
    reply_->set_reply(why);
    set_greyed(true);
    update();
}

void CandidateCard::begin(int max_new_tokens) {
    max_new_tokens_ = std::max(1, max_new_tokens);
    fraction_ = 0;
    rate_ = 0;
    set_greyed(false);
    header_->setText(tr("0 of %1 tokens").arg(max_new_tokens_));
    set_reward(dense_ ? QString() : tr("reward hidden"), true);
    reply_->set_reply({});
    reply_->set_caret(true);
    update();
}

void CandidateCard::append(const QString& text, int tokens, double seconds, bool ended) {
    reply_->append_reply(text);
    fraction_ = std::clamp(double(tokens) / max_new_tokens_, 0.0, 1.0);
    if (seconds > 0.2) {
        rate_ = tokens / seconds;
    }
    QString told = ended ? counted(tokens, tr("token"), tr("tokens"))
                         : tr("%1 of %2 tokens").arg(tokens).arg(max_new_tokens_);
    if (rate_ > 0 && !dense_) {
        told += tr(", %1 tok/s").arg(rate_, 0, 'f', rate_ < 10 ? 1 : 0);
    }
    header_->setText(ended ? told + tr(", ended") : told);
    reply_->set_caret(!ended);
    update();
}

void CandidateCard::show_reply(const Candidate& candidate, bool reward_hidden) {
    fraction_ = -1;
    set_greyed(false);
    const QString end = candidate.finish != Finish::length ? tr(", ended")
                        : dense_                           ? tr(", cut off")
                                                           : tr(", stopped at the limit");
    header_->setText(counted(candidate.tokens, tr("token"), tr("tokens")) + end);
    if (!candidate.reward) {
        set_reward(dense_ ? QString() : tr("no reward yet"), false);
    } else if (reward_hidden) {
        set_reward(dense_ ? QString() : tr("reward hidden"), true);
    } else {
        const QString value = signed_number(*candidate.reward);
        set_reward(dense_ ? value
                   : candidate.reward_sd
                       ? tr("reward %1 ± %2").arg(value).arg(*candidate.reward_sd, 0, 'f', 2)
                       : tr("reward %1").arg(value),
                   false);
    }
    reply_->set_caret(false);
    reply_->set_reply(QString::fromStdString(candidate.text));
    update();
}

void CandidateCard::set_reward(const QString& text, bool hidden_mark) {
    reward_->setText(text);
    reward_mark_->setVisible(hidden_mark);
}

void CandidateCard::set_choosable(const QString& why_not) {
    set_available(*button_, why_not);
}

void CandidateCard::set_greyed(bool greyed) {
    reply_->set_greyed(greyed);
    header_->set_tone(greyed ? Tone::disabled : Tone::secondary);
    reward_->set_tone(greyed ? Tone::disabled : Tone::tertiary);
    letter_->set_tone(greyed ? Tone::disabled : Tone::text);
}

QString CandidateCard::header_text() const {
    return header_->text();
}
QString CandidateCard::reward_text() const {
    return reward_->text();
}
QString CandidateCard::reply_text() const {
    return reply_->toPlainText();
}

void CandidateCard::paintEvent(QPaintEvent* event) {
    Surface::paintEvent(event);
    QPainter painter(this);
    const int y = header_height + 1;
    painter.fillRect(1, y, width() - 2, 1, theme().color(Tone::line));
    if (fraction_ >= 0) {
        painter.fillRect(1, y, width() - 2, 2, theme().color(Tone::line));
        painter.fillRect(1, y, int((width() - 2) * fraction_), 2, theme().color(Tone::accent));
    }
}

}  // namespace plumbline::ui
