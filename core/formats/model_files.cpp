#include "core/formats/model_files.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/api/errors.h"
#include "core/formats/byte_reader.h"
#include "core/formats/hf_config.h"
#include "core/formats/json_file.h"
#include "core/formats/sha256.h"
#include "core/text/tokenizer.h"

namespace plumbline {

namespace {

namespace fs = std::filesystem;

constexpr const char* operation = "open model";
constexpr int card_lines = 200;                       // of a README.md, in which its header stands
constexpr std::size_t longest_settings = 64u << 20;   // tokenizer_config.json with its added tokens

std::string text_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
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

/// The model type or architecture that a file names, among those that this version reads.
template <class Matches>
const Family& find_family(const std::string& where, const std::string& key, const std::string& value,
                          const Matches& matches) {
    std::string known;
    for (const Family& family : families()) {
        if (matches(family)) {
            return family;
        }
        known += (known.empty() ? "" : ", ") + std::string(family.name);
    }
    throw Error(operation, where + ": " + key + " '" + value + "' is not supported; this version reads " + known);
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string out = "(";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        out += (i ? ", " : "") + std::to_string(shape[i]);
    }
    return out + ")";
}

/// A part of a stored tensor: entries [first, first + count) in the file's order; whole blocks of its type.
GgufTensor slice(const GgufTensor& tensor, std::int64_t first, std::int64_t count) {
    const GgufBlock block = block_of(tensor.type);
    GgufTensor out{tensor.name, tensor.type, {count}, count, {}};
    out.data = tensor.data.subspan(static_cast<std::size_t>(first / block.elements * block.bytes),
                                   static_cast<std::size_t>(count / block.elements * block.bytes));
    return out;
}

/// Rows [first, first + rows) of a matrix that lies on its side: those columns of the file's.
void read_columns(const GgufTensor& tensor, std::int64_t first, std::int64_t rows, std::span<float> out) {
    const std::int64_t in = tensor.shape[0], all = tensor.shape[1];
    std::vector<float> line(static_cast<std::size_t>(rows));
    for (std::int64_t i = 0; i < in; ++i) {
        dequantize(slice(tensor, i * all + first, rows), line);
        for (std::int64_t row = 0; row < rows; ++row) {
            out[static_cast<std::size_t>(row * in + i)] = line[static_cast<std::size_t>(row)];
        }
    }
}

}  // namespace

ModelFiles::ModelFiles(const fs::path& path) : path_(path) {
    if (fs::is_directory(path)) {
        read_folder();
    } else {
        read_gguf();
    }
    constexpr std::int64_t most_angles = std::int64_t{1} << 26;   // kept by position: 2 x 128 MB
    if (config_.context > most_angles / config_.head_dim) {
        config_.context = most_angles / config_.head_dim;
    }
    check_positions();
    check_tensors();
}

void ModelFiles::read_folder() {
    const fs::path settings = path_ / "config.json";
    std::error_code ignored;
    if (!fs::exists(settings, ignored)) {
        throw Error(operation, path_.string() + ": there is no config.json; name a .gguf file or a folder with "
                                                "config.json and .safetensors files");
    }
    const HfConfig file(settings);
    const std::string type = file.text_or("model_type", "");
    const Family& family = find_family("config.json", "model_type", type, [&](const Family& f) {
        return std::ranges::find(f.model_types, type) != f.model_types.end();
    });
    config_.family = family.name;
    family.read_folder(file, config_);
    shards_ = std::make_unique<WeightShards>(path_);
    for (const GgufTensor& tensor : shards_->tensors()) {
        tensors_.emplace(tensor.name, &tensor);
    }
    find_prefix(family.folder);
}

void ModelFiles::read_gguf() {
    gguf_ = std::make_unique<GgufFile>(path_);
    const std::string architecture = gguf_->text("general.architecture");
    const Family& family =
        find_family(path_.filename().string(), "general.architecture", architecture,
                    [&](const Family& f) { return !f.gguf_architecture.empty() && f.gguf_architecture == architecture; });
    config_.family = family.name;
    family.read_gguf(*gguf_, config_);
    for (const GgufTensor& tensor : gguf_->tensors()) {
        tensors_.emplace(tensor.name, &tensor);
    }
}

