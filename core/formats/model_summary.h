#pragma once
// What a model's files say of it before any weight is read: for lists of models.

#include <cstdint>
#include <filesystem>
#include <string>

namespace plumbline {

struct ModelSummary {
    std::string family, licence;     // empty: not said
    std::string dtype;               // of most weights: "Q4_1", "BF16"
    std::int64_t parameters = 0;
    std::int64_t embedding = 0;      // of them, in the token embedding
};

/// Of a .gguf file or a Hugging Face folder, from their headers. Throws Error "open model: <place>: …".
ModelSummary read_model_summary(const std::filesystem::path& model);

/// Bytes on the disk: of a file, or of the files directly in a folder.
std::int64_t size_on_disk(const std::filesystem::path& model);

}  // namespace plumbline
