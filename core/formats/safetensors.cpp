#include "core/formats/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"
#include "core/formats/byte_reader.h"
#include "core/formats/half.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr std::uint64_t longest_header = 16u << 20;  // bytes; about 100,000 tensors
constexpr std::size_t most_dimensions = 8;

struct Fail {
    std::filesystem::path path;
    [[noreturn]] void operator()(const std::string& what) const {
        throw Error("read safetensors", path.string() + ": " + what + "; the file is damaged");
    }
};

/// Bytes an element; 0: not known.
std::uint64_t size_of(std::string_view dtype) {
    constexpr std::array<std::string_view, 5> of_1 = {"BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"};
    constexpr std::array<std::string_view, 4> of_2 = {"I16", "U16", "F16", "BF16"};
    constexpr std::array<std::string_view, 3> of_4 = {"I32", "U32", "F32"}, of_8 = {"I64", "U64", "F64"};
    const auto in = [&](const auto& list) {
        return std::find(list.begin(), list.end(), dtype) != list.end();
    };
    return in(of_1) ? 1 : in(of_2) ? 2 : in(of_4) ? 4 : in(of_8) ? 8 : 0;
}

/// The header as JSON; its nesting is bounded and no key stands twice.
json parse_header(std::string_view text, const Fail& fail) {
    std::vector<std::set<std::string>> keys;
    const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
        if (depth > 3) fail("the header is nested too deep");
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        if (event == json::parse_event_t::object_end) keys.pop_back();
        if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
            fail("key " + shown(parsed.get<std::string>()) + " stands twice in the header");
        }
        return true;
    };
    try {
        json header = json::parse(text, check);
        if (!header.is_object()) fail("the header is not a JSON object");
        return header;
    } catch (const json::exception&) {
        fail("the header is not valid JSON");
    }
}

std::uint64_t unsigned_of(const json& value, const std::string& what, const Fail& fail) {
    if (!value.is_number_unsigned()) fail(what + " is not a non-negative whole number");
    return value.get<std::uint64_t>();
}

struct Range {
    std::uint64_t begin = 0, end = 0;
    std::string name;
};

SafeTensor read_tensor(const std::string& name, const json& entry, std::span<const std::byte> data,
                       Range& range, const Fail& fail) {
    const std::string what = "tensor " + shown(name);
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets")) {
        fail(what + " has not exactly dtype, shape and data_offsets");
    }
    SafeTensor tensor;
    const json &dtype = entry["dtype"], &shape = entry["shape"], &offsets = entry["data_offsets"];
    if (!dtype.is_string()) fail(what + " has a dtype that is not a text");
    tensor.dtype = dtype.get<std::string>();
    const std::uint64_t element = size_of(tensor.dtype);
    if (element == 0) fail(what + " has the unknown dtype " + shown(tensor.dtype));

    if (!shape.is_array() || shape.size() > most_dimensions) {
        fail(what + " has a shape that is not a list of at most " + std::to_string(most_dimensions) +
             " sizes");
    }
    std::uint64_t bytes = element;
    for (const json& entry_size : shape) {
        const std::uint64_t size = unsigned_of(entry_size, "a size of " + what, fail);
        if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
            (size != 0 && bytes > std::numeric_limits<std::uint64_t>::max() / size)) {
            fail(what + " has size " + std::to_string(size) + ", too large with the others");
        }
        bytes *= size;
        tensor.shape.push_back(static_cast<std::int64_t>(size));
    }

    if (!offsets.is_array() || offsets.size() != 2) fail(what + " has data_offsets that are not two numbers");
    const std::uint64_t begin = unsigned_of(offsets[0], "an offset of " + what, fail);
    const std::uint64_t end = unsigned_of(offsets[1], "an offset of " + what, fail);
    if (begin > end || end > data.size()) {
        fail(what + " lies at " + std::to_string(begin) + " to " + std::to_string(end) + " of " +
             std::to_string(data.size()) + " bytes of data");
    }
    if (end - begin != bytes) {
        fail(what + " has " + std::to_string(end - begin) + " bytes where its shape and dtype need " +
             std::to_string(bytes));
    }
    tensor.data = data.subspan(begin, bytes);
    range = {begin, end, name};
    return tensor;
}

