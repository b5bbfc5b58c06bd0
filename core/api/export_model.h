#pragma once
// Models out: a policy as an adapter, or worked into a whole model. One-shot work as in offline.h.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

std::string_view name_of(ModelFormat format);
/// The types of weights that a format has, its usual one first; none for PEFT.
std::vector<std::string> weight_types(ModelFormat format);
/// Bytes that a merged model takes on the disk, about; of PEFT, whose adapter is small, 0.
std::int64_t merged_bytes(const ModelInfo& model, ModelFormat format, const std::string& type);
struct ExportModelRequest {
    std::filesystem::path project;   // its policy as it was saved last; or, when empty,
    std::string model;               // a model
    std::filesystem::path adapter;   // with a PEFT folder worked in; empty: as it is
    ModelFormat format{};
    std::string type;                // of the weights; empty: the usual one
    std::filesystem::path out;       // a folder, or a .gguf file
};
/// Whole or not at all. A merged model is W + scale * B A in f32 from the model's own file, one tensor in memory at a
/// time.
ExportModelResult export_model(const ExportModelRequest& request, const Job& job);

}  // namespace plumbline