/// Checkpoints of the bare model lack the first part of their names, those of a model with more senses have one more.
void ModelFiles::find_prefix(const std::vector<Module>& modules) {
    const std::string name = find_module(modules, Part::embedding)->name + ".weight";
    usual_prefix_ = prefix_ = name.substr(0, name.find('.') + 1);
    const std::string rest = name.substr(usual_prefix_.size());
    for (const std::string& other : {usual_prefix_, std::string(), "language_model." + usual_prefix_,
                                     usual_prefix_ + "language_model."}) {
        if (tensors_.contains(other + rest)) {
            prefix_ = other;
            return;
        }
    }
}

std::string ModelFiles::file_name(const std::string& name) const {
    if (name.starts_with(usual_prefix_)) {
        return prefix_ + name.substr(usual_prefix_.size());
    }
    return prefix_.starts_with("language_model.") ? "language_model." + name : name;
}

/// Settings that are right one by one may make a scaling that is no number.
void ModelFiles::check_positions() const {
    for (const Rope* rope : {&config_.rope, &config_.local_rope}) {
        for (const double factor : rope->factors) {
            if (!std::isfinite(factor) || factor <= 0 || !std::isfinite(rope->magnitude)) {
                fail("the scaling of its rotary positions divides by " + std::to_string(factor) + " and multiplies by " +
                     std::to_string(rope->magnitude) + "; the file is damaged or not a supported family");
            }
        }
    }
}

void ModelFiles::check_tensors() const {
    std::set<std::string, std::less<>> known;
    for (const Module& module : modules()) {
        const bool per_block = is_of_block(module.parts.front());
        for (const bool bias : {false, true}) {
            const std::vector<std::int64_t> shape = stored_shape(module, config_, bias);
            for (int block = 0; block < (per_block ? config_.blocks : 1) && !shape.empty(); ++block) {
                const std::string name = file_name(name_in_block(module, block)) + (bias ? ".bias" : ".weight");
                const auto found = tensors_.find(name);
                if (found == tensors_.end()) {
                    fail("tensor " + shown(name) + " is missing; the file is damaged or not a supported family");
                }
                if (found->second->shape != shape) {
                    fail(name + " has shape " + shape_text(found->second->shape) + " where the header's sizes ask for " +
                         shape_text(shape) + "; the file is damaged or not a supported family");
                }
                known.insert(name);
            }
        }
    }
    const Module* output = find_module(modules(), Part::output);
    for (const auto& [name, tensor] : tensors_) {
        const std::string& at = name;
        const bool ignored = std::ranges::any_of(family().ignored, [&](std::string_view other) {
            return at.find(other) != std::string::npos;
        });
        const bool tied = config_.tied_embeddings && at == file_name(output->name) + ".weight";
        if (!known.contains(at) && !ignored && !tied && !(gguf_ && at.starts_with("rope_f"))) {
            fail("tensor " + shown(at) + " is not a part of " + std::string(config_.family) +
                 " that is supported; use another model");
        }
    }
}

void ModelFiles::fail(const std::string& what) const {
    throw Error(operation, path_.filename().string() + ": " + what);
}

const GgufTensor& ModelFiles::stored(const TensorId& id) const {
    const Module* module = find_module(modules(), id.part);
    const auto found = module == nullptr
                           ? tensors_.end()
                           : tensors_.find(file_name(name_in_block(*module, id.block)) + (id.bias ? ".bias" : ".weight"));
    if (found == tensors_.end()) {
        fail("there is no tensor for " + to_string(id));
    }
    return *found->second;
}

/// Of the part among its module's.
std::int64_t ModelFiles::first_row(const TensorId& id) const {
    std::int64_t out = 0;
    for (const Part part : find_module(modules(), id.part)->parts) {
        if (part == id.part) {
            break;
        }
        out += shape_of(config_, part, id.bias).rows;
    }
    return out;
}

std::optional<StoredRows> ModelFiles::stored_rows(const TensorId& id) const {
    const GgufTensor& tensor = stored(id);
    const Module& module = *find_module(modules(), id.part);
    if (!gguf_ || module.layout == Layout::columns || module.added != 0) {
        return std::nullopt;
    }
    const TensorShape shape = shape_of(config_, id.part, id.bias);
    StoredRows out{tensor.type, shape.rows, shape.columns, gguf_->offset_of(tensor), {}};
    if (module.layout == Layout::rows) {
        out.offset += first_row(id) * out.row_bytes();
    } else {
        const std::vector<std::int64_t> all = places_of_rows(module, config_);
        out.places.assign(all.begin() + first_row(id), all.begin() + first_row(id) + shape.rows);
    }
    return out;
}

