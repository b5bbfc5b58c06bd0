#pragma once
// The list of models that lie where the person keeps them: models.json of the data folder.

#include <filesystem>
#include <string>
#include <vector>

namespace plumbline {

struct OwnModel {
    std::string name;
    std::filesystem::path path;
};

/// Empty where there is no list. Throws Error "list models: <file>: …" for a damaged one.
std::vector<OwnModel> read_own_models(const std::filesystem::path& list);
/// Written beside its place and renamed.
void write_own_models(const std::filesystem::path& list, const std::vector<OwnModel>& models);

}  // namespace plumbline
