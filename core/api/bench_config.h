#pragma once
// What a measurement of speed and memory runs, and what it gives.

#include <algorithm>
#include <map>
#include <string>

namespace plumbline {

enum class BenchWhat {
    sample, logprobs, sft, reward, dpo, ipo, cdpo, robust_dpo, hinge, kto, orpo, simpo, reinforce, rloo, grpo, ppo,
    click
};

struct BenchConfig {
    int repeats = 5;          // measured steps, 1..1000, after one that warms up
    int candidates = 8;       // replies of sample, 1..256, and of steps on samples, 2..256
    int max_new_tokens = 48;  // of such a reply, 1..4096; each runs its full length in sample
    int prompt_tokens = 40;   // of their prompt, 1..65536
    int pairs = 4;            // of a step on pairs, 1..256; sft and kto take both replies of each alone
    int pair_tokens = 55;     // of each reply of a pair with its prompt, 2..65536
    int lora_rank = 16;       // 1..256, on every linear layer; scale 2

    /// Of a pair's tokens, those of the prompt that its replies share.
    int pair_prompt_tokens() const { return std::min(20, pair_tokens / 2); }
};
/// Throws ConfigError naming the field, the value and its range.
void validate(const BenchConfig& config, BenchWhat what);

struct BenchResult {
    double tokens_per_s = 0;
    double step_median = 0, step_min = 0, step_max = 0;   // seconds
    double rss_mb = 0;                                    // resident, at its peak, 2^20 bytes
    double forecast_mb = 0;                               // what was foretold of it, 2^20 bytes
    int threads = 0;
    std::string dtype;
    std::map<std::string, double> extra;                  // click: label_ms, next_pair_ms
};

}  // namespace plumbline
