// What the work area offers: how many replies there are, what a press would say of them, and when it can be
// made.

#include <QAction>
#include <algorithm>

#include "ui/controls/availability.h"
#include "ui/controls/key_button.h"
#include "ui/controls/segmented.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/candidate_grid.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/sampling_settings.h"
#include "ui/panels/verdict_row.h"

namespace plumbline::ui {

namespace {

QString why_no_vote(Phase phase) {
    switch (phase) {
        case Phase::closed:
        case Phase::loading:
            return ComparePanel::tr("There is no session");
        case Phase::waiting:
            return ComparePanel::tr("There is no pair to judge; sample one first");
        case Phase::streaming:
            return ComparePanel::tr("The replies are still being written");
        case Phase::saving:
            return ComparePanel::tr("Your answer is being saved");
        case Phase::choosing:
            break;
    }
    return {};
}

}  // namespace

void ComparePanel::refresh_count() {
    const SamplingConfig& sampling = state_.config().sampling;
    const int count =
        state_.pair() ? 2 + int(state_.pair()->more.size()) : std::min(sampling.shown, sampling.candidates);
    if (count != cards_->count()) {
        cards_->set_count(count);
        places_.clear();
        Q_EMIT count_changed(cards_->count());
    }
}

void ComparePanel::refresh_offers() {
    const int count = cards_->count();
    const bool two = count == 2;
    const bool ranking = ranking_ && !two;
    const QString arrows[] = {QStringLiteral("←"), QStringLiteral("→")};
    const Qt::Key arrow_keys[] = {Qt::Key_Left, Qt::Key_Right};
    for (int place = 0; place < CandidateGrid::most; ++place) {
        const auto at = std::find(places_.begin(), places_.end(), place);
        const bool ranked = ranking && at != places_.end();
        const QString letter = letter_of(place);
        const QString next = ordinal(int(places_.size()) + 1);
        const QString offer = ranked    ? ordinal(int(at - places_.begin()) + 1)
                              : ranking ? tr("Rank %1").arg(next)
                              : two     ? tr("%1 is better").arg(letter)
                                        : tr("%1 is best").arg(letter);
        const QString tip = ranked    ? tr("Takes the rank of reply %1 back").arg(letter)
                            : ranking ? tr("Reply %1 is the %2 best").arg(letter, next)
                            : two     ? tr("Reply %1 is the better one").arg(letter)
                                      : tr("Reply %1 is the best one").arg(letter);
        QStringList keys = {QString::number(place + 1)};
        QList<QKeySequence> shortcuts = {QKeySequence(Qt::Key(Qt::Key_1 + place))};
        if (two && place < 2) {
            keys.append(arrows[place]);
            shortcuts.append(QKeySequence(arrow_keys[place]));
        }
        cards_->card(place).set_offer(offer, tip, keys, ranked);
        QAction* action = choose_[std::size_t(place)];
        action->setVisible(place < count);
        action->setText(ranking ? tr("&%1: %2").arg(letter, offer) : QLatin1Char('&') + offer);
        set_tip(*action, tip);
        if (action->shortcuts() != shortcuts) {
            action->setShortcuts(shortcuts);
        }
    }
    for (std::size_t i = 0; i < strengths_.size(); ++i) {
        strengths_[i]->setChecked(i == std::size_t(strength_));
        strengths_[i]->setVisible(two);
    }
    tie_->setVisible(two);
    bad_->setText(two ? tr("Both &bad") : tr("All &bad"));
    rank_->setChecked(ranking_);
    for (QAction* action : {record_, take_rank_}) {
        action->setVisible(ranking);
    }
    verdicts_->show_state(count, ranking_, strength_, places_);
}

void ComparePanel::refresh_access() {
    const Phase phase = state_.phase();
    const bool two = cards_->count() == 2;
    const QString no_vote =
        state_.opening() && state_.open() ? tr("Another session is being opened") : why_no_vote(phase);
    const QString no_session = state_.open() ? QString() : tr("There is no session");
    // Skipping and sampling again also work while replies are written: they start over.
    const QString no_skip = phase == Phase::choosing ? QString() : no_vote;
    const QString no_again = !no_session.isEmpty()    ? no_session
                             : phase == Phase::saving ? no_vote
                                                      : QString();
    const QString no_undo = state_.can_undo() ? QString()
                            : !state_.open()  ? no_session
                                              : tr("There is no answer to take back");
    const QString only_two = two ? QString() : tr("This is for two replies");
    const QString no_rank = two               ? tr("Ranks are for more than two replies; raise Shown")
                            : !ranking_       ? tr("Ranking is off")
                            : places_.empty() ? tr("No reply has a rank yet")
                                              : QString();
    cards_->set_choosable(no_vote);
    for (int place = 0; place < CandidateGrid::most; ++place) {
        set_available(*choose_[std::size_t(place)],
                      place < cards_->count() ? no_vote : tr("There is no reply %1").arg(letter_of(place)));
    }
    for (QAction* action : strengths_) {
        set_available(*action, no_session.isEmpty() ? only_two : no_session);
    }
    set_available(verdicts_->strength(), no_session);
    set_available(verdicts_->mode(), no_session);
    set_available(*rank_, !no_session.isEmpty() ? no_session : two ? no_rank : QString());
    const auto both = [](QWidget& control, QAction& action, const QString& why_not) {
        set_available(control, why_not);
        set_available(action, why_not);
    };
    both(verdicts_->tie(), *tie_, no_vote.isEmpty() ? only_two : no_vote);
    both(verdicts_->bad(), *bad_, no_vote);
    both(verdicts_->record(), *record_, no_vote.isEmpty() ? no_rank : no_vote);
    set_available(*take_rank_, no_vote.isEmpty() ? no_rank : no_vote);
    both(verdicts_->skip(), *skip_, no_skip);
    both(*settings_->again(), *again_, no_again);
    both(verdicts_->undo(), *undo_, no_undo);
    set_available(*previous_, state_.prompt_index() > 0 ? QString() : tr("This is the first prompt"));
    set_available(*next_, state_.prompt_index() + 1 < int(state_.prompts().size())
                              ? QString()
                              : tr("This is the last prompt"));
}

}  // namespace plumbline::ui
