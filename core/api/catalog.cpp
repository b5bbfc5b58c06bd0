#include "core/api/catalog.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"
#include "core/formats/gguf.h"
#include "core/lab/memory_need.h"
#include "embedded/model_courtesy.h"
#include "embedded/prompts_courtesy.h"
#include "embedded/prompts_courtesy_heldout.h"
#include "embedded/prompts_everyday.h"
#include "embedded/prompts_heldout.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

constexpr const char* smollm_file = "SmolLM2-135M-Instruct.Q4_1.gguf";

CatalogModel smollm(const fs::path& models) {
    CatalogModel model;
    model.name = "smollm2-135m-instruct";
    model.title = "SmolLM2 135M Instruct";
    model.path = models / smollm_file;
    std::error_code ignored;
    model.installed = fs::is_regular_file(model.path, ignored);
    model.parameters = 134515008;
    model.memory_bytes = memory::session_estimate(model.parameters, std::int64_t{49152} * 576, Precision::f32);
    model.licence = "Apache-2.0";
    if (!model.installed) {
        model.how_to_get = "Run packaging/run.sh once; it downloads the model (93 MB).";
    }
    return model;
}

constexpr const char* courtesy_name = "courtesy";

/// The bundled model. Its folder is named by its content: a project made with an older one still finds its
/// own.
CatalogModel courtesy() {
    CatalogModel model;
    model.name = courtesy_name;
    model.title = "Courtesy (tiny, bundled)";
    model.path = data_folder() / "bundled" / std::string(resources::model_courtesy_sha256.substr(0, 12)) /
                 "courtesy.gguf";
    model.parameters = 536704;
    model.memory_bytes = memory::session_estimate(model.parameters, std::int64_t{1100} * 128, Precision::f32);
    model.licence = "GPL-3.0";
    try {
        std::error_code error;
        if (fs::file_size(model.path, error) != resources::model_courtesy.size() || error) {
            fs::create_directories(model.path.parent_path());
            write_atomically(model.path, {resources::model_courtesy}, "unpack courtesy");
        }
        model.installed = true;
    } catch (const std::exception& error) {
        model.how_to_get = std::string("It could not be unpacked (") + error.what() +
                           "); make room or set PLUMBLINE_DATA_DIR.";
    }
    return model;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

/// A .gguf file that somebody put into the models folder. A damaged one is listed with its reason.
CatalogModel found_file(const fs::path& file) {
    CatalogModel model;
    model.name = lower(file.stem().string());
    model.title = file.stem().string();
    model.path = file;
    try {
        const GgufFile gguf(file);
        model.title = gguf.find_text("general.name").value_or(model.title);
        model.licence = gguf.find_text("general.license").value_or("");
        for (const GgufTensor& tensor : gguf.tensors()) {
            model.parameters += tensor.elements;
        }
        const GgufTensor* embedding = gguf.find_tensor("token_embd.weight");
        model.memory_bytes = memory::session_estimate(
            model.parameters, embedding == nullptr ? 0 : embedding->elements, Precision::f32);
        model.installed = true;
    } catch (const Error& error) {
        model.how_to_get = error.what();
    }
    return model;
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (const std::string_view line = text.substr(0, end); !line.empty()) {
            out.emplace_back(line);
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

}  // namespace

fs::path data_folder() {
    if (const std::string folder = environment("PLUMBLINE_DATA_DIR"); !folder.empty()) {
        return folder;
    }
    // The XDG specification: a relative path there is invalid and ignored.
    if (const fs::path folder = environment("XDG_DATA_HOME"); folder.is_absolute()) {
        return folder / "plumbline";
    }
    const std::string home = environment("HOME");
    if (home.empty()) {
        throw Error("data folder", "HOME is not set; set it or PLUMBLINE_DATA_DIR");
    }
    return fs::path(home) / ".local" / "share" / "plumbline";
}

std::vector<CatalogModel> catalog_models() {
    const fs::path models = data_folder() / "models";
    std::vector<CatalogModel> out = {smollm(models), courtesy()};
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator it(models, error), end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        if (it->path().extension() == ".gguf" && it->path().filename() != smollm_file &&
            it->is_regular_file(ignored)) {
            files.push_back(it->path());
        }
    }
    std::sort(files.begin(), files.end());
    std::transform(files.begin(), files.end(), std::back_inserter(out), found_file);
    return out;
}

fs::path resolve_model(const std::string& name_or_path) {
    std::string names;
    for (const CatalogModel& model : catalog_models()) {
        if (model.name == name_or_path) {
            // A damaged file is returned all the same: opening it tells what is wrong.
            if (std::error_code ignored; !model.installed && !fs::exists(model.path, ignored)) {
                throw Error("open model", name_or_path + " is not installed in " +
                                              model.path.parent_path().string() + "; " + model.how_to_get);
            }
            return model.path;
        }
        names += (names.empty() ? "" : ", ") + model.name;
    }
    std::error_code ignored;
    if (const fs::path path = name_or_path; !path.empty() && fs::exists(path, ignored)) {
        return path;
    }
    throw Error("open model",
                "there is no model or file '" + name_or_path + "'; use a .gguf file or one of " + names);
}

std::vector<std::string> bundled_prompts(const std::string& model) {
    return lines_of(model == courtesy_name ? resources::prompts_courtesy : resources::prompts_everyday);
}

std::vector<std::string> heldout_prompts(const std::string& model) {
    return lines_of(model == courtesy_name ? resources::prompts_courtesy_heldout
                                           : resources::prompts_heldout);
}

}  // namespace plumbline
