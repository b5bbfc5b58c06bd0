#include "app/demo.h"

#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QMouseEvent>
#include <QPushButton>
#include <QSettings>
#include <QTemporaryDir>
#include <QTimer>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "app/signals.h"
#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/api/judge.h"
#include "core/api/offline.h"
#include "ui/bridge/engine_bridge.h"
#include "ui/controls/key_button.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/live_plots.h"
#include "ui/theme/theme.h"
#include "ui/window/docks.h"
#include "ui/window/main_window.h"
#include "ui/window/usual_settings.h"

namespace plumbline {

namespace {

constexpr int heldout_samples = 6;         // a prompt
constexpr int settle_milliseconds = 1500;  // the strip has faded, the plots are drawn

JudgedReply seen(const Candidate& candidate) {
    return {candidate.text, candidate.tokens, candidate.finish == Finish::eos};
}

/// Presses and releases the left button in the middle of a control, as a hand would.
void press(QWidget& control) {
    const QPointF at = control.rect().center();
    const QPointF global = control.mapToGlobal(at);
    QMouseEvent down(QEvent::MouseButtonPress, at, global, Qt::LeftButton, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&control, &down);
    QMouseEvent up(QEvent::MouseButtonRelease, at, global, Qt::LeftButton, Qt::NoButton, Qt::NoModifier);
    QApplication::sendEvent(&control, &up);
}

void print_share(const char* when, const std::string& judge, const Share& share) {
    std::printf("%-6s  %s in %.0f of %d held-out replies: %.1f%% (95%% interval %.1f%% to %.1f%%)\n", when,
                judge.c_str(), share.share * share.n, share.n, 100 * share.share, 100 * share.low,
                100 * share.high);
    std::fflush(stdout);
}

/// Reads the window's events and answers with the mouse; ends the application when done.
class Person : public QObject {
  public:
    Person(ui::EngineBridge& bridge, ui::MainWindow& window, const DemoOptions& options)
        : bridge_(bridge),
          window_(window),
          options_(options),
          judge_(make_judge(options.judge, {})),
          heldout_(heldout_prompts(options.model)) {
        using ui::EngineBridge;
        connect(&bridge, &EngineBridge::session_opened, this, [this] { evaluate("before"); });
        connect(&bridge, &EngineBridge::evaluated, this, [this](const Evaluated& e) { measured(e); });
        connect(&bridge, &EngineBridge::pair_ready, this, [this] { consider(); });
        connect(&bridge, &EngineBridge::reward_fitted, this,
                [this](const RewardFitted& fitted) { fit_ = fitted; });
        connect(&bridge, &EngineBridge::click_done, this, [this](const ClickDone& done) { learned(done); });
        connect(&bridge, &EngineBridge::command_failed, this,
                [this](const CommandFailed& e) { fail(e.message); });
        connect(&bridge, &EngineBridge::training_halted, this,
                [this](const TrainingHalted& e) { fail(e.message); });
        connect(&bridge, &EngineBridge::job_ended, this, [this](const JobEnded& e) {
            if (e.end == JobEnd::failed && !e.message.empty()) {
                fail(e.message);
            }
        });
    }

  private:
    void evaluate(const char* tag) { bridge_.post(Evaluate{tag, heldout_, heldout_samples, 0}); }

    void measured(const Evaluated& evaluated) {
        if (evaluated.tag == "before") {
            median_ = median_score(evaluated);
        }
        int hits = 0;
        for (const EvaluatedReply& r : evaluated.replies) {
            hits += judge_->has_property(heldout_[std::size_t(r.prompt)], r.reply, median_);
        }
        print_share(evaluated.tag.c_str(), options_.judge, wilson(hits, int(evaluated.replies.size())));
        if (evaluated.tag == "before") {
            ready_ = true;
            consider();
        } else {
            std::printf("KL      %.2f nats a reply from the reference\n", evaluated.kl);
            finishing_ = true;
            if (window_.state().phase() == ui::Phase::choosing) {
                settle();
            }
        }
    }

    double median_score(const Evaluated& evaluated) const {
        std::vector<double> scores;
        for (const EvaluatedReply& r : evaluated.replies) {
            scores.push_back(judge_->score(heldout_[std::size_t(r.prompt)], r.reply));
        }
        std::sort(scores.begin(), scores.end());
        const std::size_t n = scores.size();
        return n == 0 ? 0 : (scores[(n - 1) / 2] + scores[n / 2]) / 2;
    }

    /// The picture shows a pair that waits for its answer.
    void settle() {
        if (std::exchange(finishing_, false)) {
            QTimer::singleShot(settle_milliseconds, this, [this] { finish(); });
        }
    }

