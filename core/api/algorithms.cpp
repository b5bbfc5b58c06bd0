#include "core/api/algorithms.h"

#include <array>

namespace plumbline {
namespace {

constexpr std::array<AlgorithmInfo, 14> entries = {{
    {Algorithm::dpo, "dpo", "DPO", "makes the chosen reply likelier than the rejected one, relative to the reference",
     "2305.18290 eq. 7", LearnsFrom::pairs},
    {Algorithm::cdpo, "cdpo", "cDPO", "DPO that believes a click to be wrong now and then",
     "DPO with label smoothing, Mitchell 2023", LearnsFrom::pairs},
    {Algorithm::robust_dpo, "robust-dpo", "Robust DPO", "DPO whose loss is unbiased under flipped clicks",
     "2403.00409 eq. 8", LearnsFrom::pairs},
    {Algorithm::ipo, "ipo", "IPO", "brings the log-ratio margin to a fixed target instead of to infinity",
     "2310.12036 eq. 17", LearnsFrom::pairs},
    {Algorithm::hinge, "hinge", "Hinge (SLiC)", "trains on a pair until its margin is large enough",
     "2305.10425 eq. 3", LearnsFrom::pairs},
    {Algorithm::kto, "kto", "KTO", "needs no pairs: each reply is desirable or not", "2402.01306 eq. 7",
     LearnsFrom::replies},
    {Algorithm::orpo, "orpo", "ORPO", "supervised learning of the chosen reply with an odds-ratio penalty, no reference",
     "2403.07691 eq. 6", LearnsFrom::pairs},
    {Algorithm::simpo, "simpo", "SimPO", "DPO on mean log-probabilities with a target margin, no reference",
     "2405.14734 eq. 6", LearnsFrom::pairs},
    {Algorithm::online_dpo, "online-dpo", "Online DPO",
     "DPO on replies that the policy writes now, the reward model chooses", "2402.04792", LearnsFrom::samples},
    {Algorithm::reinforce, "reinforce", "REINFORCE", "reward minus a running mean, the simplest policy gradient",
     "Williams 1992", LearnsFrom::samples},
    {Algorithm::rloo, "rloo", "RLOO", "reward minus the mean of the prompt's other samples", "2402.14740 eq. 7",
     LearnsFrom::samples},
    {Algorithm::grpo, "grpo", "GRPO", "rewards normalised within the prompt's group, KL in the loss",
     "2402.03300 eq. 3", LearnsFrom::samples},
    {Algorithm::ppo, "ppo", "PPO", "clipped steps with a learned value for every token", "1707.06347 eq. 7, 1909.08593",
     LearnsFrom::samples},
    {Algorithm::best_of_n, "best-of-n", "Best of N", "supervised learning of the best of N samples by the reward",
     "rejection sampling, 2307.09288 section 3.2.3", LearnsFrom::samples},
}};

}  // namespace

std::span<const AlgorithmInfo> algorithms() { return entries; }

const AlgorithmInfo& info(Algorithm algorithm) { return entries[static_cast<std::size_t>(algorithm)]; }

}  // namespace plumbline
