#include "ui/panels/data_panel.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QPainter>
#include <QSortFilterProxyModel>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/controls/figures.h"
#include "ui/controls/label.h"
#include "ui/panels/label_table.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

/// Cells with room at both sides and a line below each row.
class CellDelegate : public QStyledItemDelegate {
  public:
    CellDelegate(const Theme& theme, QObject* parent) : QStyledItemDelegate(parent), theme_(theme) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        const bool selected = option.state & QStyle::State_Selected;
        if (selected) {
            painter->fillRect(option.rect, theme_.color(Tone::selection));
        }
        painter->fillRect(QRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1),
                          theme_.color(Tone::line));
        const QRect inside = option.rect.adjusted(8, 0, -8, 0);
        painter->setFont(index.data(Qt::FontRole).value<QFont>());
        painter->setPen(index.data(Qt::ForegroundRole).value<QColor>());
        painter->drawText(
            inside, index.data(Qt::TextAlignmentRole).toInt() | Qt::TextSingleLine,
            painter->fontMetrics().elidedText(index.data().toString(), Qt::ElideRight, inside.width()));
    }

  private:
    const Theme& theme_;
};

/// Says what will stand here while there is no row.
class EmptyTable : public QTableView {
  public:
    explicit EmptyTable(const Theme& theme) : theme_(theme) {}
    QString when_empty;

  protected:
    void paintEvent(QPaintEvent* event) override {
        QTableView::paintEvent(event);
        if (model() && model()->rowCount() == 0) {
            QPainter painter(viewport());
            painter.setFont(theme_.font(TextSize::secondary));
            painter.setPen(theme_.color(Tone::tertiary));
            painter.drawText(viewport()->rect().adjusted(8, 8, -8, -8), Qt::AlignTop | Qt::AlignLeft,
                             when_empty);
        }
    }

  private:
    const Theme& theme_;
};

}  // namespace

DataPanel::DataPanel(SessionState& state, const Theme& theme, QWidget* parent)
    : Surface(theme, Tone::panel, Edge::none, parent), state_(state) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 8, 16, 0);
    column->setSpacing(8);
    auto* top = new QHBoxLayout;
    filter_ = new QLineEdit;
    set_compact(*filter_);
    filter_->setPlaceholderText(tr("Filter labels"));
    filter_->setClearButtonEnabled(true);
    filter_->setMaximumWidth(240);
    filter_->addAction(theme.icon(QStringLiteral("search"), Tone::tertiary), QLineEdit::LeadingPosition);
    filter_->setAccessibleName(tr("Filter labels"));
    filter_->setFont(theme.font(TextSize::secondary));
    count_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    top->addWidget(filter_, 1);
    top->addWidget(count_);
    top->addStretch(1);
    column->addLayout(top);

    rows_ = new QSortFilterProxyModel(this);
    rows_->setSourceModel(new LabelTable(state, theme, this));
    rows_->setSortRole(LabelTable::sort_role);
    rows_->setFilterKeyColumn(-1);
    rows_->setFilterCaseSensitivity(Qt::CaseInsensitive);
    auto* table = new EmptyTable(theme);
    table->when_empty = tr("No labels yet. Each answer becomes one row here.");
    table_ = table;
    table_->setModel(rows_);
    table_->setItemDelegate(new CellDelegate(theme, this));
    table_->setFrameShape(QFrame::NoFrame);
    table_->setShowGrid(false);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table_->setTabKeyNavigation(false);
    table_->setWordWrap(false);
    table_->viewport()->setAutoFillBackground(false);
    table_->setAccessibleName(tr("Labels"));
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setMinimumSectionSize(24);
    table_->verticalHeader()->setDefaultSectionSize(24);
    QHeaderView* header = table_->horizontalHeader();
    header->setHighlightSections(false);
    header->setMinimumSectionSize(48);
    header->setSectionResizeMode(QHeaderView::Stretch);
    for (const auto& [column_index, width] :
         {std::pair(LabelTable::number, 64), std::pair(LabelTable::time, 76),
          std::pair(LabelTable::choice, 132)}) {
        header->setSectionResizeMode(column_index, QHeaderView::Fixed);
        table_->setColumnWidth(column_index, width);
    }
    table_->setSortingEnabled(true);
    header->setSortIndicator(LabelTable::number, Qt::DescendingOrder);
    column->addWidget(table_, 1);

    auto* copy = new QAction(tr("Copy rows"), this);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(copy, &QAction::triggered, this, &DataPanel::copy_selected);
    table_->addAction(copy);
    table_->setContextMenuPolicy(Qt::ActionsContextMenu);

    connect(filter_, &QLineEdit::textChanged, this, [this](const QString& text) {
        rows_->setFilterFixedString(text);
        count();
    });
    connect(&state, &SessionState::history_changed, this, &DataPanel::count);
    connect(&state, &SessionState::closed, this, &DataPanel::count);
    count();
}

void DataPanel::count() {
    const int all = state_.labels();
    QString labels = counted(all, tr("label"), tr("labels"));
    if (state_.imported() > 0) {
        labels = tr("%1, %2 imported").arg(labels).arg(state_.imported());
    }
    count_->setText(filter_->text().isEmpty()
                        ? labels
                        : tr("%1 of %2 rows").arg(rows_->rowCount()).arg(state_.history().size()));
}

void DataPanel::copy_selected() const {
    QStringList lines;
    for (const QModelIndex& row : table_->selectionModel()->selectedRows()) {
        QStringList cells;
        for (int i = 0; i < LabelTable::columns; ++i) {
            cells.append(row.siblingAtColumn(i).data().toString());
        }
        lines.append(cells.join(QLatin1Char('\t')));
    }
    if (!lines.isEmpty()) {
        QApplication::clipboard()->setText(lines.join(QLatin1Char('\n')));
    }
}

}  // namespace plumbline::ui
