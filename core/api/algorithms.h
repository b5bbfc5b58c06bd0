#pragma once
// The ways in which a policy learns from clicks, by name. One line an algorithm in algorithms.cpp.

#include <span>
#include <string_view>

namespace plumbline {

enum class Algorithm {
    dpo, cdpo, robust_dpo, ipo, hinge, kto, orpo, simpo, online_dpo, reinforce, rloo, grpo, ppo, best_of_n
};

/// What a step trains on: the person's pairs, single replies that were liked or not, or replies that the policy
/// writes now and a reward scores.
enum class LearnsFrom { pairs, replies, samples };

struct AlgorithmInfo {
    Algorithm algorithm{};
    std::string_view name;      // of settings and the command line, "robust-dpo"
    std::string_view title;     // for people, "Robust DPO"
    std::string_view summary;   // one sentence
    std::string_view source;    // paper and equation
    LearnsFrom learns_from{};
};

/// All of them, in the order of the enum.
std::span<const AlgorithmInfo> algorithms();
const AlgorithmInfo& info(Algorithm algorithm);

}  // namespace plumbline
