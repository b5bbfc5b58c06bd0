#include "tests/support/gguf_writer.h"

#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace plumbline::testing {
namespace {

constexpr std::size_t alignment = 32;
constexpr std::uint32_t u32_type = 4, i32_type = 5, f32_type = 6, flag_type = 7, text_type = 8,
                        array_type = 9;

template <class T>
void append(std::string& out, T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof value);
}

void append_text(std::string& out, std::string_view text) {
    append<std::uint64_t>(out, text.size());
    out += text;
}

std::size_t aligned(std::size_t at) {
    return (at + alignment - 1) / alignment * alignment;
}

}  // namespace

void GgufWriter::add_text(std::string_view key, std::string_view value) {
    std::string body;
    append_text(body, value);
    values_.push_back({std::string(key), text_type, body});
}

void GgufWriter::add_u32(std::string_view key, std::uint32_t value) {
    std::string body;
    append(body, value);
    values_.push_back({std::string(key), u32_type, body});
}

void GgufWriter::add_f32(std::string_view key, float value) {
    std::string body;
    append(body, value);
    values_.push_back({std::string(key), f32_type, body});
}

void GgufWriter::add_flag(std::string_view key, bool value) {
    values_.push_back({std::string(key), flag_type, std::string(1, value ? '\1' : '\0')});
}

void GgufWriter::add_texts(std::string_view key, const std::vector<std::string>& values) {
    std::string body;
    append(body, text_type);
    append<std::uint64_t>(body, values.size());
    for (const std::string& value : values) append_text(body, value);
    values_.push_back({std::string(key), array_type, body});
}

void GgufWriter::add_i32s(std::string_view key, const std::vector<std::int32_t>& values) {
    std::string body;
    append(body, i32_type);
    append<std::uint64_t>(body, values.size());
    for (const std::int32_t value : values) append(body, value);
    values_.push_back({std::string(key), array_type, body});
}

void GgufWriter::add_f32s(std::string_view key, const std::vector<float>& values) {
    std::string body;
    append(body, f32_type);
    append<std::uint64_t>(body, values.size());
    for (const float value : values) append(body, value);
    values_.push_back({std::string(key), array_type, body});
}

void GgufWriter::add_tensor(std::string_view name, const std::vector<std::int64_t>& shape, std::uint32_t type,
                            std::span<const std::byte> data) {
    tensors_.push_back({std::string(name), shape, type,
                        std::string(reinterpret_cast<const char*>(data.data()), data.size())});
}

void GgufWriter::add_tensor(std::string_view name, const std::vector<std::int64_t>& shape,
                            std::span<const float> values) {
    add_tensor(name, shape, 0, std::as_bytes(values));
}

std::string GgufWriter::build(std::map<std::string, std::size_t>& places) const {
    std::string out;
    places["magic"] = out.size();
    out += "GGUF";
    places["version"] = out.size();
    append<std::uint32_t>(out, 3);
    places["tensor count"] = out.size();
    append<std::uint64_t>(out, tensors_.size());
    places["metadata count"] = out.size();
    append<std::uint64_t>(out, values_.size());
    for (const Value& value : values_) {
        places[value.key + " key length"] = out.size();
        append_text(out, value.key);
        places[value.key + " type"] = out.size();
        append(out, value.type);
        if (value.type == array_type) {
            places[value.key + " item type"] = out.size();
            places[value.key + " length"] = out.size() + sizeof(std::uint32_t);
        } else {
            places[value.key + " value"] = out.size();
        }
        out += value.body;
    }
    std::size_t offset = 0;
    for (const Tensor& tensor : tensors_) {
        places[tensor.name + " name length"] = out.size();
        append_text(out, tensor.name);
        places[tensor.name + " dimensions"] = out.size();
        append<std::uint32_t>(out, static_cast<std::uint32_t>(tensor.shape.size()));
        places[tensor.name + " shape"] = out.size();
        for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) {
            append<std::uint64_t>(out, static_cast<std::uint64_t>(*size));
        }
        places[tensor.name + " type"] = out.size();
        append(out, tensor.type);
        places[tensor.name + " offset"] = out.size();
        append<std::uint64_t>(out, offset);
        offset = aligned(offset + tensor.data.size());
    }
    out.resize(aligned(out.size()), '\0');
    places["data"] = out.size();
    for (const Tensor& tensor : tensors_) {
        out += tensor.data;
        out.resize(aligned(out.size()), '\0');
    }
    return out;
}

std::string GgufWriter::bytes() const {
    std::map<std::string, std::size_t> ignored;
    return build(ignored);
}

std::map<std::string, std::size_t> GgufWriter::places() const {
    std::map<std::string, std::size_t> out;
    build(out);
    return out;
}

void GgufWriter::write(const std::filesystem::path& path) const {
    write_whole(path, bytes());
}

std::string read_whole(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return std::move(out).str();
}

void write_whole(const std::filesystem::path& path, std::string_view bytes) {
    std::filesystem::remove(path);  // ext4 flushes a file that is cut and written again: milliseconds
    std::ofstream out(path, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace plumbline::testing
