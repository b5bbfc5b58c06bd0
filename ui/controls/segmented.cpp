#include "ui/controls/segmented.h"

#include <QAbstractButton>
#include <QButtonGroup>
#include <QEvent>
#include <QHBoxLayout>
#include <QPainter>

namespace plumbline::ui {

namespace {

/// One choice: transparent on its own, the group paints the frame.
class Segment : public QAbstractButton {
  public:
    Segment(const Theme& theme, const QString& text, QWidget* parent)
        : QAbstractButton(parent), theme_(theme) {
        setText(text);
        setCheckable(true);
        setAttribute(Qt::WA_Hover);
        setFocusPolicy(Qt::TabFocus);
        setAccessibleName(text);
    }
    QSize sizeHint() const override {
        const QFontMetrics metrics(theme_.font(TextSize::interface, 600));
        return {metrics.horizontalAdvance(text()) + 24, 32};
    }

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const QRect inside = rect().adjusted(0, 1, 0, -1);
        if (isChecked()) {
            painter.fillRect(inside, theme_.color(isEnabled() ? Tone::selection : Tone::hover));
        } else if (isEnabled() && underMouse()) {
            painter.fillRect(inside, theme_.color(Tone::hover));
        }
        painter.setFont(theme_.font(TextSize::interface, isChecked() ? 600 : 400));
        painter.setPen(theme_.color(!isEnabled()  ? Tone::disabled
                                    : isChecked() ? Tone::accent
                                                  : Tone::secondary));
        painter.drawText(rect(), Qt::AlignCenter, text());
        if (hasFocus()) {
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setPen(QPen(theme_.color(Tone::accent), 2));
            painter.drawRoundedRect(QRectF(rect()).adjusted(2, 2, -2, -2), 3, 3);
        }
    }

  private:
    const Theme& theme_;
};

}  // namespace

Segmented::Segmented(const Theme& theme, const QStringList& texts, QWidget* parent)
    : QWidget(parent), theme_(theme), group_(new QButtonGroup(this)) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(1, 0, 1, 0);
    row->setSpacing(1);
    for (int i = 0; i < texts.size(); ++i) {
        auto* segment = new Segment(theme, texts[i], this);
        group_->addButton(segment, i);
        row->addWidget(segment);
    }
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(group_, &QButtonGroup::idClicked, this, &Segmented::chosen);
    connect(&theme, &Theme::changed, this, qOverload<>(&QWidget::update));
}

int Segmented::current() const {
    return group_->checkedId();
}

void Segmented::set_current(int index) {
    if (QAbstractButton* button = group_->button(index)) {
        button->setChecked(true);
    }
}

bool Segmented::event(QEvent* event) {
    if (event->type() == QEvent::ToolTipChange) {
        for (QAbstractButton* button : group_->buttons()) {
            button->setToolTip(toolTip());
        }
    }
    return QWidget::event(event);
}

void Segmented::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(theme_.color(isEnabled() ? Tone::input_border : Tone::line));
    painter.setBrush(theme_.color(isEnabled() ? Tone::card : Tone::panel));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    painter.setRenderHint(QPainter::Antialiasing, false);
    const QList<QAbstractButton*> buttons = group_->buttons();
    for (int i = 0; i + 1 < buttons.size(); ++i) {
        painter.fillRect(buttons[i]->geometry().right() + 1, 1, 1, height() - 2,
                         theme_.color(isEnabled() ? Tone::button_border : Tone::line));
    }
}

}  // namespace plumbline::ui
