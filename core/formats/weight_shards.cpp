#include "core/formats/weight_shards.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/api/errors.h"
#include "core/formats/byte_reader.h"
#include "core/formats/json_file.h"

namespace plumbline {

namespace {

constexpr const char* operation = "open model";
constexpr const char* one_file = "model.safetensors";
constexpr const char* index_file = "model.safetensors.index.json";
constexpr std::size_t longest_index = 64u << 20;
constexpr std::size_t most_shards = 1024;

[[noreturn]] void fail(const std::filesystem::path& where, const std::string& what) {
    throw Error(operation, where.string() + ": " + what);
}

/// Which file holds which tensor. A shard is a file of the folder itself.
std::map<std::string, std::string> read_index(const std::filesystem::path& file) {
    const nlohmann::json index = read_json_object(file, operation, longest_index);
    const auto map = index.find("weight_map");
    if (map == index.end() || !map->is_object()) {
        fail(file, "weight_map is missing; the file is damaged");
    }
    std::map<std::string, std::string> out;
    for (const auto& [tensor, shard] : map->items()) {
        const std::string name = shard.is_string() ? shard.get<std::string>() : "";
        if (!name.ends_with(".safetensors") || name.find_first_of("/\\:") != std::string::npos || name.starts_with('.') ||
            name.find('\0') != std::string::npos) {
            fail(file, "tensor " + shown(tensor) + " is said to lie in " + shown(shard.dump()) +
                           ", which is not the name of a .safetensors file in the folder; the file is damaged");
        }
        out.emplace(tensor, name);
    }
    return out;
}

SafetensorsFile open_shard(const std::filesystem::path& file) {
    try {
        return SafetensorsFile(file);
    } catch (const Error& error) {
        const std::string what = error.what();
        const std::string own = "read safetensors: ";
        throw Error(operation, what.starts_with(own) ? what.substr(own.size()) : what);
    }
}

GgufType type_of(const std::filesystem::path& file, const std::string& name, const SafeTensor& tensor) {
    if (tensor.dtype == "F32") return GgufType::f32;
    if (tensor.dtype == "F16") return GgufType::f16;
    if (tensor.dtype == "BF16") return GgufType::bf16;
    fail(file, "tensor " + shown(name) + " is of " + tensor.dtype + ", which is not supported for weights; use F32, F16 or BF16");
}

}  // namespace

WeightShards::WeightShards(const std::filesystem::path& folder) {
    std::map<std::string, std::string> index;   // empty: one file
    std::error_code ignored;
    if (std::filesystem::exists(folder / index_file, ignored)) {
        index = read_index(folder / index_file);
        std::set<std::string> names;
        for (const auto& [tensor, shard] : index) {
            names.insert(shard);
        }
        if (names.empty() || names.size() > most_shards) {
            fail(folder / index_file, "it names " + std::to_string(names.size()) + " shards; the file is damaged");
        }
        for (const std::string& name : names) {
            if (!std::filesystem::exists(folder / name, ignored)) {
                fail(folder, "shard " + shown(name) + " is missing; copy it beside the index");
            }
            files_.push_back(folder / name);
        }
    } else if (std::filesystem::exists(folder / one_file, ignored)) {
        files_.push_back(folder / one_file);
    } else {
        fail(folder, std::string("there is no ") + one_file +
                         "; only safetensors weights are read, so save the model in that format");
    }
    const bool indexed = !index.empty();
    for (const std::filesystem::path& file : files_) {
        shards_.push_back(open_shard(file));
        for (const auto& [name, tensor] : shards_.back().tensors()) {
            if (indexed) {
                const auto entry = index.find(name);
                if (entry == index.end() || file.filename() != entry->second) {
                    continue;   // the index knows better
                }
                index.erase(entry);
            }
            if (tensor.dtype == "BOOL" || tensor.dtype == "U8") {
                continue;   // masks of older files
            }
            std::int64_t elements = 1;
            for (const std::int64_t size : tensor.shape) {
                elements *= size;
            }
            tensors_.push_back({name, type_of(file, name, tensor), tensor.shape, elements, tensor.data});
        }
    }
    if (!index.empty()) {
        fail(folder, "tensor " + shown(index.begin()->first) + " is not in " + shown(index.begin()->second) +
                         " as the index says; the files are damaged");
    }
}

}  // namespace plumbline
