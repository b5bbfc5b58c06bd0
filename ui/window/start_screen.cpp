#include "ui/window/start_screen.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/api/chat_templates.h"
#include "ui/controls/availability.h"
#include "ui/controls/figures.h"
#include "ui/controls/key_button.h"
#include "ui/controls/label.h"
#include "ui/controls/notice.h"
#include "ui/theme/style.h"
#include "ui/window/model_files.h"

namespace plumbline::ui {

namespace {

constexpr int content_width = 880;
constexpr int column_gap = 40;
constexpr int most_models = 5;  // the others stand in the catalogue

void empty(QVBoxLayout& layout) {
    while (QLayoutItem* item = layout.takeAt(0)) {
        if (item->widget()) {
            item->widget()->hide();
            item->widget()->deleteLater();
        }
        delete item;
    }
}

QLabel* picture(const Theme& theme, const QString& name, Tone tone, int size) {
    auto* label = new QLabel;
    const auto draw = [label, &theme, name, tone, size] {
        label->setPixmap(theme.icon(name, tone).pixmap(size, size));
    };
    draw();
    QObject::connect(&theme, &Theme::changed, label, draw);
    label->setFixedSize(size, size);
    return label;
}

/// One row of a list card: icon, two lines of text, a mark behind the first of them, and what can be done with it at
/// the right.
Surface* row(const Theme& theme, const QString& icon, const QString& title, const QString& detail,
             bool available, bool first, QWidget* right, QWidget* mark = nullptr) {
    auto* surface = new Surface(theme, Tone::card, first ? Edge::none : Edge::top);
    surface->set_filled(false);
    auto* line = new QHBoxLayout(surface);
    line->setContentsMargins(16, 12, 16, 12);
    line->setSpacing(14);
    line->addWidget(picture(theme, icon, available ? Tone::secondary : Tone::disabled, 18));
    auto* text = new QVBoxLayout;
    text->setSpacing(2);
    auto* name = new Label(theme, title, TextSize::interface, available ? Tone::text : Tone::tertiary, 500);
    name->set_elided(Qt::ElideMiddle);
    auto* more = new Label(theme, detail, TextSize::secondary, Tone::tertiary);
    if (available) {
        more->set_elided(Qt::ElideRight);
    } else {
        more->setWordWrap(true);
    }
    auto* head = new QHBoxLayout;
    head->setSpacing(8);
    head->addWidget(name);
    if (mark) {
        head->addWidget(mark);
        head->addStretch();
    }
    text->addLayout(head);
    text->addWidget(more);
    line->addLayout(text, 1);
    if (right) {
        line->addWidget(right, 0, Qt::AlignVCenter);
    }
    return surface;
}

/// A card that holds rows, one pixel inside its border.
QVBoxLayout* list_card(const Theme& theme, QVBoxLayout& column) {
    auto* card = new Surface(theme, Tone::card, Edge::box);
    auto* rows = new QVBoxLayout(card);
    rows->setContentsMargins(1, 3, 1, 3);
    rows->setSpacing(0);
    column.addWidget(card);
    return rows;
}

QPushButton* small_button(const QString& text, const QString& name) {
    auto* button = new QPushButton(text);
    button->setAutoDefault(false);
    button->setAccessibleName(name);
    set_compact(*button);
    return button;
}

}  // namespace

QString when(const QDateTime& time, const QDateTime& now) {
    if (!time.isValid()) {
        return {};
    }
    const qint64 days = time.date().daysTo(now.date());
    if (days <= 0) {
        return StartScreen::tr("today %1").arg(time.time().toString(QStringLiteral("HH:mm")));
    }
    if (days == 1) {
        return StartScreen::tr("yesterday");
    }
    return QLocale(QLocale::English)
        .toString(time.date(), days < 300 ? QStringLiteral("d MMM") : QStringLiteral("d MMM yyyy"));
}

StartScreen::StartScreen(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent)
    : Surface(theme, Tone::canvas, Edge::none, parent), bridge_(bridge), state_(state) {
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->viewport()->setAutoFillBackground(false);
    outer->addWidget(scroll);

    auto* page = new Surface(theme, Tone::canvas);
    auto* centre = new QHBoxLayout(page);
    centre->setContentsMargins(40, 32, 40, 32);
    auto* content = new QWidget;
    content->setMaximumWidth(content_width);
    centre->addStretch(1);
    centre->addWidget(content, 1000);
    centre->addStretch(1);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addStretch(2);
    build_head(*column);
    column->addSpacing(28);

    notice_ = new Notice(theme);
    column->addWidget(notice_);
    loading_ = new Surface(theme, Tone::card, Edge::box);
    auto* loading_row = new QHBoxLayout(loading_);
    loading_row->setContentsMargins(16, 10, 10, 10);
    loading_row->setSpacing(12);
    loading_text_ = new Label(theme, {}, TextSize::interface, Tone::text, 500);
    loading_text_->set_elided(Qt::ElideRight);
    loading_bar_ = new QProgressBar;
    loading_bar_->setTextVisible(false);
    loading_bar_->setRange(0, 1000);
    loading_bar_->setFixedSize(160, 4);
    loading_bar_->setAccessibleName(tr("Loading"));
    auto* stop = small_button(tr("Stop"), tr("Stop loading"));
    connect(stop, &QPushButton::clicked, this, [this] { bridge_.stop(); });
    loading_row->addWidget(loading_text_, 1);
    loading_row->addWidget(loading_bar_);
    loading_row->addWidget(stop);
    column->addWidget(loading_);
    loading_->hide();
    column->addSpacing(20);

    auto* columns = new QHBoxLayout;
    columns->setSpacing(column_gap);
    const auto heading = [&](QVBoxLayout& into, const QString& text) {
        auto* line = new QHBoxLayout;
        line->addStrut(24);
        line->addWidget(new Label(theme, text, TextSize::reply, Tone::text, 600));
        line->addStretch();
        into.addLayout(line);
        into.addSpacing(12);
        return line;
    };
    auto* left = new QVBoxLayout;
    left->setSpacing(0);
    const auto more = [&](QHBoxLayout& head, const QString& text, const QString& tip, void (StartScreen::*wanted)()) {
        auto* button = new KeyButton(theme, text, {});
        button->set_text_tone(Tone::accent);
        set_compact(*button);
        set_button_kind(*button, ButtonKind::flat);
        button->setToolTip(tip);
        connect(button, &QPushButton::clicked, this, wanted);
        openers_.append(button);
        head.addWidget(button);
    };
    more(*heading(*left, tr("Open a model")), tr("All models…"),
         tr("Every model, what it needs, and what can be fetched"), &StartScreen::catalogue_wanted);
    models_ = list_card(theme, *left);
    left->addStretch(1);
    auto* right = new QVBoxLayout;
    right->setSpacing(0);
    more(*heading(*right, tr("Recent sessions")), tr("Open other…"), tr("A session from a .plumb file"),
         &StartScreen::open_other_wanted);
    recent_ = list_card(theme, *right);
    right->addSpacing(12);
    recent_note_ = new Label(theme, {}, TextSize::secondary, Tone::secondary);
    recent_note_->setWordWrap(true);
    right->addWidget(recent_note_);
    right->addStretch(1);
    columns->addLayout(left, 1);
    columns->addLayout(right, 1);
    column->addLayout(columns);
    column->addSpacing(40);
    build_steps(*column);
    column->addStretch(3);
    scroll->setWidget(page);

    connect(&state, &SessionState::phase_changed, this, &StartScreen::show_loading);
    connect(&bridge, &EngineBridge::snapshot_changed, this, &StartScreen::show_snapshot);
    connect(&state, &SessionState::opened, notice_, &Notice::clear);
    show_recent({});
}

void StartScreen::build_head(QVBoxLayout& column) {
    auto* head = new QHBoxLayout;
    head->setSpacing(16);
    head->addWidget(picture(theme(), QStringLiteral("plumbline"), Tone::accent, 48));
    auto* words = new QVBoxLayout;
    words->setSpacing(4);
    words->addWidget(new Label(theme(), tr("Plumbline"), TextSize::start_title, Tone::text, 600));
    words->addWidget(
        new Label(theme(), tr("Show a language model which reply you prefer, and measure what that changed."),
                  TextSize::lesson, Tone::secondary));
    head->addLayout(words);
    head->addStretch();
    column.addLayout(head);
}

void StartScreen::build_steps(QVBoxLayout& column) {
    auto* row = new QHBoxLayout;
    row->setSpacing(column_gap);
    const std::pair<QString, QString> steps[] = {
        {tr("Compare"), tr("The model writes two replies. One key or click says which is better.")},
        {tr("Teach"), tr("A reward model learns your taste; the policy moves towards it, near its start.")},
        {tr("Measure"), tr("Accuracy, reward and KL are drawn after each answer. Each can be taken back.")},
    };
    int number = 1;
    for (const auto& [title, text] : steps) {
        auto* part = new QVBoxLayout;
        part->setSpacing(4);
        auto* head = new QHBoxLayout;
        head->setSpacing(8);
        head->addWidget(new Label(theme(), QString::number(number++), TextSize::interface, Tone::accent, 500,
                                  Face::mono));
        head->addWidget(new Label(theme(), title, TextSize::interface, Tone::text, 600));
        head->addStretch();
        part->addLayout(head);
        auto* body = new Label(theme(), text, TextSize::secondary, Tone::secondary);
        body->setWordWrap(true);
        part->addWidget(body);
        part->addStretch();
        row->addLayout(part, 1);
    }
    column.addLayout(row);
}

void StartScreen::show_models(const std::vector<CatalogModel>& models) {
    empty(*models_);
    openers_.removeIf([this](QWidget* widget) { return models_->parentWidget()->isAncestorOf(widget); });
    bool first = true;
    int shown = 0;
    for (const CatalogModel& model : models) {
        if (model.source == ModelSource::known || ++shown > most_models) {
            continue;
        }
        const QString title = QString::fromStdString(model.title);
        QPushButton* open = nullptr;
        QString detail = QString::fromStdString(model.problem.empty() ? model.how_to_get : model.problem);
        if (model.installed) {
            open = small_button(tr("Open"), tr("Open %1").arg(title));
            const QString name = QString::fromStdString(model.name);
            open->setToolTip(
                tr("A new session with %1, saved by itself from the first answer on").arg(title));
            connect(open, &QPushButton::clicked, this, [this, name] { Q_EMIT model_wanted(name); });
            openers_.append(open);
            QStringList facts;
            if (model.parameters > 0) {
                facts.append(tr("%1 parameters").arg(parameter_count(model.parameters)));
            }
            if (model.memory_f32 > 0) {
                facts.append(tr("%1 in memory").arg(memory_size(model.memory_f32)));
            }
            detail = facts.join(QStringLiteral(", "));
        }
        Label* plain = writes_plain_text(model.chat_template)
                           ? new Label(theme(), tr("plain text"), TextSize::secondary, Tone::warning)
                           : nullptr;
        Surface* line = row(theme(), QStringLiteral("model"), title, detail, model.installed, first, open, plain);
        line->setToolTip(QString::fromStdString(model.chat_template_note));
        models_->addWidget(line);
        first = false;
    }
    auto* browse = small_button(tr("Browse…"), tr("Open a model from a file"));
    browse->setMenu(model_file_menu(*browse, [this](const QString& path) { Q_EMIT model_wanted(path); }));
    openers_.append(browse);
    models_->addWidget(row(theme(), QStringLiteral("file"), tr("From a file"),
                           tr("GGUF, or a folder; or drop it on this window"), true, first, browse));
    show_loading();
}

void StartScreen::show_recent(const QList<RecentSession>& sessions) {
    empty(*recent_);
    openers_.removeIf([this](QWidget* widget) { return recent_->parentWidget()->isAncestorOf(widget); });
    const QDateTime now = QDateTime::currentDateTime();
    bool first = true;
    for (const RecentSession& session : sessions.mid(0, 6)) {
        const bool there = session.exists();
        const QString name = QFileInfo(session.path).completeBaseName();
        QString detail = there ? QStringLiteral("%1, %2, %3")
                                     .arg(counted(session.labels, tr("label"), tr("labels")))
                                     .arg(tr("policy step %1").arg(session.policy_steps))
                                     .arg(when(session.used, now))
                               : tr("Not found: %1").arg(session.path);
        QPushButton* act =
            small_button(there ? tr("Open") : tr("Remove"),
                         there ? tr("Open session %1").arg(name) : tr("Remove %1 from the list").arg(name));
        act->setToolTip(there ? session.path : tr("Takes the entry off this list; no file is touched"));
        connect(act, &QPushButton::clicked, this, [this, path = session.path, there] {
            if (there) {
                Q_EMIT session_wanted(path);
            } else {
                Q_EMIT forget_wanted(path);
            }
        });
        openers_.append(act);
        recent_->addWidget(row(theme(), QStringLiteral("file"), name, detail, there, first, act));
        first = false;
    }
    recent_->parentWidget()->setVisible(!sessions.isEmpty());
    recent_note_->setText(
        sessions.isEmpty() ? tr("Your sessions will be listed here, newest first. A session is saved by "
                                "itself from the first answer on, and nothing leaves this computer.")
                           : tr("A session is saved by itself from the first answer on. Nothing leaves this "
                                "computer."));
    show_loading();
}

void StartScreen::show_loading() {
    const bool loading = state_.phase() == Phase::loading;
    loading_->setVisible(loading);
    if (loading) {
        notice_->clear();
        loading_text_->setText(tr("Opening…"));
        loading_bar_->setValue(0);
    }
    for (QWidget* opener : openers_) {
        set_available(*opener, loading ? tr("Something is being opened; stop it first") : QString());
    }
}

void StartScreen::show_snapshot(const Snapshot& snapshot) {
    if (state_.phase() == Phase::loading && snapshot.activity == Activity::loading) {
        loading_text_->setText(QString::fromStdString(snapshot.text));
        loading_bar_->setValue(snapshot.progress < 0 ? 0 : int(1000 * snapshot.progress));
    }
}

}  // namespace plumbline::ui
