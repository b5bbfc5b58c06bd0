#include "ui/window/command_palette.h"

#include <QAction>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QMenuBar>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>
#include <functional>

namespace plumbline::ui {

namespace {

constexpr int index_role = Qt::UserRole + 1;
constexpr int key_role = Qt::UserRole + 2;

class CommandDelegate : public QStyledItemDelegate {
  public:
    CommandDelegate(const Theme& theme, QObject* parent) : QStyledItemDelegate(parent), theme_(theme) {}
    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {300, 32}; }
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        const bool enabled = option.state & QStyle::State_Enabled;
        if (option.state & QStyle::State_Selected) {
            painter->fillRect(option.rect, theme_.color(Tone::selection));
        }
        const QRect r = option.rect.adjusted(12, 0, -12, 0);
        painter->setFont(theme_.font(TextSize::interface));
        painter->setPen(theme_.color(enabled ? Tone::text : Tone::disabled));
        painter->drawText(r, Qt::AlignVCenter | Qt::AlignLeft, index.data().toString());
        painter->setFont(theme_.font(TextSize::secondary));
        painter->setPen(theme_.color(enabled ? Tone::tertiary : Tone::disabled));
        painter->drawText(r, Qt::AlignVCenter | Qt::AlignRight, index.data(key_role).toString());
    }

  private:
    const Theme& theme_;
};

QString without_mnemonic(QString text) {
    text.remove(QLatin1Char('&'));
    text.remove(QStringLiteral("…"));
    return text;
}

}  // namespace

CommandPalette::CommandPalette(const Theme& theme, const QMenuBar& menus, QWidget* parent)
    : QDialog(parent, Qt::Popup | Qt::FramelessWindowHint), theme_(theme) {
    setAttribute(Qt::WA_DeleteOnClose);
    setFixedSize(480, 360);
    setAccessibleName(tr("Find a command"));
    const std::function<void(const QString&, const QList<QAction*>&)> collect =
        [&](const QString& path, const QList<QAction*>& actions) {
            for (QAction* action : actions) {
                const QString words = path.isEmpty()
                                          ? without_mnemonic(action->text())
                                          : path + QStringLiteral(" › ") + without_mnemonic(action->text());
                if (action->menu()) {
                    collect(words, action->menu()->actions());
                } else if (!action->isSeparator() && action->isVisible()) {
                    entries_.push_back({words, action});
                }
            }
        };
    collect({}, menus.actions());

    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 8, 8, 8);
    column->setSpacing(8);
    line_ = new QLineEdit;
    line_->setPlaceholderText(tr("Find a command"));
    line_->setAccessibleName(tr("Find a command"));
    line_->installEventFilter(this);
    column->addWidget(line_);
    list_ = new QListWidget;
    list_->setFrameShape(QFrame::NoFrame);
    list_->setFocusPolicy(Qt::NoFocus);
    list_->viewport()->setAutoFillBackground(false);
    list_->setItemDelegate(new CommandDelegate(theme, this));
    list_->setUniformItemSizes(true);
    list_->setAccessibleName(tr("Commands"));
    column->addWidget(list_);
    connect(line_, &QLineEdit::textChanged, this, &CommandPalette::fill);
    connect(line_, &QLineEdit::returnPressed, this, &CommandPalette::run);
    connect(list_, &QListWidget::itemClicked, this, &CommandPalette::run);
    fill();
}

void CommandPalette::showEvent(QShowEvent* event) {
    QDialog::showEvent(event);
    line_->setFocus();
}

void CommandPalette::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setPen(theme_.color(Tone::input_border));
    painter.setBrush(theme_.color(Tone::panel));
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void CommandPalette::fill() {
    list_->clear();
    const QStringList wanted = line_->text().split(QLatin1Char(' '), Qt::SkipEmptyParts);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const Entry& entry = entries_[i];
        const bool fits = entry.action && std::all_of(wanted.begin(), wanted.end(), [&](const QString& word) {
                              return entry.words.contains(word, Qt::CaseInsensitive);
                          });
        if (!fits) {
            continue;
        }
        auto* item = new QListWidgetItem(entry.words, list_);
        item->setData(index_role, int(i));
        QStringList keys;
        for (const QKeySequence& key : entry.action->shortcuts()) {
            keys.append(key.toString(QKeySequence::NativeText));
        }
        item->setData(key_role,
                      entry.action->isEnabled() ? keys.join(QStringLiteral("  ")) : entry.action->toolTip());
        if (!entry.action->isEnabled()) {
            item->setFlags(item->flags() & ~(Qt::ItemIsEnabled | Qt::ItemIsSelectable));
        } else if (!list_->currentItem()) {
            list_->setCurrentItem(item);
        }
    }
}

void CommandPalette::run() {
    const QListWidgetItem* item = list_->currentItem();
    const QPointer<QAction> action =
        item ? entries_[std::size_t(item->data(index_role).toInt())].action : QPointer<QAction>();
    if (!action || !action->isEnabled()) {
        return;
    }
    close();
    action->trigger();
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched == line_ && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Down || key == Qt::Key_Up) {
            const int step = key == Qt::Key_Down ? 1 : -1;
            for (int row = list_->currentRow() + step; row >= 0 && row < list_->count(); row += step) {
                if (list_->item(row)->flags() & Qt::ItemIsEnabled) {
                    list_->setCurrentRow(row);
                    break;
                }
            }
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

}  // namespace plumbline::ui
