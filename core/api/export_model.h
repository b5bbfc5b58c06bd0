#pragma once
// Models out: a policy as an adapter, or worked into a whole model. One-shot work as in offline.h.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

enum class ModelFormat { peft, safetensors, gguf };
std::string_view name_of(ModelFormat format);
/// The types of weights that a format has, its usual one first; none for PEFT.
std::vector<std::string> weight_types(ModelFormat format);
struct ExportModelRequest {
    std::filesystem::path project;   // its policy as it was saved last; or, when empty,
    std::string model;               // a model
    std::filesystem::path adapter;   // with a PEFT folder worked in; empty: as it is
    ModelFormat format{};
    std::string type;                // of the weights; empty: the usual one
    std::filesystem::path out;       // a folder, or a .gguf file
};
struct ExportModelResult {
    std::string type;                // "f16"; empty for PEFT
    std::int64_t tensors = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> notes;  // what could not be as asked for, in words
};
/// Whole or not at all. A merged model is W + scale * B A in f32 from the model's own file, one tensor in memory at a
/// time.
ExportModelResult export_model(const ExportModelRequest& request, const Job& job);

}  // namespace plumbline
