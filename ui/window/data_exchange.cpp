#include "ui/window/data_exchange.h"

#include <QAction>
#include <QFileInfo>
#include <QMenu>
#include <algorithm>
#include <array>

#include "ui/controls/ask_file.h"
#include "ui/controls/availability.h"
#include "ui/controls/figures.h"
#include "ui/controls/notice.h"
#include "ui/window/status_row.h"

namespace plumbline::ui {

namespace {

constexpr std::size_t reasons_shown = 3;

/// What stands in the menu and in the dialog; a script is a folder and has no ending.
struct ExportWords {
    const char *entry, *tip, *filter, *ending;
};
constexpr std::array<ExportWords, 5> export_words = {{
    {QT_TRANSLATE_NOOP("DataExchange", "For &TRL…"),
     QT_TRANSLATE_NOOP("DataExchange", "Pairs as lists of messages, JSON lines"), "JSON lines (*.jsonl)", "jsonl"},
    {QT_TRANSLATE_NOOP("DataExchange", "As &dialogues…"),
     QT_TRANSLATE_NOOP("DataExchange", "Pairs as whole dialogues like those of HH-RLHF, JSON lines"),
     "JSON lines (*.jsonl)", "jsonl"},
    {QT_TRANSLATE_NOOP("DataExchange", "As a &table…"), QT_TRANSLATE_NOOP("DataExchange", "All answers, CSV"),
     "Tables (*.csv)", "csv"},
    {QT_TRANSLATE_NOOP("DataExchange", "&Curves…"), QT_TRANSLATE_NOOP("DataExchange", "All metrics, CSV"),
     "Tables (*.csv)", "csv"},
    {QT_TRANSLATE_NOOP("DataExchange", "TRL &script…"),
     QT_TRANSLATE_NOOP("DataExchange", "A folder with a Python script and its data, which repeats the training elsewhere"),
     "Folders (*)", ""},
}};

/// The first reasons, and how many there are.
QString reasons_in_words(const std::vector<std::string>& reasons, std::int64_t all) {
    QStringList lines;
    for (std::size_t i = 0; i < std::min(reasons.size(), reasons_shown); ++i) {
        lines.append(QString::fromStdString(reasons[i]));
    }
    const auto more = all - static_cast<std::int64_t>(lines.size());
    return lines.join(QStringLiteral("; ")) + (more > 0 ? DataExchange::tr(" and %1 more").arg(more) : QString());
}

}  // namespace

DataExchange::DataExchange(EngineBridge& bridge, SessionState& state, Notice& notice, StatusRow& status, QWidget& window)
    : QObject(&window), bridge_(bridge), state_(state), notice_(notice), status_(status), window_(window) {
    import_preferences = new QAction(tr("&Import preferences…"), this);
    import_preferences->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_I));
    import_preferences->setToolTip(
        tr("Answers from JSON lines or CSV become labels of this session (%1)")
            .arg(import_preferences->shortcut().toString(QKeySequence::NativeText)));
    connect(import_preferences, &QAction::triggered, this, &DataExchange::ask_import);
    for (std::size_t i = 0; i < export_words.size(); ++i) {
        auto* action = new QAction(tr(export_words[i].entry), this);
        action->setToolTip(tr(export_words[i].tip));
        connect(action, &QAction::triggered, this, [this, i] { ask_export(static_cast<DataFormat>(i)); });
        exports.append(action);
    }
    exports.front()->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_E));
    connect(&state, &SessionState::phase_changed, this, &DataExchange::refresh);
    connect(&bridge, &EngineBridge::answers_imported, this, qOverload<const AnswersImported&>(&DataExchange::told));
    connect(&bridge, &EngineBridge::data_exported, this, qOverload<const DataExported&>(&DataExchange::told));
    refresh();
}

void DataExchange::add_to(QMenu& file) {
    file.addAction(import_preferences);
    QMenu* out = file.addMenu(tr("E&xport data"));
    out->addActions(exports);
    out->setToolTipsVisible(true);
}

void DataExchange::refresh() {
    const QString locked = state_.open() ? QString() : tr("There is no session");
    set_available(*import_preferences, locked);
    for (QAction* action : exports) {
        set_available(*action, locked);
    }
}

void DataExchange::ask_import() {
    ask_file(&window_, tr("Import preferences"), {}, tr("Preferences (*.jsonl *.json *.csv *.gz);;All files (*)"),
             [this](const QString& path) { bridge_.post(ImportPreferences{path.toStdString()}); });
}

void DataExchange::ask_export(DataFormat format) {
    const ExportWords& words = export_words[static_cast<std::size_t>(format)];
    ask_place(&window_, tr("Export"), QFileInfo(file_name(state_.project_path())).completeBaseName(), tr(words.filter),
              QString::fromLatin1(words.ending),
              [this, format](const QString& path) { bridge_.post(ExportData{format, path.toStdString()}); });
}

void DataExchange::told(const AnswersImported& imported) {
    const ImportResult& result = imported.result;
    const QString name = QFileInfo(QString::fromStdString(imported.path)).fileName();
    status_.say(tr("%1 imported from %2").arg(counted(int(result.rows), tr("answer"), tr("answers")), name));
    if (result.skipped > 0) {
        notice_.show_problem(tr("%1: %2 imported, %3 left out. %4")
                                 .arg(name, counted(int(result.rows), tr("answer"), tr("answers")),
                                      counted(int(result.skipped), tr("row"), tr("rows")),
                                      reasons_in_words(result.reasons, result.skipped)));
    }
}

void DataExchange::told(const DataExported& exported) {
    const std::vector<std::string>& skipped = exported.result.skipped;
    const QString name = QFileInfo(QString::fromStdString(exported.path)).fileName();
    const QString rows = counted(int(exported.result.rows), tr("row"), tr("rows"));
    status_.say(tr("%1 written to %2").arg(rows, name));
    if (!skipped.empty()) {
        notice_.show_problem(
            tr("%1: %2 written, %3 left out. %4")
                .arg(name, rows, counted(int(skipped.size()), tr("answer"), tr("answers")),
                     reasons_in_words(skipped, static_cast<std::int64_t>(skipped.size()))));
    }
}

}  // namespace plumbline::ui
