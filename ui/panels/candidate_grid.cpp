#include "ui/panels/candidate_grid.h"

#include <QGridLayout>
#include <QPainter>
#include <algorithm>

#include "ui/controls/key_button.h"
#include "ui/panels/candidate_card.h"

namespace plumbline::ui {

namespace {

constexpr int focus_room = 4;  // px around the cards, for the ring of their area
constexpr int gap = 16;

int columns_of(int count) {
    return count == 2 || count == 4 ? 2 : 3;
}

}  // namespace

CandidateGrid::CandidateGrid(const Theme& theme, QWidget* parent)
    : QWidget(parent), theme_(theme), grid_(new QGridLayout(this)) {
    setFocusPolicy(Qt::StrongFocus);
    grid_->setSpacing(gap);
    for (int place = 0; place < most; ++place) {
        CandidateCard*& made = cards_[static_cast<std::size_t>(place)];
        made = new CandidateCard(theme, place, this);
        connect(made, &CandidateCard::chosen, this, [this, place] { Q_EMIT chosen(place); });
    }
    set_count(2);
}

void CandidateGrid::set_count(int count) {
    count = std::clamp(count, 2, most);
    if (count == count_) {
        return;
    }
    count_ = count;
    const int columns = columns_of(count);
    for (int i = 0; i < most; ++i) {
        CandidateCard& shown = card(i);
        grid_->removeWidget(&shown);
        shown.set_dense(count > 2);
        shown.setVisible(i < count);
        if (i < count) {
            grid_->addWidget(&shown, i / columns, i % columns);
        }
    }
    for (int column = 0; column < 3; ++column) {
        grid_->setColumnStretch(column, column < columns ? 1 : 0);
    }
    grid_->setRowStretch(0, 1);
    grid_->setRowStretch(1, count > 3 ? 1 : 0);
    spread();
    setAccessibleName(tr("%1 replies, A to %2").arg(count).arg(letter_of(count - 1)));
}

// Pixels that cannot be shared out stay free, so that no card is larger than another.
void CandidateGrid::spread() {
    const int columns = columns_of(count_);
    const int rows = count_ > 3 ? 2 : 1;
    const int right = (width() - 2 * focus_room - (columns - 1) * gap) % columns;
    const int below = (height() - 2 * focus_room - (rows - 1) * gap) % rows;
    grid_->setContentsMargins(focus_room, focus_room, focus_room + std::max(0, right),
                              focus_room + std::max(0, below));
}

void CandidateGrid::resizeEvent(QResizeEvent*) {
    spread();
}

QList<QWidget*> CandidateGrid::buttons() const {
    QList<QWidget*> out;
    for (const CandidateCard* shown : cards_) {
        out.append(shown->button());
    }
    return out;
}

void CandidateGrid::show_nothing(const QString& why) {
    for (CandidateCard* shown : cards_) {
        shown->show_nothing(why);
    }
}

void CandidateGrid::begin(int max_new_tokens) {
    begun_ = std::chrono::steady_clock::now();
    for (CandidateCard* shown : cards_) {
        shown->begin(max_new_tokens);
    }
}

// The first replies stand for all that are drawn until those for the screen are chosen.
void CandidateGrid::append(const TokensStreamed& streamed) {
    if (streamed.sample < 0 || streamed.sample >= count_) {
        return;
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun_;
    card(streamed.sample)
        .append(QString::fromStdString(streamed.text), streamed.tokens, spent.count(), streamed.ended);
}

void CandidateGrid::show_pair(const Pair& pair, bool reward_hidden) {
    card(0).show_reply(pair.left, reward_hidden);
    card(1).show_reply(pair.right, reward_hidden);
    for (int i = 2; i < count_ && i - 2 < static_cast<int>(pair.more.size()); ++i) {
        card(i).show_reply(pair.more[static_cast<std::size_t>(i - 2)], reward_hidden);
    }
}

void CandidateGrid::set_choosable(const QString& why_not) {
    for (CandidateCard* shown : cards_) {
        shown->set_choosable(why_not);
    }
}

void CandidateGrid::set_greyed(bool greyed) {
    for (CandidateCard* shown : cards_) {
        shown->set_greyed(greyed);
    }
}

void CandidateGrid::paintEvent(QPaintEvent*) {
    if (hasFocus() && window()->testAttribute(Qt::WA_KeyboardFocusChange)) {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(theme_.color(Tone::accent), 2));
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 10, 10);
    }
}

}  // namespace plumbline::ui
