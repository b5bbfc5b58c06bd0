#include "ui/panels/verdict_row.h"

#include <QHBoxLayout>

#include "ui/controls/availability.h"
#include "ui/controls/key_button.h"
#include "ui/controls/label.h"
#include "ui/controls/segmented.h"
#include "ui/controls/surface.h"
#include "ui/panels/candidate_card.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

constexpr int wordy_width = 730;   // below it the row does without the word before the strengths
constexpr int narrow_width = 690;  // below it without the least needed key

}  // namespace

QString ordinal(int rank) {
    const char* const ending = rank == 1 ? "st" : rank == 2 ? "nd" : rank == 3 ? "rd" : "th";
    return QString::number(rank) + QLatin1String(ending);
}

VerdictRow::VerdictRow(const Theme& theme, QWidget* parent) : QWidget(parent) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    strength_word_ = new Label(theme, tr("Strength"), TextSize::secondary, Tone::secondary);
    strength_ = new Segmented(theme, {tr("Slightly"), tr("Clearly"), tr("Much")});
    strength_->setAccessibleName(tr("How much better"));
    strength_->setToolTip(
        tr("How much better the reply is that you choose next: Q slightly, W clearly, E much"));
    row->addWidget(strength_word_);
    row->addWidget(strength_);
    mode_ = new Segmented(theme, {tr("Pick best"), tr("Rank")});
    mode_->setAccessibleName(tr("Pick the best reply, or rank them"));
    mode_->setToolTip(tr("One key names the best reply, or ranks them from the best on"));
    row->addWidget(mode_);
    tally_ = new Label(theme, {}, TextSize::interface, Tone::secondary);
    tally_->set_elided(Qt::ElideRight);
    row->addSpacing(4);
    row->addWidget(tally_, 1);
    const auto button = [&](const QString& text, const QStringList& keys, const QString& tip) {
        auto* made = new KeyButton(theme, text, keys);
        made->setAccessibleName(text);
        made->setToolTip(tip);
        row->addWidget(made);
        return made;
    };
    record_ =
        button(tr("Record"), {tr("Enter")}, tr("Records the ranks given so far; the rest stays unordered"));
    set_button_kind(*record_, ButtonKind::primary);
    tie_ = button(tr("Tie"), {QStringLiteral("↓")}, tr("Both replies are equally good"));
    bad_ = button(tr("Both bad"), {QStringLiteral("0")}, {});
    skip_ = button(tr("Skip"), {QStringLiteral("S")}, tr("No judgement; the next pair comes"));
    row->addSpacing(4);
    row->addWidget(new Divider(theme, 24));
    row->addSpacing(4);
    undo_ = button(tr("Undo"), {QStringLiteral("Ctrl+Z")},
                   tr("Takes the last answer back, and what was learned from it (Ctrl+Z)"));
    undo_->setIcon(theme.icon(QStringLiteral("undo")));
    show_state(2, false, Strength::clear, {});
}

void VerdictRow::show_state(int shown, bool ranking, Strength strength, const std::vector<int>& places) {
    two_ = shown == 2;
    ranking = ranking && !two_;
    strength_->set_current(static_cast<int>(strength));
    strength_->setVisible(two_);
    tie_->setVisible(two_);
    mode_->set_current(ranking ? 1 : 0);
    mode_->setVisible(!two_);
    record_->setVisible(ranking);
    record_->setText(places.empty() ? tr("Record") : tr("Record %1").arg(places.size()));
    record_->updateGeometry();
    bad_->setText(two_ ? tr("Both bad") : tr("All bad"));
    bad_->setAccessibleName(bad_->text());
    bad_->updateGeometry();
    set_tip(*bad_, two_ ? tr("Neither reply is any good; both are marked down")
                        : tr("None of the replies is any good; all are marked down"));
    QStringList letters;
    for (const int place : places) {
        letters.append(letter_of(place));
    }
    const bool more = static_cast<int>(places.size()) < shown;
    tally_->setText(!ranking         ? QString()
                    : places.empty() ? tr("Best first")
                                     : tr("%1%2   %3 of %4")
                                           .arg(letters.join(QStringLiteral(" > ")),
                                                more ? QStringLiteral(" > …") : QString())
                                           .arg(places.size())
                                           .arg(shown));
    fit();
}

void VerdictRow::fit() {
    strength_word_->setVisible(two_ && width() >= wordy_width);
    const bool keys = width() >= narrow_width;
    if (keys != undo_keys_) {
        undo_keys_ = keys;
        undo_->set_keys(keys ? QStringList{QStringLiteral("Ctrl+Z")} : QStringList());
    }
}

void VerdictRow::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    fit();
}

QString VerdictRow::tally() const {
    return tally_->text();
}

QList<QWidget*> VerdictRow::controls() const {
    QList<QWidget*> out;
    for (const Segmented* choice : {strength_, mode_}) {
        out.append(choice->findChildren<QWidget*>(Qt::FindDirectChildrenOnly));
    }
    out << record_ << tie_ << bad_ << skip_ << undo_;
    return out;
}

}  // namespace plumbline::ui
