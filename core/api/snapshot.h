#pragma once
// The engine's state at a glance: latest wins, made to be polled at about 30 Hz.

#include <cstdint>
#include <string>

namespace plumbline {

enum class Activity { no_session, loading, sampling, sampling_ahead, training, evaluating, exchanging, idle };

struct Snapshot {
    std::uint64_t run = 0;
    Activity activity = Activity::no_session;
    std::string text;              // "Sampling 4 x 48 tokens for prompt 12"
    double progress = -1;          // 0..1; below 0: nothing to show
    double tokens_per_second = 0;  // of the sampling under way or last done
    std::int64_t memory_bytes = 0; // resident
    std::int64_t memory_total = 0; // of the machine
    std::string device = "CPU";
    int threads = 0;
    int labels = 0;                // that stand, ties and skips included
    int usable_labels = 0;         // that the reward model learns from
    int policy_steps = 0;
    double kl = 0;                 // nats a reply, mean of the latest samples
    int pending_clicks = 0;        // recorded, not yet trained
    int pairs_ahead = 0;           // sampled and waiting
    bool training_paused = false;
    std::int64_t saved_unix_time = 0;  // last commit to the project file; 0: none
};

}  // namespace plumbline
