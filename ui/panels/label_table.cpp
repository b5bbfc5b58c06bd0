#include "ui/panels/label_table.h"

#include <QColor>
#include <QFont>

#include "ui/controls/figures.h"

namespace plumbline::ui {

namespace {

QString text_of(const HistoryRow& row, int column) {
    const bool right = row.choice == Choice::right;
    switch (column) {
        case LabelTable::number:
            return QString::number(row.label_id);
        case LabelTable::time:
            return row.unix_time > 0 ? clock_time(row.unix_time) : QString();
        case LabelTable::prompt:
            return QString::fromStdString(row.prompt);
        case LabelTable::choice:
            return row.undone ? LabelTable::tr("%1, undone").arg(QString::fromStdString(row.text))
                              : QString::fromStdString(row.text);
        // Where neither A nor B was preferred to the other, A stands first.
        case LabelTable::chosen:
            return QString::fromStdString(right ? row.right : row.left);
        case LabelTable::rejected:
            return QString::fromStdString(right ? row.left : row.right);
        default:
            return {};
    }
}

}  // namespace

LabelTable::LabelTable(SessionState& state, const Theme& theme, QObject* parent)
    : QAbstractTableModel(parent), state_(state), theme_(theme) {
    connect(&state, &SessionState::history_changed, this, &LabelTable::refresh);
    connect(&state, &SessionState::closed, this, &LabelTable::refresh);
    refresh();
}

int LabelTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(rows_.size());
}

int LabelTable::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(columns);
}

QVariant LabelTable::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= int(rows_.size())) {
        return {};
    }
    const HistoryRow& row = rows_[rows_.size() - 1 - std::size_t(index.row())];
    switch (role) {
        case Qt::DisplayRole:
            return text_of(row, index.column()).simplified();
        case Qt::ToolTipRole:
            return index.column() >= prompt ? text_of(row, index.column()) : QString();
        case sort_role:
            return index.column() == number ? QVariant(qlonglong(row.label_id))
                   : index.column() == time ? QVariant(row.unix_time)
                                            : QVariant(text_of(row, index.column()));
        case Qt::TextAlignmentRole:
            return index.column() == number ? int(Qt::AlignRight | Qt::AlignVCenter)
                                            : int(Qt::AlignLeft | Qt::AlignVCenter);
        case Qt::FontRole: {
            QFont font =
                index.column() <= time ? theme_.mono(TextSize::secondary) : theme_.font(TextSize::secondary);
            font.setStrikeOut(row.undone);
            return font;
        }
        case Qt::ForegroundRole:
            return theme_.color(row.undone                                                ? Tone::disabled
                                : index.column() == rejected && is_preference(row.choice) ? Tone::tertiary
                                                                                          : Tone::text);
        default:
            return {};
    }
}

QVariant LabelTable::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return section == number ? int(Qt::AlignRight | Qt::AlignVCenter)
                                 : int(Qt::AlignLeft | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    switch (section) {
        case number:
            return tr("label");
        case time:
            return tr("time");
        case prompt:
            return tr("prompt");
        case choice:
            return tr("choice");
        case chosen:
            return tr("chosen, or A");
        case rejected:
            return tr("rejected, or B");
        default:
            return {};
    }
}

void LabelTable::refresh() {
    const std::vector<HistoryRow>& now = state_.history();
    if (now.size() == rows_.size() + 1) {
        beginInsertRows({}, 0, 0);
        rows_ = now;
        endInsertRows();
    } else if (now.size() == rows_.size()) {
        rows_ = now;
    } else {
        beginResetModel();
        rows_ = now;
        endResetModel();
    }
    if (!rows_.empty()) {
        Q_EMIT dataChanged(index(0, 0), index(int(rows_.size()) - 1, columns - 1));
    }
}

}  // namespace plumbline::ui
