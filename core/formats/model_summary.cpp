#include "core/formats/model_summary.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "core/formats/safetensors.h"
#include "core/formats/text_lines.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

constexpr const char* operation = "open model";
constexpr std::uintmax_t longest_config = 16u << 20;
constexpr int card_lines = 200;  // of a README.md, in which its header stands

[[noreturn]] void fail(const fs::path& place, const std::string& what) {
    throw Error(operation, place.string() + ": " + what);
}

ModelSummary of_gguf(const fs::path& path) {
    const GgufFile file(path);
    ModelSummary summary;
    summary.family = file.find_text("general.architecture").value_or("");
    summary.licence = file.find_text("general.license").value_or("");
    for (const GgufTensor& tensor : file.tensors()) {
        summary.parameters += tensor.elements;
    }
    if (const GgufTensor* embedding = file.find_tensor("token_embd.weight")) {
        summary.embedding = embedding->elements;
    }
    summary.dtype = name_of(file.main_type());
    return summary;
}

/// The licence that the header of a model card names: "license: apache-2.0" between two lines of dashes.
std::string licence_of_card(const fs::path& card) {
    std::ifstream in(card);
    std::string line;
    if (!std::getline(in, line) || !line.starts_with("---")) {
        return "";
    }
    constexpr std::string_view key = "license:";
    for (int i = 0; i < card_lines && std::getline(in, line) && !line.starts_with("---"); ++i) {
        if (line.starts_with(key)) {
            const std::size_t begin = line.find_first_not_of(" \t\"'", key.size());
            const std::size_t end = line.find_last_not_of(" \t\r\"'");
            return begin == std::string::npos ? "" : line.substr(begin, end - begin + 1);
        }
    }
    return "";
}

std::vector<fs::path> weight_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        if (name.starts_with("model") && name.ends_with(".safetensors")) {
            files.push_back(it->path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

bool is_embedding(const std::string& name) {
    return name.ends_with("embed_tokens.weight") || name.ends_with("wte.weight") || name.ends_with("embed_in.weight");
}

ModelSummary of_folder(const fs::path& folder) {
    const fs::path config_file = folder / "config.json";
    std::error_code error;
    if (const std::uintmax_t size = fs::file_size(config_file, error); error || size > longest_config) {
        fail(config_file, error ? "there is no such file; choose a folder with config.json, *.safetensors and tokenizer.json"
                                : "is too large to be a configuration; the folder is damaged");
    }
    const nlohmann::json config = object_of(read_text(config_file, operation));
    if (!config.is_object()) {
        fail(config_file, "is not a JSON object; the file is damaged");
    }
    ModelSummary summary;
    if (const auto type = config.find("model_type"); type != config.end() && type->is_string()) {
        summary.family = type->get<std::string>();
    }
    summary.licence = licence_of_card(folder / "README.md");
    const std::vector<fs::path> files = weight_files(folder);
    if (files.empty()) {
        fail(folder, "has no model.safetensors (nor model-*.safetensors); add the weights in that format");
    }
    std::map<std::string, std::int64_t> of_type;
    for (const fs::path& path : files) {
        const SafetensorsFile file(path);
        for (const auto& [name, tensor] : file.tensors()) {
            std::int64_t elements = 1;
            for (const std::int64_t size : tensor.shape) {
                elements *= size;
            }
            summary.parameters += elements;
            of_type[tensor.dtype] += elements;
            if (is_embedding(name)) {
                summary.embedding += elements;
            }
        }
    }
    const auto most = std::max_element(of_type.begin(), of_type.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    summary.dtype = most == of_type.end() ? "" : most->first;
    return summary;
}

}  // namespace

ModelSummary read_model_summary(const fs::path& model) {
    std::error_code ignored;
    return fs::is_directory(model, ignored) ? of_folder(model) : of_gguf(model);
}

std::int64_t size_on_disk(const fs::path& model) {
    std::error_code error;
    if (!fs::is_directory(model, error)) {
        const std::uintmax_t size = fs::file_size(model, error);
        return error ? 0 : static_cast<std::int64_t>(size);
    }
    std::int64_t sum = 0;
    for (fs::directory_iterator it(model, error), end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        if (const std::uintmax_t size = it->is_regular_file(ignored) ? it->file_size(ignored) : 0; !ignored) {
            sum += static_cast<std::int64_t>(size);
        }
    }
    return sum;
}

}  // namespace plumbline
