// What a click of a live session costs.

#include <algorithm>
#include <thread>

#include "core/api/errors.h"
#include "core/lab/bench_runs.h"
#include "core/lab/temporary_folder.h"

namespace plumbline {

using Clock = std::chrono::steady_clock;

/// A person who reads until two pairs wait, then votes twice, the second time while the first vote is being
/// learned. label_ms and next_pair_ms are the second vote's, as a window sees them; step_s is the first one's
/// whole way.
BenchResult bench_click(const std::string& model, int repeats, const EngineOptions& options, const Job& job) {
    const TemporaryFolder folder("bench");
    Engine engine(options);
    const std::filesystem::path project = folder.path() / "session.plumb";
    engine.post(NewSession{project.string(), model, {}, {}});

    std::vector<double> label, pair, click;
    std::vector<Event> events;
    const auto next = [&]() -> Event {
        while (events.empty()) {
            if (job.stop.stop_requested()) {
                engine.stop();
                throw Stopped();
            }
            engine.wait_for_events(20);
            events = engine.take_events();
        }
        Event event = std::move(events.front());
        events.erase(events.begin());
        if (const auto* failed = std::get_if<CommandFailed>(&event.body)) {
            throw std::runtime_error(failed->message);
        }
        return event;
    };
    const auto until_pair = [&] {
        for (;;) {
            Event event = next();
            if (auto* ready = std::get_if<PairReady>(&event.body)) {
                return ready->pair;
            }
        }
    };
    Pair shown = until_pair();
    for (int i = 0; i < repeats; ++i) {
        while (engine.snapshot().pairs_ahead < 2 ||
               engine.snapshot().pending_clicks > 0) {  // the person reads
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            if (job.stop.stop_requested()) {
                throw Stopped();
            }
        }
        events.clear();
        engine.take_events();
        const auto start = Clock::now();
        engine.post(Vote{shown.id, {Choice::left, Strength::clear, {}}});
        shown = until_pair();
        std::this_thread::sleep_for(std::chrono::milliseconds(150));  // into the training
        const auto second = Clock::now();
        engine.post(Vote{shown.id, {Choice::right, Strength::clear, {}}});
        bool recorded = false, ready = false;
        int done = 0;
        while (!recorded || !ready || done < 2) {
            Event event = next();
            if (std::holds_alternative<LabelRecorded>(event.body)) {
                label.push_back(seconds_since(second));
                recorded = true;
            } else if (auto* pair_ready = std::get_if<PairReady>(&event.body)) {
                pair.push_back(seconds_since(second));
                shown = pair_ready->pair;
                ready = true;
            } else if (std::holds_alternative<ClickDone>(event.body)) {
                ++done;
                if (done == 1) {
                    click.push_back(seconds_since(start));
                }
            }
        }
        if (job.progress) {
            job.progress(static_cast<double>(i + 1) / repeats, "clicking");
        }
    }
    BenchResult result;
    for (auto* times : {&label, &pair, &click}) {
        std::sort(times->begin(), times->end());
    }
    result.step_median = click[click.size() / 2];
    result.step_min = click.front();
    result.step_max = click.back();
    result.extra["label_ms"] = 1000 * label[label.size() / 2];
    result.extra["label_ms_max"] = 1000 * label.back();
    result.extra["next_pair_ms"] = 1000 * pair[pair.size() / 2];
    result.extra["next_pair_ms_max"] = 1000 * pair.back();
    return result;
}

}  // namespace plumbline
