// A session with a simulated person, through the same commands and events as the window's.

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/api/judge.h"
#include "core/api/offline.h"
#include "core/lab/temporary_folder.h"

namespace plumbline {

Share wilson(int hits, int n) {
    if (n == 0) {
        return {};
    }
    const double z = 1.959963984540054, p = static_cast<double>(hits) / n, z2 = z * z / n;
    const double centre = (p + z2 / 2) / (1 + z2);
    const double half = z / (1 + z2) * std::sqrt(p * (1 - p) / n + z2 / (4 * n));
    return {p, std::max(0.0, centre - half), std::min(1.0, centre + half), n};
}

namespace {

constexpr int most_ties_in_a_row = 50;

/// Feeds an engine and waits for its answers.
class Driver {
  public:
    Driver(Engine& engine, const Job& job, std::function<void(const Event&)> on_event)
        : engine_(engine), job_(job), on_event_(std::move(on_event)) {}

    /// The next event; throws Stopped, and Error for anything that ends a session's work.
    Event next() {
        while (waiting_.empty()) {
            if (job_.stop.stop_requested()) {
                engine_.stop();
                throw Stopped();
            }
            engine_.wait_for_events(50);
            for (Event& event : engine_.take_events()) {
                waiting_.push_back(std::move(event));
            }
        }
        Event event = std::move(waiting_.front());
        waiting_.erase(waiting_.begin());
        if (on_event_) {
            on_event_(event);
        }
        if (const auto* ready = std::get_if<PairReady>(&event.body)) {
            shown_ = ready->pair;
        }
        if (const auto* failed = std::get_if<CommandFailed>(&event.body)) {
            throw std::runtime_error(failed->message);
        }
        if (const auto* halted = std::get_if<TrainingHalted>(&event.body)) {
            throw std::runtime_error(halted->message);
        }
        if (const auto* ended = std::get_if<JobEnded>(&event.body); ended && ended->end == JobEnd::failed) {
            throw std::runtime_error(ended->message);
        }
        return event;
    }

    template <class Wanted>
    Wanted until() {
        for (;;) {
            Event event = next();
            if (auto* body = std::get_if<Wanted>(&event.body)) {
                return std::move(*body);
            }
        }
    }

    /// What is on the screen: it may have come while something else was waited for.
    Pair shown() {
        while (!shown_) {
            next();
        }
        return *shown_;
    }

