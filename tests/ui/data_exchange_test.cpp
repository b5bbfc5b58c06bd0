// The file menu's entries for preferences: what they post, and how the answer is told.

#include "ui/window/data_exchange.h"

#include <QAction>
#include <QFileDialog>
#include <QMenuBar>

#include "tests/ui/window_stage.h"
#include "ui/controls/notice.h"
#include "ui/panels/compare_panel.h"
#include "ui/window/prompt_file.h"

namespace plumbline::ui {
namespace {

class DataExchangeTest : public MainWindowTest {
  protected:
    DataExchange& exchange() { return *window->findChild<DataExchange*>(); }
    /// Chooses a file in the dialog that the action opens.
    void choose(QAction* action, const QString& path) {
        action->trigger();
        auto* dialog = window->findChild<QFileDialog*>();
        ASSERT_NE(dialog, nullptr);
        Q_EMIT dialog->fileSelected(path);
        delete dialog;
    }
};

TEST_F(DataExchangeTest, IsThereForASession) {
    EXPECT_FALSE(exchange().import_preferences->isEnabled());
    stage.open_with_pair();
    EXPECT_TRUE(exchange().import_preferences->isEnabled());
    choose(exchange().import_preferences, QStringLiteral("/data/pairs.jsonl"));
    ASSERT_EQ(stage.posted_of<ImportPreferences>().size(), 1U);
    EXPECT_EQ(stage.posted_of<ImportPreferences>()[0].path, "/data/pairs.jsonl");
    const DataFormat formats[] = {DataFormat::trl, DataFormat::hh, DataFormat::csv, DataFormat::metrics, DataFormat::script};
    ASSERT_EQ(exchange().exports.size(), qsizetype(std::size(formats)));
    for (qsizetype i = 0; i < exchange().exports.size(); ++i) {
        choose(exchange().exports[i], QStringLiteral("/data/out"));
        EXPECT_EQ(stage.posted_of<ExportData>().back().format, formats[i]);
        EXPECT_EQ(stage.posted_of<ExportData>().back().path, "/data/out");
    }
}

TEST_F(DataExchangeTest, TellsWhatCameInAndWhatWasLeftOut) {
    stage.open_with_pair(2);
    EXPECT_TRUE(window->compare().notice().isHidden());
    stage.tell(AnswersImported{"/data/pairs.jsonl", {120, 0, {}}, 122, 120});
    EXPECT_TRUE(window->compare().notice().isHidden());
    EXPECT_EQ(window->state().imported(), 120);
    stage.tell(AnswersImported{
        "/data/pairs.jsonl", {2, 4, {"line 1: a", "line 2: b", "line 3: c", "line 4: d"}}, 124, 122});
    EXPECT_EQ(window->compare().notice().text(),
              "pairs.jsonl: 2 answers imported, 4 rows left out. line 1: a; line 2: b; line 3: c and 1 more");
    stage.tell(DataExported{"/data/out.csv", {7, {"label 3: it was skipped"}}});
    EXPECT_EQ(window->compare().notice().text(),
              "out.csv: 7 rows written, 1 answer left out. label 3: it was skipped");
}

TEST_F(DataExchangeTest, TakesWhatIsDropped) {
    const QString pairs = write("pairs.jsonl", "{}");
    EXPECT_FALSE(drop(pairs)) << "there is no session to put them into";
    stage.open_with_pair();
    EXPECT_TRUE(drop(pairs));
    EXPECT_EQ(stage.posted_of<ImportPreferences>().at(0).path, pairs.toStdString());
}

TEST_F(DataExchangeTest, PromptsMayBeRows) {
    QString problem;
    const std::vector<std::string> two{"One?", "Two?"};
    EXPECT_EQ(read_prompt_file(write("p.jsonl", "{\"prompt\":\"One?\"}\n{\"prompt\":\"Two? \"}\n{\"prompt\":\"One?\"}\n"), problem), two);
    EXPECT_EQ(read_prompt_file(write("p.csv", "id,prompt\n1,One?\n2,Two?\n"), problem), two);
    EXPECT_TRUE(problem.isEmpty());
    EXPECT_TRUE(read_prompt_file(write("bad.csv", "id,text\n1,One?\n"), problem).empty());
    EXPECT_TRUE(problem.contains("line 2: prompt is missing")) << problem.toStdString();
}

}  // namespace
}  // namespace plumbline::ui
