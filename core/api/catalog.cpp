#include "core/api/catalog.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <system_error>

#include "core/api/errors.h"
#include "core/api/known_models.h"
#include "core/api/own_models.h"
#include "core/formats/atomic_file.h"
#include "core/formats/model_files.h"
#include "core/lab/memory_need.h"
#include "core/model/processor.h"
#include "core/store/file_lock.h"
#include "core/text/chat_template.h"
#include "embedded/model_courtesy.h"
#include "embedded/prompts_courtesy.h"
#include "embedded/prompts_courtesy_heldout.h"
#include "embedded/prompts_everyday.h"
#include "embedded/prompts_heldout.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

constexpr const char* courtesy_name = "courtesy";
constexpr const char* fetched_name = "smollm2-135m-instruct";  // by packaging/run.sh
constexpr const char* fetched_file = "SmolLM2-135M-Instruct.Q4_1.gguf";

void set_memory(CatalogModel& model, std::int64_t embedding) {
    model.memory_f32 = memory::session_estimate(model.parameters, embedding, Precision::f32, has_tiles());
    model.memory_bf16 = memory::session_estimate(model.parameters, embedding, Precision::bf16, has_tiles());
}

/// The bundled model. Its folder is named by its content: a project made with an older one still finds its
/// own.
CatalogModel courtesy() {
    CatalogModel model;
    model.name = courtesy_name;
    model.title = "Courtesy (tiny, bundled)";
    model.source = ModelSource::bundled;
    model.path = data_folder() / "bundled" / std::string(resources::model_courtesy_sha256.substr(0, 12)) /
                 "courtesy.gguf";
    model.family = "llama";
    model.parameters = 536704;
    set_memory(model, std::int64_t{1100} * 128);
    model.licence = "GPL-3.0";
    try {
        std::error_code error;
        if (fs::file_size(model.path, error) != resources::model_courtesy.size() || error) {
            fs::create_directories(model.path.parent_path());
            write_atomically(model.path, {resources::model_courtesy}, "unpack courtesy");
        }
        model.installed = true;
    } catch (const std::exception& error) {
        model.problem = std::string("It could not be unpacked (") + error.what() +
                        "); make room or set PLUMBLINE_DATA_DIR.";
    }
    return model;
}

