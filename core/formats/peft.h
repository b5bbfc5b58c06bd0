#pragma once
// PEFT's LoRA folder: adapter_config.json + adapter_model.safetensors, as `peft` 0.21 reads and writes it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace plumbline {

struct PeftMatrix {
    std::vector<std::int64_t> shape;     // lora_A: (r, in); lora_B: (out, r)
    std::vector<float> values;           // row-major
};

struct PeftAdapter {
    int rank = 0;
    double alpha = 0;
    bool rslora = false;                 // scale alpha/sqrt(rank) instead of alpha/rank
    bool fan_in_fan_out = false;         // the adapted matrices lie on their side (GPT-2)
    std::string task_type = "CAUSAL_LM"; // "SEQ_CLS" for a reward model
    std::string base_model;
    std::vector<std::string> target_modules;   // {"q_proj", …}: last parts of the paths in `lora`
    std::vector<int> layers_to_transform;      // blocks; empty: all from 0 on that `lora` has
    /// Keyed by module path and part, as the family has them: "model.layers.3.self_attn.q_proj.lora_A", "….lora_B".
    std::map<std::string, PeftMatrix> lora;
    /// Whole modules (modules_to_save): "score.weight" (1, hidden).
    std::map<std::string, PeftMatrix> saved;
};

/// Throws Error "read adapter: <folder>: …" for a damaged or unsupported one (it names the setting). Each lora_A
/// has its lora_B, both of the rank; every value is finite; a SEQ_CLS adapter has its score head. Ranks and alphas that
/// differ by module (rank_pattern, alpha_pattern) come as the highest rank, filled up with zeros, and one alpha. Whether
/// the shapes fit a model is for the caller to check.
PeftAdapter read_peft(const std::filesystem::path& folder);
/// Both files are written beside their place and renamed.
void write_peft(const std::filesystem::path& folder, const PeftAdapter& adapter);

}  // namespace plumbline
