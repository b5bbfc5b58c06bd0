#pragma once
// Well-known small open models of the families that this program reads.

#include <cstdint>
#include <span>
#include <string>

namespace plumbline {

struct KnownModel {
    const char* hub_id;       // its name at Hugging Face
    const char* title;
    const char* family;       // as ModelFiles names it
    std::int64_t parameters;  // a tied output counted once
    std::int64_t embedding;   // of them, in the embedding
    const char* licence;
    const char* note;         // what else to know before fetching it; may be empty
};

std::span<const KnownModel> known_models();

/// The catalogue's name of a hub id or a file's stem: lower case, without owner and quantisation.
/// "HuggingFaceTB/SmolLM2-360M-Instruct" and "SmolLM2-360M-Instruct.Q4_K_M" are both "smollm2-360m-instruct".
std::string plain_model_name(const std::string& text);

/// Without the owner: "SmolLM2-360M-Instruct".
std::string folder_of(const KnownModel& model);

}  // namespace plumbline