void ModelFiles::read(const TensorId& id, std::int64_t first, std::span<float> out) const {
    const GgufTensor& tensor = stored(id);
    const Module& module = *find_module(modules(), id.part);
    const std::int64_t offset = first_row(id);
    const std::int64_t width = std::max<std::int64_t>(shape_of(config_, id.part, id.bias).columns, 1),
                       rows = static_cast<std::int64_t>(out.size()) / width;
    if (module.layout == Layout::columns && !id.bias) {
        read_columns(tensor, offset + first, rows, out);
    } else if (module.layout == Layout::rows || module.layout == Layout::columns) {
        dequantize(slice(tensor, (offset + first) * width, rows * width), out);
    } else {
        const std::vector<std::int64_t> places = places_of_rows(module, config_);
        for (std::int64_t row = 0; row < rows; ++row) {
            dequantize(slice(tensor, places[static_cast<std::size_t>(offset + first + row)] * width, width),
                       out.subspan(static_cast<std::size_t>(row * width), static_cast<std::size_t>(width)));
        }
    }
    if (module.added != 0) {
        for (float& value : out) {
            value += static_cast<float>(module.added);
        }
    }
    constexpr std::uint32_t exponent = 0x7f800000;   // all ones: infinite or no number
    bool finite = true;
    for (const float value : out) {
        finite &= (std::bit_cast<std::uint32_t>(value) & exponent) != exponent;
    }
    if (!finite) {
        fail("tensor " + shown(tensor.name) + " holds a value that is not finite; the file is damaged");
    }
}

std::int64_t ModelFiles::bytes() const {
    std::int64_t out = 0;
    for (const fs::path& file : gguf_ ? std::vector{path_} : shards_->files()) {
        out += static_cast<std::int64_t>(fs::file_size(file));
    }
    return out;
}

std::string ModelFiles::identity() const {
    if (gguf_) {
        return sha256_of_file(path_);
    }
    std::vector<fs::path> files = shards_->files();
    for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
        if (std::error_code ignored; fs::exists(path_ / name, ignored)) {
            files.push_back(path_ / name);
        }
    }
    std::string all;
    for (const fs::path& file : files) {
        all += file.filename().string() + " " + sha256_of_file(file) + "\n";
    }
    return sha256(std::as_bytes(std::span(all)));
}

std::string ModelFiles::title() const {
    const std::string file = gguf_ ? path_.stem().string() : fs::absolute(path_ / ".").parent_path().filename().string();
    return gguf_ ? gguf_->find_text("general.name").value_or(file) : file;
}

std::string ModelFiles::licence() const {
    return gguf_ ? gguf_->find_text("general.license").value_or("") : licence_of_card(path_ / "README.md");
}

std::string ModelFiles::chat_template() const {
    if (gguf_) {
        return gguf_->find_text("tokenizer.chat_template").value_or("");
    }
    std::error_code ignored;
    if (fs::exists(path_ / "chat_template.jinja", ignored)) {
        return text_of(path_ / "chat_template.jinja");
    }
    if (!fs::exists(path_ / "tokenizer_config.json", ignored)) {
        return "";
    }
    const nlohmann::json settings = read_json_object(path_ / "tokenizer_config.json", operation, longest_settings);
    const auto found = settings.find("chat_template");
    if (found == settings.end()) {
        return "";
    }
    if (found->is_string()) {
        return found->get<std::string>();
    }
    for (const nlohmann::json& entry : found->is_array() ? *found : nlohmann::json::array()) {   // several by name
        if (entry.is_object() && entry.value("name", nlohmann::json()) == "default" && entry.contains("template") &&
            entry["template"].is_string()) {
            return entry["template"].get<std::string>();
        }
    }
    return "";
}

std::string_view ModelFiles::main_type() const {
    std::map<GgufType, std::int64_t> elements;
    for (const auto& [name, tensor] : tensors_) {
        elements[tensor->type] += tensor->elements;
    }
    const auto most = std::ranges::max_element(elements, {}, [](const auto& entry) { return entry.second; });
    return name_of(most == elements.end() ? GgufType::f32 : most->first);
}

std::shared_ptr<const Tokenizer> ModelFiles::tokenizer() const {
    return gguf_ ? Tokenizer::from_gguf(*gguf_) : read_tokenizer(path_);
}

std::shared_ptr<const Tokenizer> read_tokenizer(const fs::path& model) {
    return fs::is_directory(model) || model.extension() == ".json" ? Tokenizer::from_json(model) : Tokenizer::from_gguf(GgufFile(model));
}

}  // namespace plumbline