/// The tensors must cover the data without gap or overlap, as the format says.
void check_cover(std::vector<Range> ranges, std::uint64_t data_size, const Fail& fail) {
    std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t at = 0;
    for (const Range& range : ranges) {
        if (range.begin != at) {
            fail("tensor " + shown(range.name) + " begins at " + std::to_string(range.begin) +
                 ", not where the one before ends, at " + std::to_string(at));
        }
        at = range.end;
    }
    if (at != data_size) {
        fail("the tensors end at " + std::to_string(at) + " of " + std::to_string(data_size) +
             " bytes of data");
    }
}

template <class Convert>
std::vector<float> convert_all(std::span<const std::byte> data, Convert convert) {
    using Stored = std::uint16_t;
    std::vector<float> out(data.size() / sizeof(Stored));
    for (std::size_t i = 0; i < out.size(); ++i) {
        Stored bits;
        std::memcpy(&bits, data.data() + i * sizeof bits, sizeof bits);
        out[i] = convert(bits);
    }
    return out;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : map_(std::make_unique<MappedFile>(path, "read safetensors")) {
    const Fail fail{path};
    ByteReader reader(map_->bytes(), "read safetensors", path);
    const std::uint64_t length = reader.number<std::uint64_t>("the header length");
    if (length > longest_header)
        fail("the header length is " + std::to_string(length) + ", more than " +
             std::to_string(longest_header));
    reader.need(length, "the header");
    const auto data = map_->bytes().subspan(reader.at() + length);
    const json header =
        parse_header({reinterpret_cast<const char*>(map_->bytes().data()) + reader.at(), length}, fail);

    std::vector<Range> ranges;
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__") {
            if (!entry.is_object()) fail("__metadata__ is not an object");
            for (const auto& [key, value] : entry.items()) {
                if (!value.is_string()) fail("__metadata__ " + shown(key) + " is not a text");
                metadata_.emplace(key, value.get<std::string>());
            }
            continue;
        }
        ranges.emplace_back();
        tensors_.emplace(name, read_tensor(name, entry, data, ranges.back(), fail));
    }
    check_cover(std::move(ranges), data.size(), fail);
}

std::vector<float> as_floats(const SafeTensor& tensor) {
    if (tensor.dtype == "F32") {
        std::vector<float> out(tensor.data.size() / sizeof(float));
        if (!out.empty()) std::memcpy(out.data(), tensor.data.data(), out.size() * sizeof(float));
        return out;
    }
    if (tensor.dtype == "F16") return convert_all(tensor.data, float_from_half);
    if (tensor.dtype == "BF16") {
        return convert_all(tensor.data, [](std::uint16_t bits) {
            return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
        });
    }
    throw Error("read safetensors",
                "dtype " + shown(tensor.dtype) + " is not supported; use F32, F16 or BF16");
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, SafeTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
    json header = json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::vector<std::string_view> parts(2);  // the first two are filled in below
    std::uint64_t at = 0;
    for (const auto& [name, tensor] : tensors) {
        std::uint64_t bytes = size_of(tensor.dtype);
        for (const std::int64_t size : tensor.shape) bytes *= static_cast<std::uint64_t>(size);
        if (name == "__metadata__" || bytes != tensor.data.size()) {
            throw std::logic_error("write_safetensors: " + name +
                                   " has bytes that do not fit its shape and dtype");
        }
        header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {at, at + bytes}}};
        parts.emplace_back(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
        at += bytes;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins at a multiple of 8
    const std::uint64_t length = text.size();
    parts[0] = {reinterpret_cast<const char*>(&length), sizeof length};
    parts[1] = text;
    write_atomically(path, parts, "write safetensors");
}

}  // namespace plumbline