    /// Answers once the buttons are live, on the next turn of the event loop.
    void consider() {
        QTimer::singleShot(0, this, [this] {
            if (finishing_) {
                settle();
                return;
            }
            const std::optional<Pair>& pair = window_.state().pair();
            if (!ready_ || !pair || window_.state().phase() != ui::Phase::choosing) {
                return;
            }
            ready_ = false;
            fit_.reset();
            ui::ComparePanel& panel = window_.compare();
            choice_ =
                judge_->choose(pair->prompt, seen(pair->left), seen(pair->right), std::uint64_t(pair->id));
            press(choice_ == Choice::left    ? *panel.card_a().button()
                  : choice_ == Choice::right ? *panel.card_b().button()
                                             : panel.tie_button());
        });
    }

    void learned(const ClickDone& done) {
        if (choice_ == Choice::left || choice_ == Choice::right) {
            ++clicks_;
            std::printf("click %2d of %d: %s", clicks_, options_.clicks,
                        choice_ == Choice::left ? "A over B" : "B over A");
            if (fit_) {
                std::printf(", reward model loss %.2f", fit_->loss_after);
                if (fit_->heldout_accuracy) {
                    std::printf(", held-out accuracy %.2f", *fit_->heldout_accuracy);
                }
            }
            std::printf(", %.1f s\n", done.seconds);
            std::fflush(stdout);
        } else if (++ties_ > 20 * options_.clicks + 100) {
            fail("demo: the simulated person cannot tell the replies apart; choose another model");
            return;
        }
        if (clicks_ < options_.clicks) {
            ready_ = true;
            consider();
        } else {
            evaluate("after");
        }
    }

    void finish() {
        const QDir folder(QString::fromStdString(options_.folder));
        auto* plots = dynamic_cast<ui::LivePlotsPanel*>(window_.docks().panel(QStringLiteral("plots")));
        const QString screenshot = folder.filePath(QStringLiteral("window.png"));
        const QString all = folder.filePath(QStringLiteral("plots.png"));
        if (!window_.grab().save(screenshot)) {
            fail("demo: " + screenshot.toStdString() +
                 " cannot be written; choose another folder with --out");
            return;
        }
        if (!plots || !plots->save_picture(all)) {
            fail(plots ? plots->problem().toStdString() : "demo: there is no plots panel");
            return;
        }
        std::printf("wrote   %s\nwrote   %s\n", screenshot.toUtf8().constData(), all.toUtf8().constData());
        QApplication::exit(0);
    }

    void fail(const std::string& message) {
        std::fprintf(stderr, "error: %s\n", message.c_str());
        QApplication::exit(1);
    }

    ui::EngineBridge& bridge_;
    ui::MainWindow& window_;
    const DemoOptions& options_;
    std::unique_ptr<Judge> judge_;
    const std::vector<std::string> heldout_;
    bool finishing_ = false;  // measured; the last picture is due
    bool ready_ = false;      // the last answer has been learned from
    Choice choice_ = Choice::skip;
    std::optional<RewardFitted> fit_;
    double median_ = 0;  // score of the reference's replies; what short and long are measured by
    int clicks_ = 0, ties_ = 0;
};

}  // namespace

int run_demo(QApplication& application, EngineOptions engine_options, const DemoOptions& options) {
    if (!QDir().mkpath(QString::fromStdString(options.folder))) {
        throw Error("demo",
                    "the folder " + options.folder + " cannot be made; choose another one with --out");
    }
    const QTemporaryDir place;
    if (!place.isValid()) {
        throw Error("demo", "no temporary folder: " + place.errorString().toStdString() +
                                "; make room or set TMPDIR");
    }
    QSettings settings(place.filePath(QStringLiteral("demo.ini")), QSettings::IniFormat);
    ui::Theme theme(application);
    theme.set_scheme(options.theme == "dark" ? ui::Scheme::dark : ui::Scheme::light);
    engine_options.sample_ahead = false;  // nobody reads: each pair comes from the newest policy
    Engine engine(engine_options);
    ui::EngineBridge bridge(engine);
    ui::MainWindow window(bridge, theme, settings);
    window.show();
    Signals ask;
    QObject::connect(&ask, &Signals::asked, &window, &QWidget::close);
    Person person(bridge, window, options);
    NewSession session;
    session.project_path = place.filePath(QStringLiteral("demo.plumb")).toStdString();
    session.model = options.model;
    session.config = ui::usual_settings(options.model);
    bridge.post(session);
    const int code = QApplication::exec();
    engine.stop();
    return ask.caught() == SIGINT ? 130 : code;
}

}  // namespace plumbline
