#pragma once
// What the window's tests share: a bridge whose engine is the test itself, and a session to show.

#include <gtest/gtest.h>

#include <QApplication>
#include <QTest>
#include <vector>

#include "ui/bridge/engine_bridge.h"
#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"

namespace plumbline::ui {

/// Keeps what is posted; events are handed in by `tell`.
class PanelStage {
  public:
    PanelStage()
        : theme(*static_cast<QApplication*>(QCoreApplication::instance())), bridge(port()), state(bridge) {
        theme.set_animations(false);
    }

    void tell(EventBody body) { bridge.deliver({1, std::move(body)}); }

    SessionOpened session(int labels = 0) const {
        SessionOpened opened;
        opened.project_path = "/home/ann/support-tone.plumb";
        opened.model.name = "tiny";
        opened.model.path = "/home/ann/tiny.gguf";
        opened.model.parameters = 134515008;
        opened.model.dtype = "f32";
        opened.prompts = {
            {11, "Where is my refund?"}, {12, "My package arrived broken."}, {13, "Can I cancel?"}};
        opened.current_prompt = 12;
        for (int i = 1; i <= labels; ++i) {
            opened.history.push_back(row(i, i % 2 == 1 ? Choice::left : Choice::tie));
            opened.metrics.push_back({"loss/policy", i, double(i), 0.5});
        }
        opened.labels = labels;
        opened.policy_steps = labels;
        return opened;
    }

    static HistoryRow row(std::int64_t label, Choice choice) {
        static const char* const texts[] = {"A over B", "B over A",  "Tie",   "Skipped",
                                            "Both bad", "B is best", "A good"};
        HistoryRow row;
        row.label_id = label;
        row.text = texts[static_cast<int>(choice)];
        row.choice = choice;
        row.unix_time = 1700000000 + 20 * double(label);
        row.prompt = "My package arrived broken.";
        row.left = "I am so sorry.";
        row.right = "Not our problem.";
        return row;
    }

    static Pair pair(std::int64_t id) {
        Pair pair;
        pair.id = id;
        pair.prompt_id = 12;
        pair.prompt = "My package arrived broken.";
        pair.drawn = 4;
        pair.left.text = "I am so sorry.";
        pair.left.tokens = 5;
        pair.left.reward = 1.31;
        pair.left.reward_sd = 0.4;
        pair.right.text = "Not our problem.";
        pair.right.tokens = 48;
        pair.right.finish = Finish::length;
        pair.right.reward = -0.84;
        pair.right.reward_sd = 0.5;
        return pair;
    }

    void open_with_pair(int labels = 0) {
        tell(session(labels));
        tell(PairReady{pair(77)});
    }

    /// The commands of one kind, in order.
    template <class Wanted>
    std::vector<Wanted> posted_of() const {
        std::vector<Wanted> found;
        for (const Command& command : posted) {
            if (const auto* body = std::get_if<Wanted>(&command)) {
                found.push_back(*body);
            }
        }
        return found;
    }

    std::vector<Command> posted;
    int stops = 0;
    Theme theme;
    EngineBridge bridge;
    SessionState state;

  private:
    EnginePort port() {
        EnginePort port;
        port.post = [this](Command command) { posted.push_back(std::move(command)); };
        port.stop = [this] { ++stops; };
        return port;
    }
};

/// Shows a window and gives it the keyboard.
inline void show_active(QWidget& window) {
    window.show();
    window.activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(&window));
}

}  // namespace plumbline::ui
