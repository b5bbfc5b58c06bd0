// What the engine does when no command waits: fill the screen, learn from clicks, draw ahead, learn from files.

#include <ATen/ATen.h>

#include "core/lab/engine_loop.h"
#include "core/training/adamw.h"

namespace plumbline {

// With a person in front, a pair on the screen comes first; without one (nothing is drawn ahead), learning does, so
// that the next pair is written by the newest policy.
bool EngineLoop::work() {
    if (!session_) {
        return false;
    }
    if (options_.sample_ahead) {
        return fill_screen() || learn_pending() || draw_ahead() || learn_imports();
    }
    return learn_pending() || fill_screen() || learn_imports();
}

void EngineLoop::show_or_draw() {
    if (const std::int64_t pair = session_->waiting_pair_for(session_->current_prompt())) {
        session_->show(pair);
        screen_wanted_ = false;
        return;
    }
    // Drawn ahead just now for this prompt: the person sees the rest of it being written.
    if (activity_ == Activity::sampling_ahead && stream_.prompt == session_->current_prompt()) {
        begin_stream_on_screen();
    }
}

void EngineLoop::begin_stream_on_screen() {
    stream_.on_screen = true;
    emit(SamplingStarted{stream_.prompt, session_->prompt_text(stream_.prompt), static_cast<int>(stream_.texts.size()),
                         session_->config().sampling.max_new_tokens});
    for (std::size_t sample = 0; sample < stream_.texts.size(); ++sample) {
        if (stream_.tokens[sample] > 0) {
            emit(TokensStreamed{static_cast<int>(sample), stream_.texts[sample], stream_.tokens[sample],
                                stream_.ended[sample]});
        }
    }
    publish(Activity::sampling, snapshot().text, -1);
}

void EngineLoop::stream(int sample, const std::string& text, int tokens, bool ended) {
    stream_.texts[sample] += text;
    stream_.tokens[sample] = tokens;
    stream_.ended[sample] = ended;
    if (stream_.on_screen) {
        emit(TokensStreamed{sample, text, tokens, ended});
    }
}

JobEnd EngineLoop::draw(std::int64_t prompt, Activity activity) {
    const SamplingConfig& sampling = session_->config().sampling;
    stream_ = {};
    stream_.prompt = prompt;
    stream_.texts.resize(sampling.candidates);
    stream_.tokens.assign(sampling.candidates, 0);
    stream_.ended.assign(sampling.candidates, false);
    stream_.start = std::chrono::steady_clock::now();
    const std::string name = (activity == Activity::sampling ? "Sampling " : "Sampling ahead ") +
                             std::to_string(sampling.candidates) + " × " + std::to_string(sampling.max_new_tokens) +
                             " tokens";
    if (activity == Activity::sampling) {
        begin_stream_on_screen();
    }
    return run_job(name, activity, [&](const Pulse& pulse) {
        session_->draw(prompt, pulse, [this](int sample, const std::string& text, int tokens, bool ended) {
            stream(sample, text, tokens, ended);
        });
    });
}

bool EngineLoop::fill_screen() {
    if (!screen_wanted_ || session_->current_prompt() == 0) {
        return false;
    }
    show_or_draw();
    if (!screen_wanted_) {
        return true;
    }
    const JobEnd end = draw(session_->current_prompt(), Activity::sampling);
    if (end == JobEnd::done) {
        show_or_draw();
    } else if (!interrupted_) {
        screen_wanted_ = false;   // stopped or failed: the person says when to go on
        emit(SamplingStopped{});
    }
    return true;
}

bool EngineLoop::learn_pending() {
    const auto label = session_->pending();
    if (paused_ || !label) {
        return false;
    }
    learn("Learning from your vote", *label, [&](const Pulse& pulse) { session_->learn(*label, pulse); });
    return true;
}

// Last of all, with the screen filled: the pairs drawn ahead tell how far the policy has moved by it.
bool EngineLoop::learn_imports() {
    const int pending = paused_ || session_->shown() == 0 ? 0 : session_->pending_imports();
    if (pending == 0) {
        return false;
    }
    learning_imports_ = true;
    learn("Learning from imported answers, " + std::to_string(pending) + " to go", 0,
          [&](const Pulse& pulse) { session_->learn_imports(pulse); });
    learning_imports_ = false;
    return true;
}

void EngineLoop::learn(const std::string& name, std::int64_t label, const std::function<void(const Pulse&)>& body) {
    const std::string what = label == 0 ? "these answers" : "this vote";
    std::string halted;
    const JobEnd end = run_job(name, Activity::training, [&](const Pulse& pulse) {
        try {
            body(pulse);
        } catch (const NonFinite& error) {
            halted = std::string("train: ") + error.what() + "; the weights are as before " + what +
                     ". Lower the rate" + (label == 0 ? "" : ", or undo the vote") + ", then resume training";
        } catch (const Collapsed& collapsed) {
            halted = std::string("train: ") + collapsed.what() + "; the weights are as before " + what;
        }
    });
    if (!halted.empty()) {
        paused_ = true;
        emit(TrainingHalted{label, halted});
    } else if (end != JobEnd::done && !interrupted_) {
        paused_ = true;   // it stays and is learned when training goes on
    }
}

// Two pairs wait: a person may vote twice while the first vote is being learned. The nearer one is kept fresh.
bool EngineLoop::draw_ahead() {
    if (session_->shown() == 0 || ahead_stopped_) {
        return false;
    }
    std::int64_t prompt = session_->current_prompt();
    for (const bool nearest : {true, false}) {
        prompt = session_->next_prompt(prompt);
        const std::int64_t waiting = session_->waiting_pair_for(prompt);
        if (waiting != 0 && !(nearest && session_->is_stale(waiting))) {
            continue;
        }
        const JobEnd end = draw(prompt, Activity::sampling_ahead);
        if (end == JobEnd::done && waiting != 0) {
            session_->discard_if_waiting(waiting);   // written by an older policy; kept until the new one was there
        }
        ahead_stopped_ = end != JobEnd::done && !interrupted_;
        if (ahead_stopped_ && stream_.on_screen) {   // the person saw it being written
            screen_wanted_ = false;
            emit(SamplingStopped{});
        }
        return true;
    }
    return false;
}

}  // namespace plumbline
