#include "core/formats/safetensors_writer.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/formats/atomic_file.h"
#include "core/formats/quantize.h"

namespace plumbline {

namespace {

using nlohmann::json;

constexpr const char* operation = "write safetensors";

std::uint64_t elements_of(const FileTensor& tensor) {
    return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::uint64_t{1},
                           [](std::uint64_t all, std::int64_t size) { return all * static_cast<std::uint64_t>(size); });
}

/// As many tensors as fit, at least one.
std::vector<std::span<const FileTensor>> shards_of(std::span<const FileTensor> tensors, std::uint64_t element,
                                                   std::uint64_t most) {
    std::vector<std::span<const FileTensor>> out;
    std::uint64_t bytes = 0;
    std::size_t first = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const std::uint64_t size = elements_of(tensors[i]) * element;
        if (i > first && bytes + size > most) {
            out.push_back(tensors.subspan(first, i - first));
            first = i;
            bytes = 0;
        }
        bytes += size;
    }
    out.push_back(tensors.subspan(first));
    return out;
}

std::string shard_name(std::size_t shard, std::size_t shards) {
    if (shards == 1) {
        return "model.safetensors";
    }
    char name[64];
    std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", shard + 1, shards);
    return name;
}

void write_shard(const std::filesystem::path& path, std::span<const FileTensor> tensors, GgufType type,
                 const std::function<void(std::uint64_t)>& before_each) {
    const auto element = static_cast<std::uint64_t>(block_of(type).bytes);
    json header = {{"__metadata__", {{"format", "pt"}}}};
    std::uint64_t at = 0;
    for (const FileTensor& tensor : tensors) {
        const std::uint64_t end = at + elements_of(tensor) * element;
        header[tensor.name] = {{"dtype", name_of(type)}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
        at = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');   // the data begins at a multiple of 8
    const std::uint64_t length = text.size();
    AtomicFile file(path, operation);
    file.write({reinterpret_cast<const char*>(&length), sizeof length});
    file.write(text);
    for (const FileTensor& tensor : tensors) {
        std::vector<float> values(elements_of(tensor));
        before_each(values.size() * element);
        tensor.fill(values);
        file.write(quantize(tensor.name, type, values));
    }
    file.put_in_place();
}

}  // namespace

void write_weights(const std::filesystem::path& folder, const std::vector<FileTensor>& tensors, GgufType type,
                   std::uint64_t shard_bytes, const std::function<void(double)>& before_each) {
    const auto element = static_cast<std::uint64_t>(block_of(type).bytes);
    std::uint64_t all = 0, done = 0;
    for (const FileTensor& tensor : tensors) {
        all += elements_of(tensor) * element;
    }
    const auto count = [&](std::uint64_t bytes) {
        before_each(static_cast<double>(done) / static_cast<double>(all));
        done += bytes;
    };
    const std::vector<std::span<const FileTensor>> shards = shards_of(tensors, element, shard_bytes);
    json places = json::object();
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const std::string name = shard_name(i, shards.size());
        write_shard(folder / name, shards[i], type, count);
        for (const FileTensor& tensor : shards[i]) {
            places[tensor.name] = name;
        }
    }
    count(0);
    if (shards.size() > 1) {
        const json index = {{"metadata", {{"total_size", all}}}, {"weight_map", places}};
        write_atomically(folder / "model.safetensors.index.json", {index.dump(2) + "\n"}, operation);
    }
}

}  // namespace plumbline
