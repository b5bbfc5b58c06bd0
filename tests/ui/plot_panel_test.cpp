// The live plots as the engine's events fill them.

#include <gtest/gtest.h>

#include <QDir>
#include <QFile>
#include <QFileDialog>
#include <QMenu>
#include <QPushButton>
#include <QSlider>
#include <QTemporaryDir>
#include <memory>
#include <set>

#include "tests/ui/plot_stage.h"
#include "ui/bridge/engine_bridge.h"
#include "ui/panels/live_plots.h"
#include "ui/plot/metric_catalog.h"
#include "ui/plot/metric_plot.h"
#include "ui/plot/run_table.h"

namespace plumbline::ui {
namespace {

class PlotPanel : public ::testing::Test {
  protected:
    PlotPanel() : theme(application()), bridge(EnginePort{}), panel(bridge, theme) {
        panel.resize(352, 764);
        panel.show();
        settle();
    }

    static void settle() { QCoreApplication::processEvents(); }
    void tell(EventBody body) {
        bridge.deliver({run, std::move(body)});
        settle();
    }
    void open(std::vector<MetricPoint> metrics = {}) {
        SessionOpened opened;
        opened.project_path = "/somewhere/support-tone.plumb";
        opened.metrics = std::move(metrics);
        tell(opened);
    }
    /// What one click adds: a label and two policy steps.
    void vote(std::int64_t label) {
        const double x = static_cast<double>(label);
        MetricsAdded added;
        added.points = {{"reward/loss", label, x, 0.7 - 0.01 * x}};
        if (label >= 5) {
            added.points.push_back({"reward/accuracy", label, x, 0.5});
        }
        for (double step = 2 * x - 1; step <= 2 * x; ++step) {
            added.points.push_back({"objective/kl", label, step, 0.1 * step});
            added.points.push_back({"objective/score", label, step, 1 + 0.1 * step});
            added.points.push_back({"loss/policy", label, step, 0.6});
        }
        tell(added);
    }
    std::size_t points(int plot, std::size_t curve) const {
        return panel.plots().at(std::size_t(plot))->table().at(curve).series->size();
    }
    MetricPlot& plot(int index) { return *panel.plots().at(std::size_t(index)); }
    QString legend(int index, std::size_t entry) { return plot(index).legend().at(entry).value; }

