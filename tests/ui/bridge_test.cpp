#include <gtest/gtest.h>

#include <QCoreApplication>
#include <QTest>
#include <mutex>
#include <thread>

#include "ui/bridge/engine_bridge.h"

namespace plumbline::ui {
namespace {

/// The engine's side of a port: a queue that another thread fills.
struct Queue {
    std::mutex mutex;
    std::vector<Event> events;
    std::function<void()> wakeup;
    Snapshot snapshot;
    int taken = 0;

    EnginePort port() {
        return {.post = {},
                .stop = {},
                .take_events =
                    [this] {
                        const std::lock_guard lock(mutex);
                        ++taken;
                        return std::exchange(events, {});
                    },
                .snapshot =
                    [this] {
                        const std::lock_guard lock(mutex);
                        return snapshot;
                    },
                .set_wakeup =
                    [this](std::function<void()> f) {
                        const std::lock_guard lock(mutex);
                        wakeup = std::move(f);
                    }};
    }
    void push(Event event) {
        std::function<void()> wake;
        {
            const std::lock_guard lock(mutex);
            events.push_back(std::move(event));
            wake = wakeup;
        }
        if (wake) {
            wake();
        }
    }
};

TEST(EngineBridge, BringsEventsOfAnotherThreadInOrder) {
    Queue queue;
    EngineBridge bridge(queue.port());
    std::vector<int> samples;
    const auto* gui = QThread::currentThread();
    bool right_thread = true;
    QObject::connect(&bridge, &EngineBridge::tokens_streamed, [&](const TokensStreamed& e) {
        samples.push_back(e.tokens);
        right_thread = right_thread && QThread::currentThread() == gui;
    });
    constexpr int count = 2000;
    std::thread engine([&] {
        for (int i = 0; i < count; ++i) {
            queue.push({1, TokensStreamed{0, "x", i, false}});
        }
    });
    engine.join();
    ASSERT_TRUE(QTest::qWaitFor([&] { return samples.size() == count; }));
    EXPECT_TRUE(std::is_sorted(samples.begin(), samples.end()));
    EXPECT_TRUE(right_thread);
    EXPECT_EQ(queue.taken, 1);  // all of them were waiting when the window woke
}

TEST(EngineBridge, DropsEventsOfAnOlderSession) {
    EngineBridge bridge(EnginePort{});
    int told = 0;
    QObject::connect(&bridge, &EngineBridge::pair_ready, [&] { ++told; });
    bridge.deliver({1, PairReady{}});
    EXPECT_EQ(told, 1);
    bridge.deliver({2, SessionOpened{}});
    bridge.deliver({1, PairReady{}});
    EXPECT_EQ(told, 1);
    bridge.deliver({2, PairReady{}});
    EXPECT_EQ(told, 2);
    EXPECT_EQ(bridge.run(), 2u);
}

TEST(EngineBridge, TellsTheStateKeeperFirst) {
    EngineBridge bridge(EnginePort{});
    QStringList order;
    QObject::connect(&bridge, &EngineBridge::session_closed, [&] { order.append(QStringLiteral("kind")); });
    QObject::connect(&bridge, &EngineBridge::event, [&] { order.append(QStringLiteral("event")); });
    bridge.deliver({1, SessionClosed{}});
    EXPECT_EQ(order, QStringList({QStringLiteral("event"), QStringLiteral("kind")}));
}

TEST(EngineBridge, TellsASnapshotOnlyWhenItDiffers) {
    Queue queue;
    EngineBridge bridge(queue.port());
    int told = 0;
    QObject::connect(&bridge, &EngineBridge::snapshot_changed, [&] { ++told; });
    {
        const std::lock_guard lock(queue.mutex);
        queue.snapshot.kl = 1.5;
    }
    ASSERT_TRUE(QTest::qWaitFor([&] { return told == 1; }));
    QTest::qWait(150);  // several polls
    EXPECT_EQ(told, 1);
    EXPECT_EQ(bridge.snapshot().kl, 1.5);
    {
        const std::lock_guard lock(queue.mutex);
        queue.snapshot.saved_unix_time = 7;
    }
    ASSERT_TRUE(QTest::qWaitFor([&] { return told == 2; }));
}

TEST(EngineBridge, MayGoWhileTheEngineStillCalls) {
    Queue queue;
    std::function<void()> kept;
    {
        EngineBridge bridge(queue.port());
        kept = queue.wakeup;  // as the engine's thread holds a copy while it calls
    }
    EXPECT_FALSE(queue.wakeup);
    kept();
    QCoreApplication::sendPostedEvents();
    EXPECT_EQ(queue.taken, 0);
}

}  // namespace
}  // namespace plumbline::ui
