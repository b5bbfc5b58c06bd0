#include "ui/window/models_dialog.h"

#include <QCoreApplication>
#include <QDragEnterEvent>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QShortcut>
#include <QVBoxLayout>

#include "ui/controls/figures.h"
#include "ui/controls/label.h"
#include "ui/controls/notice.h"
#include "ui/controls/surface.h"
#include "ui/theme/style.h"
#include "ui/window/model_details.h"
#include "ui/window/model_files.h"
#include "ui/window/model_rows.h"

namespace plumbline::ui {

namespace {

constexpr int list_width = 360;

}  // namespace

ModelsDialog::ModelsDialog(const Theme& theme, ModelCatalog& catalog, QWidget* parent)
    : QDialog(parent), theme_(theme), catalog_(catalog), rows_(new ModelRows(catalog, this)) {
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Models"));
    setAcceptDrops(true);
    setMinimumSize(760, 480);
    resize(920, 640);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(build_head());
    auto* halves = new QHBoxLayout;
    halves->setSpacing(0);
    halves->addWidget(build_list());
    details_ = new ModelDetails(theme);
    halves->addWidget(details_, 1);
    column->addLayout(halves, 1);
    column->addWidget(build_foot());

    connect(search_, &QLineEdit::textChanged, this, [this](const QString& text) {
        const QString kept = details_->name();
        rows_->search(text);
        wanted_ = kept;
        refresh();
    });
    connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this, &ModelsDialog::show_current);
    connect(list_, &QListView::activated, details_, &ModelDetails::act);
    connect(details_, &ModelDetails::use_wanted, this, [this](const QString& name) {
        accept();
        Q_EMIT use_wanted(name);
    });
    connect(details_, &ModelDetails::folder_wanted, this, &ModelsDialog::folder_wanted);
    connect(details_, &ModelDetails::remove_wanted, &catalog_, &ModelCatalog::remove);
    connect(&catalog_, &ModelCatalog::changed, this, &ModelsDialog::refresh);
    connect(&catalog_, &ModelCatalog::added, this, [this](const QStringList& names) { select(names.back()); });
    connect(&catalog_, &ModelCatalog::failed, this, [this](const QString& message) { notice_->show_problem(message); });
    connect(new QShortcut(QKeySequence::Find, this), &QShortcut::activated, search_, qOverload<>(&QWidget::setFocus));
    connect(new QShortcut(QKeySequence::Refresh, this), &QShortcut::activated, &catalog_, &ModelCatalog::refresh);
    connect(new QShortcut(QKeySequence::Delete, list_, nullptr, nullptr, Qt::WidgetShortcut), &QShortcut::activated, this,
            [this] {
                if (details_->remove_button().isVisible()) {
                    details_->remove_button().click();
                }
            });
    refresh();
    catalog_.refresh();
    search_->setFocus();
}

QWidget* ModelsDialog::build_head() {
    auto* head = new Surface(theme_, Tone::panel, Edge::bottom);
    auto* column = new QVBoxLayout(head);
    column->setContentsMargins(24, 20, 24, 16);
    column->setSpacing(12);
    auto* row = new QHBoxLayout;
    row->addWidget(new Label(theme_, tr("Models"), TextSize::lesson_title, Tone::text, 600));
    row->addStretch();
    count_ = new Label(theme_, {}, TextSize::secondary, Tone::secondary);
    row->addWidget(count_);
    column->addLayout(row);
    search_ = new QLineEdit;
    search_->setPlaceholderText(tr("Search by name, family or licence"));
    search_->setAccessibleName(tr("Search models"));
    search_->setClearButtonEnabled(true);
    search_->addAction(theme_.icon(QStringLiteral("search"), Tone::tertiary), QLineEdit::LeadingPosition);
    search_->installEventFilter(this);
    column->addWidget(search_);
    notice_ = new Notice(theme_);
    column->addWidget(notice_);
    return head;
}

QWidget* ModelsDialog::build_list() {
    list_ = new QListView;
    list_->setModel(rows_);
    list_->setItemDelegate(new ModelRowDelegate(theme_, this));
    list_->setFrameShape(QFrame::NoFrame);
    list_->setFixedWidth(list_width);
    list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    list_->setMouseTracking(true);
    list_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    list_->setAccessibleName(tr("Models"));
    list_->viewport()->setAutoFillBackground(false);
    return list_;
}

