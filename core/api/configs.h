#pragma once
// Settings, one struct an algorithm. Field names are the keys of `--config key=value` and of the project
// file. Every field states unit, range, default and source; `fields()` in config_fields.h lists the same
// for help texts, and `validate()` names the first field that is out of range.

#include <cstdint>
#include <string>

namespace plumbline {

enum class Algorithm { dpo, rloo };
enum class PairChoice { farthest, random };  // how two of the drawn candidates are chosen for the screen

/// How replies are drawn. Order of application: temperature, top-k, top-p, min-p.
struct SamplingConfig {
    int candidates = 4;        // replies drawn for one prompt, 2..16; two of them are shown
    int max_new_tokens = 48;   // tokens, 1..4096; a reply that reaches it ends as `length`
    double temperature = 0.9;  // 0..5; 0 is greedy
    int top_k = 0;             // tokens kept, 0..1000000; 0 keeps all
    double top_p = 0.95;       // probability mass kept, 0..1; 1 keeps all
    double min_p = 0.0;        // least probability relative to the likeliest token, 0..1; 0 keeps all
    PairChoice pair_choice = PairChoice::farthest;
};

/// What of the policy trains: low-rank adapters, or every weight (small models only, up to 20 million).
enum class Weights { automatic, lora, all };

/// Low-rank adapters on the linear layers of the blocks from `lora_first_block` on (LoRA, 2106.09685).
struct LoraConfig {
    Weights weights = Weights::automatic;   // automatic: all of a model of up to 5 million, else lora
    int lora_rank = 8;          // 1..256
    double lora_alpha = 16;     // scale = alpha / rank; 0..4096
    int lora_first_block = -1;  // first adapted block, 0..blocks-1; -1: the upper half of the blocks
};

/// The exact linear head on mean-pooled middle-block activations, refitted at every click.
struct LinearRewardConfig {
    double ridge = 10;             // precision of the Gaussian prior on standardised weights, 1e-6..1e6
    double length_scale = 0.25;    // weight of the standardised reply length as a feature, 0..10
};

/// How the live session trains its policy after a click.
struct LiveConfig {
    Algorithm algorithm = Algorithm::dpo;
    int steps_per_click = 1;   // optimiser steps, 0..64; 0 collects labels only
    double kl_limit = 4.0;     // nats a reply, 0.1..1000: the rate falls from half of it on, above it the
                               // adapter shrinks towards the reference
    // DPO
    double dpo_lr = 3e-4;      // 0..10
    double dpo_beta = 0.1;     // 0..100
    int replay_pairs = 3;      // earlier pairs that join the new one in a step, 0..64
    // RLOO
    double rloo_lr = 6e-4;     // 0..10
    double rloo_beta = 0.1;    // KL weight in the reward, 0..100
    int rloo_prompts = 2;      // prompts a step, 1..64
    int rloo_group = 4;        // samples a prompt, 2..64
    double missing_eos_reward = -1;  // -100..100
};

/// All settings of a session. `seed` and the event log reproduce it.
struct SessionConfig {
    std::uint64_t seed = 0;
    std::string system_prompt = "You are a helpful assistant. Answer in one or two short sentences.";
    bool blind = true;          // rewards stay hidden until the vote
    bool shuffle_sides = true;  // which card is left is drawn at random
    SamplingConfig sampling;
    LoraConfig lora;
    LinearRewardConfig reward;
    LiveConfig live;
};

// Each throws ConfigError naming the field, the value and its range.
void validate(const SamplingConfig& config);
void validate(const LoraConfig& config);
void validate(const SessionConfig& config);

}  // namespace plumbline