    Theme theme;
    EngineBridge bridge;
    LivePlotsPanel panel;
    std::uint64_t run = 1;
};

TEST_F(PlotPanel, SaysWhatIsMissing) {
    EXPECT_EQ(plot(0).message(), "No session");
    open();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(plot(i).message(), "Vote to begin");
    }
    tell(MetricsAdded{{{"reward/loss", 1, 1, 0.69}}});
    EXPECT_EQ(plot(0).message(), "");
    EXPECT_EQ(plot(0).note(), "accuracy needs 5 pairs");
    EXPECT_EQ(plot(2).message(), "No policy step yet");
    for (int label = 2; label <= 5; ++label) {
        vote(label);
    }
    EXPECT_EQ(plot(0).note(), "");
    EXPECT_EQ(plot(2).message(), "");
}

TEST_F(PlotPanel, GrowsByVotesAndShrinksByUndo) {
    open();
    vote(1);
    vote(2);
    EXPECT_EQ(points(0, 1), 2U);  // reward/loss
    EXPECT_EQ(points(1, 0), 4U);  // reward against KL
    EXPECT_EQ(points(2, 0), 4U);
    EXPECT_EQ(legend(0, 1), "0.68");
    EXPECT_EQ(legend(2, 0), "0.60");
    tell(Undone{2, {}, 2, 1});
    EXPECT_EQ(points(0, 1), 1U);
    EXPECT_EQ(points(1, 0), 2U);
    EXPECT_EQ(points(2, 0), 2U);
    EXPECT_EQ(legend(0, 1), "0.69");
    vote(3);
    EXPECT_EQ(points(0, 1), 2U);
}

TEST_F(PlotPanel, FillsFromAnOpenedSessionAndEmptiesWithIt) {
    open({{"reward/loss", 1, 1, 0.69}, {"reward/loss", 2, 2, 0.61}});
    EXPECT_EQ(points(0, 1), 2U);
    run = 2;
    open({{"reward/loss", 1, 1, 0.5}});
    EXPECT_EQ(points(0, 1), 1U);
    EXPECT_EQ(legend(0, 1), "0.50");
    run = 1;
    vote(9);  // of the session before
    EXPECT_EQ(points(0, 1), 1U);
    run = 2;
    tell(SessionClosed{});
    EXPECT_EQ(points(0, 1), 0U);
    EXPECT_EQ(plot(0).message(), "No session");
}

TEST_F(PlotPanel, TheRunTableHasTheLatestValues) {
    auto* table = panel.findChild<RunTable*>();
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(table->run().name, "");
    open();
    EXPECT_EQ(table->run().name, "DPO, live");
    EXPECT_FALSE(table->run().kl.has_value());
    vote(1);
    EXPECT_EQ(table->run().kl, 0.2);
    EXPECT_EQ(table->run().reward, 1.2);
    ConfigChanged change;
    change.config.live.algorithm = Algorithm::ipo;
    tell(change);
    EXPECT_EQ(table->run().name, "IPO, live");
    EXPECT_EQ(plot(2).legend().at(0).name, "IPO");
}

TEST_F(PlotPanel, TheBudgetWarnsWhenItIsPassed) {
    open();
    ConfigChanged change;
    change.config.live.kl_limit = 0.5;
    tell(change);
    vote(1);
    EXPECT_EQ(plot(1).legend().at(1).name, "budget");
    EXPECT_EQ(plot(1).legend().at(1).value, "0.5");
    EXPECT_EQ(plot(1).legend().at(1).warning, "");
    vote(3);  // KL 0.6
    EXPECT_EQ(plot(1).legend().at(1).warning, "over 0.5");
}

TEST_F(PlotPanel, TheBudgetComesIntoViewAsTheDataNearIt) {
    open();
    EXPECT_GE(plot(1).x_view().upper, 6);  // empty: the budget of 4 and what lies beyond
    vote(1);
    EXPECT_LT(plot(1).x_view().upper, 4);
    vote(12);  // KL 2.4
    EXPECT_GE(plot(1).x_view().upper, 6);
}

TEST_F(PlotPanel, TheSliderSmooths) {
    open();
    vote(1);
    vote(2);
    const auto loss = plot(0).table().at(1).series;
    EXPECT_EQ(panel.smoothing(), 0.6);
    EXPECT_NE(loss->smoothed()[1], loss->values()[1]);
    panel.findChild<QSlider*>()->setValue(0);
    settle();
    EXPECT_EQ(panel.smoothing(), 0.0);
    EXPECT_EQ(loss->smoothed()[1], loss->values()[1]);
}

TEST_F(PlotPanel, TheThirdPlotFollowsTheAlgorithmUntilThePersonChooses) {
    const auto use = [&](Algorithm algorithm) {
        ConfigChanged change;
        change.config.live.algorithm = algorithm;
        tell(change);
        return plot(2).choice().metrics;
    };
    using Names = std::vector<std::string>;
    open();
    EXPECT_EQ(plot(2).choice().metrics, Names{"loss/policy"});
    EXPECT_EQ(use(Algorithm::ppo), Names{"objective/entropy"});
    EXPECT_EQ(use(Algorithm::grpo), Names{"objective/entropy"});
    EXPECT_EQ(use(Algorithm::kto), Names{"loss/policy"});
    plot(2).toggle("grad_norm");
    EXPECT_EQ(use(Algorithm::rloo), (Names{"loss/policy", "grad_norm"}));
}

TEST_F(PlotPanel, TheMenuPicksMetrics) {
    open();
    vote(1);
    MetricPlot& third = plot(2);
    third.toggle("objective/kl");
    EXPECT_EQ(third.choice().metrics, (std::vector<std::string>{"loss/policy", "objective/kl"}));
    EXPECT_EQ(third.title(), "Metrics");
    third.toggle("reward/loss");  // another x: steps go
    EXPECT_EQ(third.choice().metrics, (std::vector<std::string>{"reward/loss"}));
    EXPECT_EQ(third.title(), "Reward model");
    EXPECT_EQ(third.table().at(0).name, "reward/loss");
    third.toggle("reward/loss");  // the last one stays
    EXPECT_EQ(third.choice().metrics, (std::vector<std::string>{"reward/loss"}));

    const auto action = [&](const QString& text) {
        QList<QAction*> all = third.menu().actions();
        for (const QAction* entry : third.menu().actions()) {
            all += entry->menu() ? entry->menu()->actions() : QList<QAction*>();
        }
        for (QAction* candidate : all) {
            if (candidate->text() == text) {
                return candidate;
            }
        }
        return static_cast<QAction*>(nullptr);
    };
    ASSERT_NE(action("Reward model loss, nats a label"), nullptr);
    EXPECT_TRUE(action("Reward model loss, nats a label")->isChecked());
    action("Reply length, tokens")->trigger();
    EXPECT_EQ(third.choice().metrics, (std::vector<std::string>{"tokens/response_length"}));
    action("Reward against KL")->trigger();
    EXPECT_TRUE(third.choice().reward_against_kl);
    EXPECT_FALSE(action("Reply length, tokens")->isChecked());
}

TEST_F(PlotPanel, APairLossHasTheLineOfChanceAndAnotherHasNot) {
    // ln 2 is the loss of DPO and its kin before they have learned; the first plot has the line in any case.
    const auto lines = [&](Algorithm algorithm) {
        SessionConfig config;
        config.live.algorithm = algorithm;
        tell(ConfigChanged{config});
        return plot(2).reference_lines().size();
    };
    open();
    EXPECT_EQ(lines(Algorithm::dpo), 1u);
    EXPECT_EQ(lines(Algorithm::robust_dpo), 1u);
    EXPECT_EQ(lines(Algorithm::ipo), 0u);
    EXPECT_EQ(lines(Algorithm::grpo), 0u);
}

TEST(MetricCatalog, NamesAreOnceAndPlotsOfOneKindShareTheirTitle) {
    std::set<std::string> names;
    std::set<QString> titles;
    for (const MetricInfo& info : metric_catalog()) {
        EXPECT_TRUE(names.insert(info.name).second) << info.name;
        EXPECT_TRUE(titles.insert(info.title).second) << info.title.toStdString();
        EXPECT_FALSE(info.legend.isEmpty() || info.plot_title.isEmpty()) << info.name;
        EXPECT_EQ(info.over == MetricOver::labels, info.name.starts_with("reward/")) << info.name;
    }
    EXPECT_EQ(metric_info("policy/approxkl").legend, "approx. KL");
    EXPECT_EQ(metric_info("reward/part/judge").title, "reward/part/judge");  // not in the catalogue
    EXPECT_EQ(metric_info("reward/part/judge").over, MetricOver::policy_steps);
    EXPECT_EQ(metric_info("reward/other").over, MetricOver::labels);
}

TEST_F(PlotPanel, RewardAndKlAlsoOverSteps) {
    open();
    vote(1);
    vote(2);
    EXPECT_EQ(plot(1).title(), "Reward against KL");
    EXPECT_EQ(plot(1).legend().at(1).name, "budget");
    plot(1).show_over_steps(true);
    EXPECT_EQ(plot(1).legend().at(1).name, "KL");
    EXPECT_EQ(plot(1).title(), "Reward and KL");
    ASSERT_EQ(plot(1).table().size(), 2U);
    EXPECT_EQ(points(1, 0), 4U);
    EXPECT_GE(plot(1).x_view().upper, 4);  // steps now
    plot(1).show_over_steps(false);
    EXPECT_TRUE(plot(1).choice().reward_against_kl);
}

TEST_F(PlotPanel, SavesOnePictureOfAll) {
    open();
    vote(1);
    vote(2);
    QTemporaryDir folder;
    const QString path = folder.filePath("all.png");
    ASSERT_TRUE(panel.save_picture(path)) << qPrintable(panel.problem());
    const QImage image(path);
    EXPECT_EQ(image.size(), QSize(1120, 3 * 672));
    EXPECT_EQ(image.pixelColor(2, 2).rgb(), theme.color(Tone::panel).rgb());
    EXPECT_EQ(image.pixelColor(500, 672).rgb(), theme.color(Tone::line).rgb());
    for (int third = 0; third < 3; ++third) {
        const QImage part = image.copy(0, 672 * third, 1120, 672);
        EXPECT_GT(count_pixels(part, theme.color(third == 0 ? Tone::run2 : Tone::run1)), 100) << third;
    }
    EXPECT_EQ(panel.render_all(400, 1.5).size(), QSize(600, 3 * 360));
}

TEST_F(PlotPanel, SavesEachPictureAndOverwritesNone) {
    open();
    vote(1);
    QTemporaryDir folder;
    ASSERT_TRUE(panel.save_pictures(folder.path()));
    ASSERT_TRUE(panel.save_pictures(folder.path()));
    const QStringList names = QDir(folder.path()).entryList(QDir::Files);
    EXPECT_EQ(names.size(), 6);
    EXPECT_TRUE(names.contains("support-tone-reward-model.png"));
    EXPECT_TRUE(names.contains("support-tone-reward-against-kl-2.png"));
    EXPECT_EQ(QImage(folder.filePath("support-tone-policy-loss.png")).width(), 1120);
}

TEST_F(PlotPanel, SavesATableOfEverything) {
    open();
    panel.set_smoothing(0);
    vote(1);
    QTemporaryDir folder;
    const QString path = folder.filePath("metrics.csv");
    ASSERT_TRUE(panel.save_table(path));
    QFile file(path);
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    const QList<QByteArray> lines = file.readAll().split('\n');
    // Header, loss/policy 2, objective/kl 2, objective/score 2, reward/loss 1, the path 2, the end.
    ASSERT_EQ(lines.size(), 1 + 2 + 2 + 2 + 1 + 2 + 1);
    EXPECT_EQ(lines[1].trimmed(), "loss/policy,1,1,1,0.6,1,0.6");
    EXPECT_EQ(lines[8].trimmed(), "objective/score against objective/kl,1,1,0.1,1.1,0.1,1.1");
    EXPECT_EQ(lines.last(), "");
}

TEST_F(PlotPanel, AFailedSaveIsSaidInThePanel) {
    open();
    vote(1);
    QTemporaryDir folder;
    QFile file(folder.filePath("file"));
    ASSERT_TRUE(file.open(QIODevice::WriteOnly));
    file.close();
    EXPECT_FALSE(panel.save_picture(folder.filePath("file/all.png")));
    EXPECT_TRUE(panel.problem().startsWith("save picture: ")) << qPrintable(panel.problem());
    EXPECT_TRUE(panel.problem().contains("file/all.png"));
    EXPECT_FALSE(panel.save_pictures(folder.filePath("file")));
    EXPECT_FALSE(panel.save_table(folder.filePath("file/all.csv")));
    EXPECT_TRUE(panel.problem().startsWith("save table: "));
    EXPECT_TRUE(panel.save_table(folder.filePath("all.csv")));
    EXPECT_EQ(panel.problem(), "");
}

TEST_F(PlotPanel, TheExportMenuAsksForAPlace) {
    auto* button = panel.findChild<QPushButton*>();
    ASSERT_NE(button, nullptr);
    ASSERT_NE(button->menu(), nullptr);
    QAction* picture = button->menu()->actions().at(0);
    EXPECT_FALSE(picture->isEnabled());
    EXPECT_FALSE(picture->toolTip().isEmpty());
    open();
    vote(1);
    ASSERT_TRUE(picture->isEnabled());
    picture->trigger();
    auto* dialog = panel.findChild<QFileDialog*>();
    ASSERT_NE(dialog, nullptr);
    QTemporaryDir folder;
    const QString path = folder.filePath("chosen.png");
    Q_EMIT dialog->fileSelected(path);
    EXPECT_EQ(QImage(path).width(), 1120);
    dialog->close();
    settle();
}

TEST_F(PlotPanel, ManyEventsAreDrawnOnce) {
    open();
    for (std::int64_t label = 1; label <= 50; ++label) {
        bridge.deliver({run, MetricsAdded{{{"reward/loss", label, double(label), 0.5}}}});
    }
    EXPECT_EQ(legend(0, 1), QStringLiteral("–"));  // not yet
    settle();
    EXPECT_EQ(legend(0, 1), "0.50");
    EXPECT_GE(plot(0).x_view().upper, 50);
}

}  // namespace
}  // namespace plumbline::ui
