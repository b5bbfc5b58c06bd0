#include "ui/window/model_rows.h"

#include <QPainter>
#include <algorithm>

#include "ui/controls/figures.h"
#include "ui/controls/memory_gauge.h"

namespace plumbline::ui {

namespace {

constexpr int heading_height = 36;
constexpr int model_height = 52;

/// A short word for what stands in the way; empty: nothing does.
QString state_of(const CatalogModel& model, const MachineMemory& memory) {
    if (!model.problem.empty()) {
        return model.size_bytes == 0 ? ModelRows::tr("missing") : ModelRows::tr("cannot be opened");
    }
    if (model.memory_bf16 > 0 && fit(model.memory_bf16, memory) == Fit::no) {
        return ModelRows::tr("too large");
    }
    return model.installed || model.source == ModelSource::known ? QString() : ModelRows::tr("not installed");
}

QString heading_of(ModelSource source) {
    switch (source) {
        case ModelSource::bundled:
        case ModelSource::installed:
            return ModelRows::tr("On this computer");
        case ModelSource::own:
            return ModelRows::tr("Added from elsewhere");
        case ModelSource::known:
            break;
    }
    return ModelRows::tr("To fetch by hand");
}

bool has_all(const CatalogModel& model, const QStringList& words) {
    const QString text = QString::fromStdString(model.title + " " + model.name + " " + model.family + " " +
                                                model.licence + " " + model.path.string() + " " + model.hub_id);
    return std::all_of(words.begin(), words.end(),
                       [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
}

}  // namespace

QString model_facts(const CatalogModel& model) {
    if (!model.problem.empty()) {
        return QString::fromStdString(model.path.string());
    }
    QStringList facts;
    if (model.parameters > 0) {
        facts.append(ModelRows::tr("%1 parameters").arg(parameter_count(model.parameters)));
    }
    if (!model.file_dtype.empty()) {
        facts.append(QString::fromStdString(model.file_dtype));
    }
    if (model.size_bytes > 0) {
        facts.append(memory_size(model.size_bytes));
    }
    return facts.join(QStringLiteral(", "));
}

ModelRows::ModelRows(const ModelCatalog& catalog, QObject* parent) : QAbstractListModel(parent), catalog_(catalog) {
    connect(&catalog, &ModelCatalog::changed, this, &ModelRows::refresh);
    refresh();
}

int ModelRows::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(rows_.size());
}

QVariant ModelRows::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= int(rows_.size())) {
        return {};
    }
    const Row& row = rows_[std::size_t(index.row())];
    const bool heading = !row.heading.isEmpty();
    const QString state = heading ? QString() : state_of(row.model, catalog_.memory());
    switch (role) {
        case Qt::DisplayRole:
            return heading ? row.heading : QString::fromStdString(row.model.title);
        case Qt::AccessibleTextRole:
            return heading ? row.heading
                           : QStringList{QString::fromStdString(row.model.title), model_facts(row.model), state}
                                 .join(QStringLiteral(", "));
        case heading_role:
            return heading;
        case facts_role:
            return model_facts(row.model);
        case state_role:
            return state;
        case wrong_role:
            return !row.model.problem.empty();
        case name_role:
            return QString::fromStdString(row.model.name);
        default:
            return {};
    }
}

Qt::ItemFlags ModelRows::flags(const QModelIndex& index) const {
    return index.data(heading_role).toBool() ? Qt::NoItemFlags : Qt::ItemIsEnabled | Qt::ItemIsSelectable;
}

void ModelRows::search(const QString& text) {
    words_ = text.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    refresh();
}

int ModelRows::row_of(const QString& name) const {
    const auto found = std::find_if(rows_.begin(), rows_.end(), [wanted = name.toStdString()](const Row& row) {
        return row.heading.isEmpty() && row.model.name == wanted;
    });
    return found == rows_.end() ? -1 : int(found - rows_.begin());
}

int ModelRows::first_model() const {
    return rows_.empty() ? -1 : 1;  // below the first heading
}

void ModelRows::refresh() {
    beginResetModel();
    rows_.clear();
    QString heading;
    for (const CatalogModel& model : catalog_.models()) {
        if (has_all(model, words_)) {
            if (const QString own = heading_of(model.source); own != heading) {
                heading = own;
                rows_.push_back({heading, {}});
            }
            rows_.push_back({{}, model});
        }
    }
    endResetModel();
}

QSize ModelRowDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const {
    return {240, index.data(ModelRows::heading_role).toBool() ? heading_height : model_height};
}

void ModelRowDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const QRect inside = option.rect.adjusted(16, 0, -16, 0);
    const auto write = [&](const QRect& at, const QString& text, TextSize size, Tone tone, int weight, int flags,
                           Qt::TextElideMode elide = Qt::ElideRight) {
        painter->setFont(theme_.font(size, weight));
        painter->setPen(theme_.color(tone));
        painter->drawText(at, flags | Qt::TextSingleLine,
                          painter->fontMetrics().elidedText(text, elide, at.width()));
    };
    if (index.data(ModelRows::heading_role).toBool()) {
        write(inside.adjusted(0, 12, 0, -4), index.data().toString(), TextSize::axis, Tone::tertiary, 600,
              Qt::AlignVCenter | Qt::AlignLeft);
        return;
    }
    if (option.state & QStyle::State_Selected) {
        painter->fillRect(option.rect, theme_.color(Tone::selection));
        painter->fillRect(QRect(option.rect.left(), option.rect.top(), 2, option.rect.height()),
                          theme_.color(Tone::accent));
    } else if (option.state & QStyle::State_MouseOver) {
        painter->fillRect(option.rect, theme_.color(Tone::hover));
    }
    const QString state = index.data(ModelRows::state_role).toString();
    const bool wrong = index.data(ModelRows::wrong_role).toBool();
    painter->setFont(theme_.font(TextSize::secondary, wrong ? 500 : 400));
    const int mark = wrong ? 20 : 0;
    const int beside = state.isEmpty() ? 0 : painter->fontMetrics().horizontalAdvance(state) + mark + 12;
    const QRect upper(inside.left(), inside.top() + 7, inside.width(), 20);
    const QRect lower(inside.left(), inside.top() + 27, inside.width(), 18);
    write(upper.adjusted(0, 0, -beside, 0), index.data().toString(), TextSize::interface,
          wrong ? Tone::secondary : Tone::text, 500, Qt::AlignVCenter | Qt::AlignLeft);
    write(lower, index.data(ModelRows::facts_role).toString(), TextSize::secondary, Tone::tertiary, 400,
          Qt::AlignVCenter | Qt::AlignLeft, wrong ? Qt::ElideMiddle : Qt::ElideRight);
    if (!state.isEmpty()) {
        write(upper, state, TextSize::secondary, wrong ? Tone::warning : Tone::tertiary, wrong ? 500 : 400,
              Qt::AlignVCenter | Qt::AlignRight);
    }
    if (wrong) {
        theme_.icon(QStringLiteral("warning"), Tone::warning)
            .paint(painter, QRect(upper.right() - beside + 12, upper.center().y() - 6, 14, 14));
    }
    if (option.state & QStyle::State_HasFocus) {
        painter->setPen(QPen(theme_.color(Tone::accent), 2));
        painter->drawRect(option.rect.adjusted(1, 1, -1, -1));
    }
}

}  // namespace plumbline::ui
