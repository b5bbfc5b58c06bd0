#include "core/api/known_models.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace plumbline {
namespace {

constexpr const char* asks_first = "Hugging Face shows its licence first, to be accepted there.";
constexpr const char* older_format =
    "Its weights are published in PyTorch's older format: load it once with the transformers library and save it as "
    "safetensors (save_pretrained) into that folder.";

// Counts follow from each model's config.json, and agree with what its page states.
constexpr KnownModel table[] = {
    {"HuggingFaceTB/SmolLM2-135M-Instruct", "SmolLM2 135M Instruct", "llama", 134515008, 28311552, "Apache-2.0", ""},
    {"HuggingFaceTB/SmolLM2-360M-Instruct", "SmolLM2 360M Instruct", "llama", 361821120, 47185920, "Apache-2.0", ""},
    {"google/gemma-3-270m-it", "Gemma 3 270M", "gemma3", 268098176, 167772160, "Gemma terms", asks_first},
    {"Qwen/Qwen2.5-0.5B-Instruct", "Qwen2.5 0.5B Instruct", "qwen2", 494032768, 136134656, "Apache-2.0", ""},
    {"Qwen/Qwen3-0.6B", "Qwen3 0.6B", "qwen3", 596049920, 155582464, "Apache-2.0", ""},
    {"google/gemma-3-1b-it", "Gemma 3 1B", "gemma3", 999885952, 301989888, "Gemma terms", asks_first},
    {"TinyLlama/TinyLlama-1.1B-Chat-v1.0", "TinyLlama 1.1B Chat", "llama", 1100048384, 65536000, "Apache-2.0", ""},
    {"meta-llama/Llama-3.2-1B-Instruct", "Llama 3.2 1B Instruct", "llama", 1235814400, 262668288, "Llama 3.2",
     asks_first},
    {"allenai/OLMo-2-0425-1B-Instruct", "OLMo 2 1B Instruct", "olmo2", 1484916736, 205520896, "Apache-2.0", ""},
    {"google/gemma-2-2b-it", "Gemma 2 2B", "gemma2", 2614341888, 589824000, "Gemma terms", asks_first},
    {"HuggingFaceTB/SmolLM3-3B", "SmolLM3 3B", "smollm3", 3075098624, 262668288, "Apache-2.0", ""},
    {"microsoft/Phi-3-mini-4k-instruct", "Phi-3 mini 4k Instruct", "phi3", 3821079552, 98500608, "MIT", ""},
    {"mistralai/Mistral-7B-Instruct-v0.3", "Mistral 7B Instruct v0.3", "mistral", 7248023552, 134217728,
     "Apache-2.0", ""},
    {"openai-community/gpt2", "GPT-2 (124M)", "gpt2", 124439808, 38597376, "MIT", "It only continues text."},
    {"EleutherAI/pythia-160m", "Pythia 160M", "gpt_neox", 162322944, 38633472, "Apache-2.0", "It only continues text."},
    {"facebook/opt-125m", "OPT 125M", "opt", 125239296, 38608896, "OPT (research)", older_format},
};

/// "q4_k_m", "iq2_xxs", "f16", …: how a file's name ends in a quantisation.
bool names_a_quantisation(std::string_view text) {
    constexpr std::array<std::string_view, 6> plain = {"f16", "f32", "bf16", "fp16", "fp32", "mxfp4"};
    if (std::find(plain.begin(), plain.end(), text) != plain.end()) {
        return true;
    }
    for (const std::string_view letters : {"iq", "tq", "q"}) {
        if (text.starts_with(letters) && text.size() > letters.size() &&
            std::isdigit(static_cast<unsigned char>(text[letters.size()]))) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::span<const KnownModel> known_models() {
    return table;
}

std::string plain_model_name(const std::string& text) {
    std::string name = text.substr(text.find_last_of('/') + 1);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const std::size_t last = name.find_last_of("-.");
    if (last != std::string::npos && last > 0 && names_a_quantisation(std::string_view(name).substr(last + 1))) {
        name.resize(last);
    }
    return name;
}

std::string folder_of(const KnownModel& model) {
    const std::string id = model.hub_id;
    return id.substr(id.find_last_of('/') + 1);
}

}  // namespace plumbline