CatalogModel absent(const KnownModel& known, const fs::path& models) {
    CatalogModel model;
    model.name = plain_model_name(known.hub_id);
    model.title = known.title;
    model.family = known.family;
    model.parameters = known.parameters;
    set_memory(model, known.embedding);
    model.licence = known.licence;
    model.hub_id = known.hub_id;
    if (model.name == fetched_name) {
        model.source = ModelSource::installed;
        model.path = models / fetched_file;
        model.how_to_get = "Run packaging/run.sh once; it downloads the model (93 MB).";
        return model;
    }
    model.path = models / folder_of(known);
    model.how_to_get = "Get " + model.hub_id +
                       " from Hugging Face (config.json, tokenizer.json, tokenizer_config.json and every .safetensors "
                       "file) and put it into " +
                       model.path.string() + ".";
    if (*known.note != '\0') {
        model.how_to_get += std::string(" ") + known.note;
    }
    return model;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

/// A name of its own beside `names`: "tiny", "tiny-2", ….
std::string unused_name(const std::string& wanted, const std::set<std::string>& names) {
    std::string name = wanted;
    for (int i = 2; names.contains(name); ++i) {
        name = wanted + "-" + std::to_string(i);
    }
    return name;
}

std::string stem_of(const fs::path& path) {
    return path.extension() == ".gguf" ? path.stem().string() : path.filename().string();
}

std::vector<fs::path> models_in(const fs::path& folder) {
    std::vector<fs::path> out;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (looks_like_model(it->path())) {
            out.push_back(it->path());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// Collects the catalogue in its order; every name stands once.
class Listing {
  public:
    explicit Listing(const fs::path& models) : models_(models) {}

    /// A file of the models folder; one that a known model is made of takes its name.
    void add_found(const fs::path& path) {
        const std::string stem = stem_of(path), plain = plain_model_name(stem);
        CatalogModel model;
        const auto known = std::find_if(known_models().begin(), known_models().end(), [&](const KnownModel& each) {
            return plain_model_name(each.hub_id) == plain;
        });
        if (known != known_models().end() && !names_.contains(plain)) {
            model = absent(*known, models_);
            model.how_to_get.clear();
        } else {
            model.name = unused_name(lower(stem), names_);
            model.title = stem;
        }
        model.path = path;
        model.source = ModelSource::installed;
        model.installed = true;
        add(std::move(model));
    }

    void add_own(const OwnModel& own) {
        CatalogModel model;
        model.name = unused_name(own.name, names_);
        model.title = stem_of(own.path);
        model.path = own.path;
        model.source = ModelSource::own;
        std::error_code ignored;
        model.installed = fs::exists(own.path, ignored);
        if (!model.installed) {
            model.problem = own.path.string() + " is missing; put it back, or take it off the list";
        }
        add(std::move(model));
    }

    void add(CatalogModel model) {
        names_.insert(model.name);
        out_.push_back(std::move(model));
    }
    bool has(const std::string& name) const { return names_.contains(name); }
    std::vector<CatalogModel> take() { return std::move(out_); }

  private:
    fs::path models_;
    std::set<std::string> names_;
    std::vector<CatalogModel> out_;
};

/// Of a file, or of the files directly in a folder.
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

fs::path list_of_own() {
    return data_folder() / "models.json";
}

/// From before the list is read until it is written: what another program adds meanwhile would be lost.
FileLock lock_list_of_own(const char* operation) {
    std::error_code ignored;   // what cannot be made, cannot be locked either
    fs::create_directories(data_folder(), ignored);
    return FileLock(list_of_own(), operation, Busy::waits);
}

/// What its header says, where that is more than was known.
void read_header(CatalogModel& model) {
    if (!model.installed) {
        return;
    }
    model.size_bytes = size_on_disk(model.path);
    try {
        const ModelFiles files(model.path);
        model.family = files.family().name;
        model.parameters = files.config().parameters();
        model.file_dtype = files.main_type();
        set_memory(model, files.config().vocab * files.config().hidden);
        const ChatTemplate chat = chat_template_of(files.chat_template(), *files.tokenizer());
        model.chat_template = chat.name();
        model.chat_template_note = chat.note();
        if (model.licence.empty()) {
            model.licence = files.licence();
        }
    } catch (const Error& error) {
        model.installed = false;
        model.problem = error.what();
    }
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

bool looks_like_model(const fs::path& path) {
    std::error_code ignored;
    return path.extension() == ".gguf" ? fs::is_regular_file(path, ignored)
                                       : fs::is_regular_file(path / "config.json", ignored);
}

std::vector<CatalogModel> list_models() {
    const fs::path models = data_folder() / "models";
    std::vector<fs::path> found = models_in(models);
    Listing listing(models);
    // What the program brings or fetches stands first.
    auto fetched = std::find(found.begin(), found.end(), models / fetched_file);
    if (fetched == found.end()) {
        fetched = std::find_if(found.begin(), found.end(), [](const fs::path& path) {
            return plain_model_name(stem_of(path)) == fetched_name;
        });
    }
    if (fetched != found.end()) {
        listing.add_found(*fetched);
        found.erase(fetched);
    } else {
        listing.add(absent(known_models().front(), models));
    }
    listing.add(courtesy());
    for (const fs::path& path : found) {
        listing.add_found(path);
    }
    try {
        for (const OwnModel& own : read_own_models(list_of_own())) {
            listing.add_own(own);
        }
    } catch (const Error& error) {
        CatalogModel damaged;
        damaged.name = damaged.title = "models.json";
        damaged.path = list_of_own();
        damaged.source = ModelSource::own;
        damaged.size_bytes = size_on_disk(damaged.path);
        damaged.problem = error.what();
        listing.add(std::move(damaged));
    }
    for (const KnownModel& known : known_models()) {
        if (!listing.has(plain_model_name(known.hub_id))) {
            listing.add(absent(known, models));
        }
    }
    return listing.take();
}

std::vector<CatalogModel> catalog_models() {
    std::vector<CatalogModel> models = list_models();
    std::for_each(models.begin(), models.end(), read_header);
    return models;
}

fs::path resolve_model(const std::string& name_or_path) {
    std::string names;
    for (const CatalogModel& model : list_models()) {
        if (model.name == name_or_path) {
            // A damaged file is returned all the same: opening it tells what is wrong.
            if (!model.installed) {
                throw Error("open model", !model.problem.empty()
                                              ? model.problem
                                              : name_or_path + " is not installed in " +
                                                    model.path.parent_path().string() + "; " + model.how_to_get);
            }
            return model.path;
        }
        if (model.installed) {
            names += (names.empty() ? "" : ", ") + model.name;
        }
    }
    std::error_code ignored;
    if (const fs::path path = name_or_path; !path.empty() && fs::exists(path, ignored)) {
        return path;
    }
    throw Error("open model", "there is no model or file '" + name_or_path +
                                  "'; use a .gguf file, a folder with config.json or one of " + names);
}

std::string add_own_model(const fs::path& given) {
    constexpr const char* operation = "add model";
    std::error_code error;
    const fs::path path = fs::absolute(given, error).lexically_normal();  // a link keeps its name
    if (error || !fs::exists(path, error)) {
        throw Error(operation, given.string() + ": there is no such file or folder; check the path");
    }
    if (!looks_like_model(path)) {
        throw Error(operation, given.string() +
                                   ": is neither a .gguf file nor a folder with config.json; choose one of these");
    }
    std::set<std::string> names;
    const auto listed = [&]() -> std::optional<std::string> {
        names.clear();
        for (const CatalogModel& model : list_models()) {
            if (fs::equivalent(model.path, path, error) && !error) {
                return model.name;
            }
            names.insert(model.name);
        }
        return std::nullopt;
    };
    if (const auto name = listed()) {
        return *name;
    }
    const ModelFiles opened(path);  // throws for what cannot be opened
    const FileLock lock = lock_list_of_own(operation);
    if (const auto name = listed()) {   // by another program in the meantime
        return *name;
    }
    std::vector<OwnModel> own = read_own_models(list_of_own());
    own.push_back({unused_name(lower(stem_of(path)), names), path});
    write_own_models(list_of_own(), own);
    return own.back().name;
}

void remove_own_model(const std::string& name) {
    constexpr const char* operation = "remove model";
    const FileLock lock = lock_list_of_own(operation);
    std::vector<OwnModel> own = read_own_models(list_of_own());
    std::string names;
    for (const CatalogModel& model : list_models()) {
        if (model.source == ModelSource::own && model.name == name) {
            std::erase_if(own, [&](const OwnModel& each) { return each.path == model.path; });
            write_own_models(list_of_own(), own);
            return;
        }
        if (model.source == ModelSource::own) {
            names += (names.empty() ? "" : ", ") + model.name;
        }
    }
    throw Error(operation,
                "'" + name + "' was not added" + (names.empty() ? "; no model was" : "; choose one of " + names));
}

std::vector<std::string> bundled_prompts(const std::string& model) {
    return lines_of(model == courtesy_name ? resources::prompts_courtesy : resources::prompts_everyday);
}

std::vector<std::string> heldout_prompts(const std::string& model) {
    return lines_of(model == courtesy_name ? resources::prompts_courtesy_heldout
                                           : resources::prompts_heldout);
}

}  // namespace plumbline
