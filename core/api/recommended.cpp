#include "core/api/recommended.h"

namespace plumbline {
namespace {

// SmolLM2-135M with LoRA r 8 on the upper half of the blocks, AdamW.
void recommend_for_adapters(LiveConfig& live) {
    live.optimizer = OptimizerKind::adamw;
    live.kl_limit = 4;
    live.steps_per_click = 1;
    live.replay_pairs = 3;
    live.prompts = 2;
    live.group_size = 4;
    live.lr = info(live.algorithm).learns_from == LearnsFrom::samples ? 6e-4 : 3e-4;
    live.beta = 0.1;
}

// courtesy, half a million weights, all of them trained by plain SGD: it moves what the pairs have in common, where
// Adam's scaling by weight breaks fluency before tone moves.
void recommend_for_all_weights(LiveConfig& live) {
    live.optimizer = OptimizerKind::sgd;
    live.kl_limit = 8;
    live.steps_per_click = 3;
    live.replay_pairs = 15;
    live.prompts = 8;
    live.group_size = 4;
    live.lr = 0.02;
    live.beta = 0.5;
    switch (live.algorithm) {
        case Algorithm::ipo:
        case Algorithm::robust_dpo:
        case Algorithm::kto: break;
        case Algorithm::dpo:
        case Algorithm::cdpo: live.steps_per_click = 4; break;
        case Algorithm::hinge:                                   // no gradient from margins beyond 1 / beta
            live.lr = 0.05;
            live.beta = 0.2;
            break;
        case Algorithm::simpo: live.beta = 2; break;             // of means, not sums
        case Algorithm::orpo: live.lr = 0.05; break;
        case Algorithm::ppo:
            live.lr = 0.5;            // advantages are whitened over tokens: smaller steps than RLOO's at the same rate
            live.beta = 0.1;
            live.gae_lambda = 1;      // replies are short, and the value head knows little after a few clicks
            break;
        case Algorithm::grpo:
            live.lr = 0.3;
            live.beta = 0.15;         // advantages of deviation 1 feel the leash more
            break;
        case Algorithm::reinforce:
            live.lr = 0.2;
            live.beta = 0.15;
            break;
        default:                      // from samples
            live.lr = 0.2;
            live.beta = 0.2;
    }
}

}  // namespace

bool trains_all_weights(const LoraConfig& config, std::int64_t parameters) {
    constexpr std::int64_t small_model = 5'000'000;
    return config.weights == Weights::all || (config.weights == Weights::automatic && parameters <= small_model);
}

void recommend(SessionConfig& config, std::int64_t parameters) {
    LiveConfig live;   // the defaults of what the algorithm does not set
    live.algorithm = config.live.algorithm;
    live.reward = config.live.reward;
    live.collapse_guard = config.live.collapse_guard;
    if (trains_all_weights(config.lora, parameters)) {
        recommend_for_all_weights(live);
    } else {
        recommend_for_adapters(live);
    }
    config.live = live;
}

}  // namespace plumbline