  private:
    Engine& engine_;
    const Job& job_;
    std::function<void(const Event&)> on_event_;
    std::vector<Event> waiting_;
    std::optional<Pair> shown_;
};

double median_score(const Judge& judge, const std::vector<std::string>& prompts, const Evaluated& replies) {
    std::vector<double> scores;
    for (const EvaluatedReply& r : replies.replies) {
        scores.push_back(judge.score(prompts[r.prompt], r.reply));
    }
    std::sort(scores.begin(), scores.end());
    const std::size_t n = scores.size();
    return n == 0 ? 0 : (scores[(n - 1) / 2] + scores[n / 2]) / 2;
}

// What the reference thinks of the replies: it rises when the policy stops to write as it was taught.
double reference_nll(const Evaluated& replies) {
    double nats = 0, tokens = 0;
    for (const EvaluatedReply& r : replies.replies) {
        nats -= r.reference_logprob;
        tokens += r.reply.tokens;
    }
    return tokens > 0 ? nats / tokens : 0;
}

Share judged_share(const Judge& judge, const std::vector<std::string>& prompts, const Evaluated& replies, double median) {
    const auto hits = std::count_if(replies.replies.begin(), replies.replies.end(), [&](const EvaluatedReply& r) {
        return judge.has_property(prompts[r.prompt], r.reply, median);
    });
    return wilson(static_cast<int>(hits), static_cast<int>(replies.replies.size()));
}

JudgedReply seen(const Candidate& candidate) {
    return {candidate.text, candidate.tokens, candidate.finish == Finish::eos};
}

// Of two replies the better one; of more the best, by comparing them two by two. All alike: a tie.
Verdict answer_of(const Judge& judge, const Pair& pair) {
    const auto number = static_cast<std::uint64_t>(pair.id);
    if (pair.more.empty()) {
        return {judge.choose(pair.prompt, seen(pair.left), seen(pair.right), number)};
    }
    std::vector<JudgedReply> replies{seen(pair.left), seen(pair.right)};
    for (const Candidate& candidate : pair.more) {
        replies.push_back(seen(candidate));
    }
    const double first = judge.felt_score(pair.prompt, replies.front());
    if (std::all_of(replies.begin(), replies.end(),
                    [&](const JudgedReply& reply) { return judge.felt_score(pair.prompt, reply) == first; })) {
        return {Choice::tie};
    }
    return {Choice::ranking, Strength::clear, {judge.rank(pair.prompt, replies, number).front()}};
}

}  // namespace

SimulateResult simulate(const SimulateRequest& request, const EngineOptions& options, const Job& job,
                        const std::function<void(const SimulatedClick&)>& on_click,
                        const std::function<void(const Event&)>& on_event) {
    const auto judge = make_judge(request.judge, request.judge_options);
    if (request.clicks < 0) {
        throw ConfigError("simulate", "clicks " + std::to_string(request.clicks) + " is negative; choose 0 or more");
    }
    const std::string model_name = std::filesystem::path(request.model).stem().string();
    const std::vector<std::string> heldout = request.heldout.empty() ? heldout_prompts(model_name) : request.heldout;
    std::optional<TemporaryFolder> temporary;
    if (request.project.empty()) {
        temporary.emplace("simulate");
    }
    const std::string project = temporary ? (temporary->path() / "session.plumb").string() : request.project.string();

    EngineOptions engine_options = options;
    engine_options.sample_ahead = false;   // no reading time to use, and the order of events is fixed
    Engine engine(engine_options);
    Driver driver(engine, job, on_event);
    engine.post(NewSession{project, request.model, request.config, request.prompts});
    driver.until<SessionOpened>();

    SimulateResult result;
    engine.post(Evaluate{"before", heldout, request.heldout_samples, request.config.seed});
    const Evaluated before = driver.until<Evaluated>();
    const double median = median_score(*judge, heldout, before);
    result.before = judged_share(*judge, heldout, before, median);
    result.nll_before = reference_nll(before);
    result.replies_before = before.replies;

    Pair pair = driver.shown();
    int ties_in_a_row = 0;
    for (int click = 1; click <= request.clicks; ++click) {
        // As in the measured settings, a click is a preference: a pair that the judge cannot tell apart is marked as a
        // tie, and another one is drawn.
        const auto start = std::chrono::steady_clock::now();
        const Verdict answer = answer_of(*judge, pair);
        const Choice choice = answer.choice;
        engine.post(Vote{pair.id, answer});
        SimulatedClick told;
        std::optional<Pair> next;
        bool done = choice == Choice::skip;
        while (!done || !next) {
            const Event event = driver.next();
            if (const auto* fitted = std::get_if<RewardFitted>(&event.body)) {
                told.reward_accuracy = fitted->heldout_accuracy;
            } else if (const auto* metrics = std::get_if<MetricsAdded>(&event.body)) {
                for (const MetricPoint& point : metrics->points) {
                    if (point.name == "objective/kl") {
                        told.kl = point.value;
                    } else if (point.name == "reward/loss") {
                        told.reward_loss = point.value;
                    }
                }
            } else if (std::holds_alternative<ClickDone>(event.body)) {
                done = true;
            } else if (const auto* ready = std::get_if<PairReady>(&event.body)) {
                next = ready->pair;
            }
        }
        pair = std::move(*next);
        if (choice == Choice::tie || choice == Choice::skip) {
            ++result.ties;
            if (++ties_in_a_row == most_ties_in_a_row) {
                if (click == 1) {
                    throw Error("simulate", "the judge '" + request.judge + "' cannot tell the replies apart (" +
                                                std::to_string(ties_in_a_row) +
                                                " ties in a row); choose another judge, model or seed");
                }
                break;   // nothing is left to prefer
            }
            --click;
            continue;
        }
        ties_in_a_row = 0;
        told.click = click;
        result.clicks = click;
        told.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        on_click(told);
    }

    engine.post(Evaluate{"after", heldout, request.heldout_samples, request.config.seed});
    const Evaluated after = driver.until<Evaluated>();
    result.after = judged_share(*judge, heldout, after, median);
    result.kl = after.kl;
    result.nll_after = reference_nll(after);
    result.replies_after = after.replies;
    return result;
}

}  // namespace plumbline
