#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QComboBox>
#include <QLineEdit>
#include <QListView>
#include <QTableView>

#include "tests/ui/stage.h"
#include "ui/panels/data_panel.h"
#include "ui/panels/event_words.h"
#include "ui/panels/history_list.h"
#include "ui/panels/label_table.h"
#include "ui/panels/log_panel.h"
#include "ui/panels/pipeline_view.h"
#include "ui/panels/session_panel.h"

namespace plumbline::ui {
namespace {

constexpr auto strict = QAbstractItemModelTester::FailureReportingMode::Fatal;

TEST(SessionPanel, SaysWhatIsOpen) {
    PanelStage stage;
    SessionPanel panel(stage.bridge, stage.state, stage.theme);
    Snapshot snapshot;
    snapshot.memory_bytes = 2040109465;   // 1.9 GB of 2^30 bytes
    snapshot.memory_total = 17179869184;  // 16
    stage.bridge.show(snapshot);
    EXPECT_EQ(panel.memory_text(), "1.9 / 16 GB");
    stage.tell(stage.session());
    EXPECT_EQ(panel.model_text(), "tiny\n134.5 M parameters, float32");
}

TEST(SessionPanel, ThePipelineCountsAndWarns) {
    PanelStage stage;
    stage.tell(stage.session());
    Snapshot snapshot;
    auto stages = pipeline_stages(stage.state, snapshot);
    ASSERT_EQ(stages.size(), 3u);
    EXPECT_EQ(stages[0].detail, "no labels yet");
    EXPECT_EQ(stages[2].detail, "step 0, as it was");

    stage.tell(stage.session(3));
    snapshot.kl = 2.34;
    stages = pipeline_stages(stage.state, snapshot);
    EXPECT_EQ(stages[0].detail, "3 labels, 1 tie");
    EXPECT_EQ(stages[1].detail, "accuracy needs 5 pairs");
    EXPECT_EQ(stages[2].detail, "step 3, KL 2.3 nats");
    EXPECT_EQ(stages[2].state, StageState::done);

    stage.tell(RewardFitted{.label_id = 3,
                            .labels = 5,
                            .heldout_accuracy = 0.81,
                            .probability_before = {},
                            .probability_after = {}});
    snapshot.kl = 4.0;  // the limit itself is allowed
    EXPECT_EQ(pipeline_stages(stage.state, snapshot)[2].state, StageState::done);
    snapshot.kl = 4.1;
    stages = pipeline_stages(stage.state, snapshot);
    EXPECT_EQ(stages[1].detail, "held-out accuracy 0.81");
    EXPECT_EQ(stages[2].state, StageState::warning);
    EXPECT_EQ(stages[2].detail, "KL 4.1 nats, over the limit 4.0");

    snapshot.kl = 1;
    snapshot.training_paused = true;
    snapshot.pending_clicks = 2;
    EXPECT_EQ(pipeline_stages(stage.state, snapshot)[2].detail, "paused, 2 votes waiting");
}

TEST(HistoryModel, NewestFirstAndUndoneMarked) {
    PanelStage stage;
    HistoryModel model(stage.state);
    const QAbstractItemModelTester tester(&model, strict);
    stage.open_with_pair(3);
    ASSERT_EQ(model.rowCount(), 3);
    EXPECT_EQ(model.index(0).data().toString(), "A over B");
    EXPECT_EQ(model.index(0).data(HistoryModel::step_role).toInt(), 3);
    stage.tell(LabelRecorded{4, 77, Choice::right, PanelStage::row(4, Choice::right)});
    ASSERT_EQ(model.rowCount(), 4);
    EXPECT_EQ(model.index(0).data().toString(), "B over A");
    EXPECT_TRUE(model.index(0).data(HistoryModel::latest_role).toBool());
    stage.tell(Undone{4, PanelStage::row(4, Choice::right), 3, 3});
    EXPECT_TRUE(model.index(0).data(HistoryModel::undone_role).toBool());
    EXPECT_FALSE(model.index(0).data(HistoryModel::latest_role).toBool());
    EXPECT_TRUE(model.index(1).data(HistoryModel::latest_role).toBool());
    stage.tell(SessionClosed{});
    EXPECT_EQ(model.rowCount(), 0);
}

TEST(LabelTable, ShowsWhatWasPreferred) {
    PanelStage stage;
    LabelTable table(stage.state, stage.theme);
    const QAbstractItemModelTester tester(&table, strict);
    stage.open_with_pair();
    stage.tell(LabelRecorded{1, 77, Choice::left, PanelStage::row(1, Choice::left)});
    stage.tell(LabelRecorded{2, 78, Choice::right, PanelStage::row(2, Choice::right)});
    const auto cell = [&](int row, LabelTable::Column column) {
        return table.index(row, column).data().toString();
    };
    ASSERT_EQ(table.rowCount(), 2);
    EXPECT_EQ(cell(0, LabelTable::number), "2");  // newest first
    EXPECT_EQ(cell(0, LabelTable::choice), "B over A");
    EXPECT_EQ(cell(0, LabelTable::chosen), "Not our problem.");
    EXPECT_EQ(cell(0, LabelTable::rejected), "I am so sorry.");
    EXPECT_EQ(cell(1, LabelTable::chosen), "I am so sorry.");
    stage.tell(Undone{2, PanelStage::row(2, Choice::right), 0, 1});
    EXPECT_EQ(cell(0, LabelTable::choice), "B over A, undone");
}

TEST(DataPanel, FiltersAndCopies) {
    PanelStage stage;
    DataPanel panel(stage.state, stage.theme);
    panel.resize(900, 260);
    panel.show();
    SessionOpened opened = stage.session(4);
    opened.history[2].prompt = "Where is my refund?";
    stage.tell(opened);
    EXPECT_EQ(panel.table().model()->rowCount(), 4);
    QTest::keyClicks(&panel.filter(), QStringLiteral("REFUND"));
    ASSERT_EQ(panel.table().model()->rowCount(), 1);
    panel.table().selectRow(0);
    panel.copy_selected();
    const QStringList cells = QApplication::clipboard()->text().split('\t');
    ASSERT_EQ(cells.size(), int(LabelTable::columns));
    EXPECT_EQ(cells[LabelTable::number], "3");
    EXPECT_EQ(cells[LabelTable::prompt], "Where is my refund?");
    panel.filter().clear();
    EXPECT_EQ(panel.table().model()->rowCount(), 4);
}

TEST(DataPanel, SortsNumbersAsNumbers) {
    PanelStage stage;
    DataPanel panel(stage.state, stage.theme);
    stage.tell(stage.session(12));
    panel.table().sortByColumn(LabelTable::number, Qt::AscendingOrder);
    EXPECT_EQ(panel.table().model()->index(0, 0).data().toString(), "1");
    EXPECT_EQ(panel.table().model()->index(1, 0).data().toString(), "2");  // and not "10"
    EXPECT_EQ(panel.table().model()->index(11, 0).data().toString(), "12");
}

TEST(EventWords, SayWhatHappened) {
    RewardFitted fitted;
    fitted.labels = 22;
    fitted.loss_before = 0.62;
    fitted.loss_after = 0.55;
    fitted.heldout_accuracy = 0.81;
    EXPECT_EQ(in_words(fitted)->text, "loss 0.62 to 0.55 on 22 labels, held-out accuracy 0.81");
    EXPECT_EQ(in_words(PolicyStepped{1, 140, Algorithm::rloo, -0.17, 3e-4, ""})->text,
              "RLOO step 140, loss -0.170, rate 0.0003");
    EXPECT_FALSE(in_words(PolicyStepped{1, 140, Algorithm::rloo, -0.17, 3e-4, ""})->warning);
    EXPECT_TRUE(
        in_words(PolicyStepped{1, 140, Algorithm::rloo, -0.17, 3e-4, "slowed: KL 3.1 of 4.0"})->warning);
    EXPECT_EQ(in_words(AnswersPassedOver{3, "longer than 2048 tokens"})->text,
              "3 imported answers not learned: longer than 2048 tokens");
    EXPECT_TRUE(in_words(TrainingHalted{1, "train: not finite"})->warning);
    EXPECT_TRUE(in_words(CommandFailed{"vote", "vote: no pair"})->warning);
    EXPECT_FALSE(in_words(CommandFailed{"new session", "stopped"})->warning);  // the person's own wish
    EXPECT_FALSE(in_words(TokensStreamed{}).has_value());
    EXPECT_FALSE(in_words(JobProgress{}).has_value());
}

TEST(LogPanel, FiltersBySourceAndLevel) {
    PanelStage stage;
    LogPanel panel(stage.bridge, stage.theme);
    stage.tell(stage.session());
    stage.tell(LabelRecorded{1, 77, Choice::left, PanelStage::row(1, Choice::left)});
    stage.tell(TrainingHalted{1, "train: loss is not finite; undo"});
    EXPECT_TRUE(panel.shown_text().contains("label 1: A over B, pair 77"));
    EXPECT_TRUE(panel.shown_text().contains("warning: train: loss is not finite; undo"));
    panel.level().setCurrentIndex(1);
    EXPECT_FALSE(panel.shown_text().contains("A over B"));
    EXPECT_TRUE(panel.shown_text().contains("not finite"));
    panel.level().setCurrentIndex(0);
    panel.sources().setCurrentIndex(panel.sources().findData("vote"));
    EXPECT_TRUE(panel.shown_text().contains("A over B"));
    EXPECT_FALSE(panel.shown_text().contains("not finite"));
}

TEST(LogPanel, KeepsTheLastFiveThousandLines) {
    PanelStage stage;
    LogPanel panel(stage.bridge, stage.theme);
    for (int i = 1; i <= 5003; ++i) {
        panel.add({QStringLiteral("job"), QStringLiteral("line %1.").arg(i), false});
    }
    EXPECT_EQ(panel.shown_text().count('\n') + 1, 5000);
    EXPECT_FALSE(panel.shown_text().contains("line 3."));
    EXPECT_TRUE(panel.shown_text().contains("line 4."));
    EXPECT_TRUE(panel.shown_text().contains("line 5003."));
}

}  // namespace
}  // namespace plumbline::ui
