#include "ui/panels/prompt_bar.h"

#include <QAbstractItemView>
#include <QComboBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QProgressBar>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/controls/availability.h"
#include "ui/controls/label.h"

namespace plumbline::ui {

PromptBar::PromptBar(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent)
    : QWidget(parent), bridge_(bridge), state_(state) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);

    line_ = new QComboBox;
    line_->setEditable(true);
    line_->setInsertPolicy(QComboBox::NoInsert);
    line_->setCompleter(nullptr);
    line_->setMaxVisibleItems(16);
    line_->setFixedHeight(40);
    line_->setMinimumWidth(160);
    line_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    line_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    line_->setMinimumContentsLength(10);
    line_->setFont(theme.font(TextSize::reply));
    line_->view()->setFont(theme.font(TextSize::interface));
    line_->setAccessibleName(tr("Prompt"));
    line_->setToolTip(tr("The prompt that both replies answer. Type another one and press Enter to add it."));
    line_->lineEdit()->setFont(theme.font(TextSize::reply));
    line_->lineEdit()->setPlaceholderText(tr("Type a prompt and press Enter"));
    line_->lineEdit()->setAccessibleName(tr("Prompt"));
    line_->lineEdit()->setAcceptDrops(false);  // files go to the window
    line_->installEventFilter(this);
    line_->lineEdit()->installEventFilter(this);
    row->addWidget(line_, 1);

    const auto arrow = [&](const QString& icon, const QString& name) {
        auto* button = new QToolButton;
        button->setIcon(theme.icon(icon, Tone::secondary));
        button->setAccessibleName(name);
        button->setToolTip(name);
        button->setFocusPolicy(Qt::TabFocus);
        set_available(*button, tr("There is no session"));
        return button;
    };
    previous_ = arrow(QStringLiteral("chevron-left"), tr("Previous prompt"));
    next_ = arrow(QStringLiteral("chevron-right"), tr("Next prompt"));
    place_ = new Label(theme, {}, TextSize::secondary, Tone::text, 500);
    place_->setAlignment(Qt::AlignCenter);
    progress_ = new QProgressBar;
    progress_->setTextVisible(false);
    progress_->setFixedHeight(4);
    progress_->setAccessibleName(tr("Place in the queue of prompts"));
    auto* middle = new QVBoxLayout;
    middle->setContentsMargins(0, 4, 0, 4);
    middle->setSpacing(4);
    middle->addStretch();
    middle->addWidget(place_);
    middle->addWidget(progress_);
    middle->addStretch();
    auto* queue = new QWidget;
    auto* queue_row = new QHBoxLayout(queue);
    queue_row->setContentsMargins(0, 0, 0, 0);
    queue_row->setSpacing(2);
    queue_row->addWidget(previous_);
    auto* middle_box = new QWidget;
    middle_box->setFixedWidth(76);
    middle_box->setLayout(middle);
    queue_row->addWidget(middle_box);
    queue_row->addWidget(next_);
    row->addWidget(queue);

    connect(&state, &SessionState::prompts_changed, this, &PromptBar::show_prompts);
    connect(&state, &SessionState::closed, this, &PromptBar::show_prompts);
    connect(line_, &QComboBox::activated, this, [this](int index) {
        // Enter in the line also ends here, with the row that was current before.
        if (index >= 0 && index < int(listed_.size()) && line_->itemText(index) == line_->currentText()) {
            go_to(listed_[std::size_t(index)]);
        }
    });
    connect(line_->lineEdit(), &QLineEdit::returnPressed, this, &PromptBar::entered);
    connect(previous_, &QToolButton::clicked, this, [this] { step(-1); });
    connect(next_, &QToolButton::clicked, this, [this] { step(1); });
    show_prompts();
}

bool PromptBar::eventFilter(QObject* watched, QEvent* event) {
    // A new prompt costs a new pair: it is chosen from the list, not by a stray arrow or wheel.
    if (event->type() == QEvent::Wheel) {
        event->ignore();
        return true;
    }
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Down) {
            line_->showPopup();
            return true;
        }
        if (key == Qt::Key_Up || key == Qt::Key_PageUp || key == Qt::Key_PageDown) {
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void PromptBar::step(int by) {
    const auto& prompts = state_.prompts();
    const int at = state_.prompt_index() + by;
    if (at >= 0 && at < int(prompts.size())) {
        go_to(prompts[std::size_t(at)].id);
    }
}

void PromptBar::go_to(std::int64_t prompt_id) {
    // The combo box may tell one Enter twice: as a choice and as a typed text.
    if (state_.open() && prompt_id != state_.current_prompt() && prompt_id != asked_) {
        asked_ = prompt_id;
        bridge_.post(GoToPrompt{prompt_id});
    }
}

void PromptBar::entered() {
    const QString text = line_->currentText().simplified();
    if (text.isEmpty() || !state_.open()) {
        return;
    }
    const auto& prompts = state_.prompts();
    const auto known = std::find_if(prompts.begin(), prompts.end(), [&](const PromptRow& row) {
        return QString::fromStdString(row.text).simplified() == text;
    });
    if (known != prompts.end()) {
        go_to(known->id);
    } else {
        bridge_.post(AddPrompts{{text.toStdString()}, true});
    }
    // The keys for voting work again at once.
    if (line_->lineEdit()->hasFocus()) {
        line_->clearFocus();
    }
}

void PromptBar::show_prompts() {
    asked_ = 0;
    const auto& prompts = state_.prompts();
    const bool same = prompts.size() == listed_.size() &&
                      std::equal(prompts.begin(), prompts.end(), listed_.begin(),
                                 [](const PromptRow& row, std::int64_t id) { return row.id == id; });
    if (!same) {
        listed_.clear();
        QStringList texts;
        for (const PromptRow& row : prompts) {
            listed_.push_back(row.id);
            texts.append(QString::fromStdString(row.text).simplified());
        }
        line_->clear();
        line_->addItems(texts);
    }
    const int at = state_.prompt_index();
    const bool typing = line_->lineEdit()->hasFocus() && line_->lineEdit()->isModified();
    if (!typing || line_->currentIndex() != at) {
        const QString kept = line_->currentText();
        line_->setCurrentIndex(at);
        if (typing) {
            line_->setEditText(kept);
            line_->lineEdit()->setModified(true);
        }
    }
    place_->setText(at < 0 ? tr("none") : tr("%1 of %2").arg(at + 1).arg(prompts.size()));
    progress_->setRange(0, std::max(1, int(prompts.size())));
    progress_->setValue(at + 1);
    set_available(*previous_, at > 0 ? QString() : tr("This is the first prompt"));
    set_available(*next_, at + 1 < int(prompts.size()) ? QString() : tr("This is the last prompt"));
    line_->setEnabled(state_.open());
}

}  // namespace plumbline::ui
