// What a click of a live session costs.

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/api/errors.h"
#include "core/lab/bench_runs.h"
#include "core/lab/temporary_folder.h"
#include "core/sampling/counter_random.h"

namespace plumbline {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint32_t moments = 0x636c636b;  // random stream of when people click

/// The q-quantile, 0..1, of values in order: the least value that a share of q does not exceed.
double quantile(const std::vector<double>& sorted, double q) {
    const double rank = std::ceil(q * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace

/// A person who reads until two pairs wait, then votes twice, the second time at any moment while the first
/// vote is being learned. label_ms and next_pair_ms are the second vote's, as a window sees them; step_s is
/// the first one's whole way. Votes that come after the learning are not counted.
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
        if (const auto* halted = std::get_if<TrainingHalted>(&event.body)) {
            throw std::runtime_error(halted->message);
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
    double typical = 0.2;  // seconds from a vote to its ClickDone
    for (std::uint32_t i = 0; static_cast<int>(label.size()) < repeats; ++i) {
        const auto idle = [&] {
            const Snapshot now = engine.snapshot();
            return now.activity == Activity::idle && now.pending_clicks == 0;
        };
        while (!idle()) {  // the person reads
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            if (job.stop.stop_requested()) {
                throw Stopped();
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        events.clear();
        engine.take_events();
        const auto start = Clock::now();
        engine.post(Vote{shown.id, {Choice::left, Strength::clear, {}}});
        shown = until_pair();
        // Beyond the typical end too: no moment of the learning is left out.
        std::this_thread::sleep_until(
            start + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(1.25 * typical * uniform({1, moments, 0, 0, i}))));
        for (const Event& event : engine.take_events()) {
            events.push_back(event);
        }
        const bool learned = std::any_of(events.begin(), events.end(), [](const Event& event) {
            return std::holds_alternative<ClickDone>(event.body);
        });
        const auto second = Clock::now();
        engine.post(Vote{shown.id, {Choice::right, Strength::clear, {}}});
        bool recorded = false, ready = false;
        double label_seconds = 0, pair_seconds = 0;
        int done = 0;
        while (!recorded || !ready || done < 2) {
            Event event = next();
            if (std::holds_alternative<LabelRecorded>(event.body)) {
                label_seconds = seconds_since(second);
                recorded = true;
            } else if (auto* pair_ready = std::get_if<PairReady>(&event.body)) {
                pair_seconds = seconds_since(second);
                shown = pair_ready->pair;
                ready = true;
            } else if (std::holds_alternative<ClickDone>(event.body)) {
                ++done;
                if (done == 1) {
                    typical += (seconds_since(start) - typical) / (i + 1.0);
                    click.push_back(seconds_since(start));
                }
            }
        }
        if (!learned) {
            label.push_back(label_seconds);
            pair.push_back(pair_seconds);
        }
        if (job.progress) {
            job.progress(static_cast<double>(label.size()) / repeats, "clicking");
        }
    }
    BenchResult result;
    for (auto* times : {&label, &pair, &click}) {
        std::sort(times->begin(), times->end());
    }
    result.step_median = click[click.size() / 2];
    result.step_min = click.front();
    result.step_max = click.back();
    for (const auto& [name, times] : {std::pair("label_ms", &label), std::pair("next_pair_ms", &pair)}) {
        result.extra[name] = 1000 * quantile(*times, 0.5);
        result.extra[name + std::string("_p99")] = 1000 * quantile(*times, 0.99);
        result.extra[name + std::string("_max")] = 1000 * times->back();
    }
    return result;
}

}  // namespace plumbline
