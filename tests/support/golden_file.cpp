#include "tests/support/golden_file.h"

#include <stdexcept>

#include "core/api/catalog.h"
#include "tests/support/gguf_writer.h"

namespace plumbline::testing {

std::filesystem::path golden_path(const std::string& name) {
    std::filesystem::path path = std::filesystem::path(PLUMBLINE_GOLDEN_DIR) / name;
    if (!std::filesystem::exists(path)) throw std::runtime_error(path.string() + " is missing");
    return path;
}

nlohmann::json golden_json(const std::string& name) {
    return nlohmann::json::parse(read_whole(golden_path(name)));
}

std::optional<std::filesystem::path> installed_smollm2() {
    for (const CatalogModel& model : catalog_models()) {
        if (model.name == "smollm2-135m-instruct" && model.installed) return model.path;
    }
    return std::nullopt;
}

}  // namespace plumbline::testing
