#pragma once
// Settings, one struct an algorithm. Field names are the keys of `--config key=value` and of the project
// file. Every field states unit, range, default and source; `fields()` in config_fields.h lists the same
// for help texts, and `validate()` names the first field that is out of range.

#include <cstdint>
#include <string>

#include "core/api/algorithms.h"

namespace plumbline {

/// How two of the drawn candidates are chosen for the screen: the two that differ most (by the reward model, or by
/// their words before it knows enough), those of whose order the model is least sure, whose answer would teach it
/// most, whose rewards are closest, or any two.
enum class PairChoice { farthest, uncertainty, information, margin, random };

enum class OptimizerKind { adamw, sgd };
enum class KlPlace { reward, loss };           // the KL penalty lowers the reward, or is a term of the loss
enum class KlEstimator { k1, k3 };             // log-ratio, or exp(-k1) - 1 + k1
enum class Averaging { grpo, dr_grpo, dapo };  // of token losses: by sequence, by a constant, by the batch's tokens
enum class AdamForm { pytorch, tensorflow };   // epsilon after Adam's bias correction, or before it

/// How replies are drawn. Order of application: temperature, top-k, top-p, min-p.
struct SamplingConfig {
    int candidates = 4;        // replies drawn for one prompt, 2..16
    int shown = 2;             // of them on the screen, 2..6 and not more than are drawn
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

/// The exact linear head on mean-pooled middle-block activations, refitted at every click; and the trained one that
/// takes over from it.
struct LinearRewardConfig {
    double ridge = 10;             // precision of the Gaussian prior on standardised weights, 1e-6..1e6
    double length_scale = 0.25;    // weight of the standardised reply length as a feature, 0..10
    double strength_margin = 0.5;  // margin of a slight, clear, much better reply: minus this, 0, this; 0..10
    bool ties_as_half = false;     // a tie as half a preference each way instead of Rao and Kupper's
    double tie_threshold = 0;      // Rao-Kupper's theta, 1..1000; 0: learned from the ties (JASA 62, 1967)
    double heldout_share = 0;      // of the labels, kept from all training to measure the reward model, 0..0.5
    int trained_from = 200;        // labels from which LoRA on the lower blocks trains along, 0..1000000; 0: never
};

/// How the live session trains its policy after a click. recommended.h has measured values for each algorithm.
struct LiveConfig {
    Algorithm algorithm = Algorithm::dpo;
    OptimizerKind optimizer = OptimizerKind::adamw;
    double lr = 3e-4;          // learning rate, 0..10
    double beta = 0.1;         // KL weight (IPO: its tau), 0..100
    int steps_per_click = 1;   // 0..64; 0 collects labels only
    double clip_norm = 1;      // largest global gradient norm, 0..1e6; 0: no clipping
    double kl_limit = 4.0;     // nats a reply, 0.1..1000: the rate falls from half of it on, above it the
                               // policy shrinks towards the reference
    // Direct preference losses
    int replay_pairs = 3;          // earlier pairs that join the new one in a step, 0..64
    double label_smoothing = 0.1;  // cDPO, robust DPO: share of wrong clicks assumed, 0..0.49
    double simpo_gamma = 0.5;      // SimPO's target margin, 0..100
    double orpo_lambda = 0.1;      // ORPO's weight of the odds ratio, 0..100
    double desirable_weight = 1;   // KTO, 0..100
    double undesirable_weight = 1; // KTO, 0..100
    // From samples
    std::string reward = "model";  // sum of the reward model and rules, as judges.md has it
    int prompts = 2;               // a step, 1..64
    int group_size = 4;            // samples a prompt, 2..64
    KlPlace kl_in = KlPlace::reward;
    KlEstimator kl_estimator = KlEstimator::k1;
    double kl_target = 0;          // nats a reply for an adaptive KL weight, 0..1000; 0: it stays fixed
    double clip_range = 0.2;       // ratio kept in 1 +- this, 0.01..10
    int epochs = 1;                // GRPO, PPO: passes over one batch of samples, 1..16
    int minibatches = 1;           // PPO: a pass, 1..64
    Averaging averaging = Averaging::grpo;   // GRPO
    double entropy_bonus = 0;      // 0..10
    double missing_eos_reward = -1;  // replaces the score of a reply without EOS, -100..100
    double value_lr = 1e-2;        // PPO: learning rate of the value head, 0..10
    double gae_lambda = 0.95;      // PPO, 0..1
    double collapse_guard = 1;     // 0 is off; larger allows more drift of length, repetition, entropy: 0..10
};

/// All settings of a session. `seed` and the event log reproduce it.
struct SessionConfig {
    std::uint64_t seed = 0;
    std::string system_prompt = "You are a helpful assistant. Answer in one or two short sentences.";
    std::string chat_template;  // Jinja text in place of the model's own, fixed for a session; empty: that
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