QWidget* ModelsDialog::build_foot() {
    auto* foot = new Surface(theme_, Tone::chrome, Edge::top);
    auto* row = new QHBoxLayout(foot);
    row->setContentsMargins(16, 12, 24, 12);
    row->setSpacing(8);
    auto* add = new QPushButton(tr("Add"));
    add->setAutoDefault(false);
    add->setIcon(theme_.icon(QStringLiteral("plus")));
    add->setToolTip(tr("Lists a model of your own where it lies; nothing is copied"));
    add->setMenu(model_file_menu(*this, [this](const QString& path) { catalog_.add({path}); }));
    auto* reread = new QPushButton(tr("Read again"));
    reread->setAutoDefault(false);
    reread->setToolTip(tr("Looks at the folders again (F5)"));
    connect(reread, &QPushButton::clicked, &catalog_, &ModelCatalog::refresh);
    auto* shut = new QPushButton(tr("Close"));
    shut->setAutoDefault(false);
    connect(shut, &QPushButton::clicked, this, &QDialog::reject);
    row->addWidget(add);
    row->addWidget(reread);
    row->addWidget(new Label(theme_, tr("or drop .gguf files and folders here"), TextSize::secondary, Tone::tertiary));
    row->addStretch();
    row->addWidget(shut);
    return foot;
}

QString ModelsDialog::count() const {
    return count_->text();
}

void ModelsDialog::select(const QString& name) {
    if (rows_->row_of(name) < 0) {
        search_->clear();
    }
    if (const int row = rows_->row_of(name); row >= 0) {
        list_->setCurrentIndex(rows_->index(row));
        list_->scrollTo(rows_->index(row));
    } else {
        wanted_ = name;
    }
}

void ModelsDialog::refresh() {
    const QString wanted = wanted_.isEmpty() ? details_->name() : wanted_;
    wanted_.clear();
    int row = rows_->row_of(wanted);
    row = row < 0 ? rows_->first_model() : row;
    if (row >= 0) {
        list_->setCurrentIndex(rows_->index(row));
        list_->scrollTo(rows_->index(row));
    }
    const auto all = std::int64_t(catalog_.models().size());
    std::int64_t here = 0;
    for (const CatalogModel& model : catalog_.models()) {
        here += model.installed;
    }
    count_->setText(all == 0 ? QString() : tr("%1 ready to use").arg(counted(here, tr("model"), tr("models"))));
    show_current();
}

void ModelsDialog::show_current() {
    const QString name = list_->currentIndex().data(ModelRows::name_role).toString();
    if (const CatalogModel* model = catalog_.find(name)) {
        details_->show_model(*model, catalog_.memory());
    } else if (rows_->rowCount() == 0) {
        details_->show_nothing(!catalog_.models().empty() ? tr("No model has all of these words.")
                               : catalog_.busy()          ? tr("Reading the models' headers…")
                                                          : tr("No model was found. Add a .gguf file or a folder."));
    }
}

bool ModelsDialog::eventFilter(QObject* watched, QEvent* event) {
    if (watched == search_ && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        switch (key->key()) {
            case Qt::Key_Up:
            case Qt::Key_Down:
            case Qt::Key_PageUp:
            case Qt::Key_PageDown: {
                QKeyEvent copy(key->type(), key->key(), key->modifiers());
                QCoreApplication::sendEvent(list_, &copy);
                return true;
            }
            case Qt::Key_Return:
            case Qt::Key_Enter:
                details_->act();
                return true;
            case Qt::Key_Escape:
                if (!search_->text().isEmpty()) {
                    search_->clear();
                    return true;
                }
                break;
            default:
                break;
        }
    }
    return QDialog::eventFilter(watched, event);
}

void ModelsDialog::dragEnterEvent(QDragEnterEvent* event) {
    if (!dropped_files(*event->mimeData()).models.isEmpty()) {
        event->acceptProposedAction();
    }
}

void ModelsDialog::dropEvent(QDropEvent* event) {
    event->acceptProposedAction();
    notice_->clear();
    catalog_.add(dropped_files(*event->mimeData()).models);
}

}  // namespace plumbline::ui
