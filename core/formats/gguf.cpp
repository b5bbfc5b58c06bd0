// Reads the header, the metadata and the tensor directory of a GGUF file and checks every number in them.

#include "core/formats/gguf.h"

#include <algorithm>
#include <limits>

#include "core/formats/byte_reader.h"

namespace plumbline {
namespace {

constexpr std::uint64_t longest_key = 65535;        // the format's own limit
constexpr std::uint64_t longest_tensor_name = 64;   // likewise
constexpr std::uint64_t longest_text = 256u << 20;  // bytes; no real metadata comes near
constexpr std::uint64_t default_alignment = 32;

/// The types of metadata values, as numbered in the file.
enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

bool read_bool(ByteReader& reader, const std::string& what) {
    const auto byte = reader.number<std::uint8_t>(what);
    if (byte > 1) {
        reader.fail(what + " at byte " + std::to_string(reader.at() - 1) + " is " + std::to_string(byte) +
                    ", not 0 or 1; the file is damaged");
    }
    return byte == 1;
}

[[noreturn]] void fail_value_type(const ByteReader& reader, const std::string& what, std::uint32_t type) {
    reader.fail(what + " has value type " + std::to_string(type) + " before byte " +
                std::to_string(reader.at()) + ", which is not known; the file is damaged or too new");
}

GgufScalar read_scalar(ByteReader& reader, ValueType type, const std::string& what) {
    switch (type) {
        case ValueType::u8:
            return std::uint64_t{reader.number<std::uint8_t>(what)};
        case ValueType::u16:
            return std::uint64_t{reader.number<std::uint16_t>(what)};
        case ValueType::u32:
            return std::uint64_t{reader.number<std::uint32_t>(what)};
        case ValueType::u64:
            return reader.number<std::uint64_t>(what);
        case ValueType::i8:
            return std::int64_t{reader.number<std::int8_t>(what)};
        case ValueType::i16:
            return std::int64_t{reader.number<std::int16_t>(what)};
        case ValueType::i32:
            return std::int64_t{reader.number<std::int32_t>(what)};
        case ValueType::i64:
            return reader.number<std::int64_t>(what);
        case ValueType::f32:
            return double{reader.number<float>(what)};
        case ValueType::f64:
            return reader.number<double>(what);
        case ValueType::boolean:
            return read_bool(reader, what);
        case ValueType::text:
            return std::string(reader.text(what, longest_text));
        case ValueType::array:
            break;
    }
    fail_value_type(reader, what, static_cast<std::uint32_t>(type));
}

template <class Stored, class Out>
std::vector<Out> read_numbers(ByteReader& reader, const std::string& what) {
    const std::uint64_t count = reader.count("the length of " + what, sizeof(Stored));
    std::vector<Out> out(count);
    for (Out& value : out) {
        const auto stored = reader.number<Stored>(what);
        if constexpr (std::is_same_v<Stored, std::uint64_t>) {
            if (stored > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                reader.fail(what + " holds " + std::to_string(stored) +
                            ", which is too large; the file is damaged");
            }
        }
        value = static_cast<Out>(stored);
    }
    return out;
}

std::vector<std::string> read_texts(ByteReader& reader, const std::string& what) {
    const std::uint64_t count = reader.count("the length of " + what, sizeof(std::uint64_t));
    std::vector<std::string> out;
    // A length prefix of 8 bytes stands for a string object of 32: grow with what is really there.
    out.reserve(std::min<std::uint64_t>(count, 1u << 20));
    for (std::uint64_t i = 0; i < count; ++i) out.emplace_back(reader.text(what, longest_text));
    return out;
}

std::vector<bool> read_flags(ByteReader& reader, const std::string& what) {
    const std::uint64_t count = reader.count("the length of " + what, 1);
    std::vector<bool> out(count);
    for (std::uint64_t i = 0; i < count; ++i) out[i] = read_bool(reader, what);
    return out;
}

GgufValue read_array(ByteReader& reader, const std::string& what) {
    const auto type = reader.number<std::uint32_t>("the item type of " + what);
    switch (static_cast<ValueType>(type)) {
        case ValueType::u8:
            return read_numbers<std::uint8_t, std::int64_t>(reader, what);
        case ValueType::i8:
            return read_numbers<std::int8_t, std::int64_t>(reader, what);
        case ValueType::u16:
            return read_numbers<std::uint16_t, std::int64_t>(reader, what);
        case ValueType::i16:
            return read_numbers<std::int16_t, std::int64_t>(reader, what);
        case ValueType::u32:
            return read_numbers<std::uint32_t, std::int64_t>(reader, what);
        case ValueType::i32:
            return read_numbers<std::int32_t, std::int64_t>(reader, what);
        case ValueType::u64:
            return read_numbers<std::uint64_t, std::int64_t>(reader, what);
        case ValueType::i64:
            return read_numbers<std::int64_t, std::int64_t>(reader, what);
        case ValueType::f32:
            return read_numbers<float, double>(reader, what);
        case ValueType::f64:
            return read_numbers<double, double>(reader, what);
        case ValueType::boolean:
            return read_flags(reader, what);
        case ValueType::text:
            return read_texts(reader, what);
        case ValueType::array:
            reader.fail(what + " is an array of arrays, which is not supported");
    }
    fail_value_type(reader, what, type);
}

struct Counts {
    std::uint64_t tensors = 0, values = 0;
};

Counts read_header(ByteReader& reader) {
    constexpr std::uint32_t magic = 0x46554747;  // "GGUF"
    if (reader.number<std::uint32_t>("the magic number") != magic) {
        reader.fail("it does not begin with 'GGUF'; choose a .gguf model file");
    }
    const auto version = reader.number<std::uint32_t>("the version");
    if (version == 0x02000000 || version == 0x03000000) {
        reader.fail("the file is big endian, which is not supported; convert it to little endian");
    }
    if (version != 2 && version != 3) {
        reader.fail("version " + std::to_string(version) +
                    " is not supported; convert the file to version 2 or 3");
    }
    // The least that one takes: a tensor 8 + 4 + 8 + 4 + 8 bytes, a value 8 + 4 + 1 bytes.
    const std::uint64_t tensors = reader.count("the tensor count", 32);
    const std::uint64_t values = reader.count("the metadata count", 13);
    return {tensors, values};
}

struct Metadata {
    std::map<std::string, GgufValue> values;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> places;  // from the type's first byte to the end
};

Metadata read_metadata(ByteReader& reader, std::uint64_t count) {
    Metadata out;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::string key(reader.text("the key of metadata " + std::to_string(i), longest_key));
        const std::string what = "metadata " + shown(key);
        if (key.empty())
            reader.fail("metadata " + std::to_string(i) + " has an empty key; the file is damaged");
        const std::uint64_t begin = reader.at();
        const auto type = static_cast<ValueType>(reader.number<std::uint32_t>("the type of " + what));
        GgufValue value =
            type == ValueType::array ? read_array(reader, what) : read_scalar(reader, type, what);
        if (!out.values.emplace(key, std::move(value)).second) {
            reader.fail(what + " stands twice; the file is damaged");
        }
        out.places.emplace(key, std::pair(begin, reader.at()));
    }
    return out;
}

struct Entry {
    GgufTensor tensor;
    std::uint64_t offset = 0, bytes = 0;  // within the data section
};

Entry read_entry(ByteReader& reader, std::uint64_t place) {
    Entry entry;
    GgufTensor& tensor = entry.tensor;
    tensor.name = reader.text("the name of tensor " + std::to_string(place), longest_tensor_name);
    const std::string what = "tensor " + shown(tensor.name);
    if (tensor.name.empty())
        reader.fail("tensor " + std::to_string(place) + " has no name; the file is damaged");

    const auto dimensions = reader.number<std::uint32_t>("the dimensions of " + what);
    if (dimensions < 1 || dimensions > 4) {
        reader.fail(what + " has " + std::to_string(dimensions) +
                    " dimensions, not 1 to 4; the file is damaged");
    }
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 64;
    std::uint64_t elements = 1;
    for (std::uint32_t i = 0; i < dimensions; ++i) {
        const auto size = reader.number<std::uint64_t>("the shape of " + what);
        if (size == 0) reader.fail(what + " has a dimension of size 0; the file is damaged");
        if (size > most / elements) {
            reader.fail(what + " has a dimension of size " + std::to_string(size) +
                        ", too large with the others; the file is damaged");
        }
        elements *= size;
        tensor.shape.insert(tensor.shape.begin(),
                            static_cast<std::int64_t>(size));  // the file's order is innermost first
    }
    tensor.elements = static_cast<std::int64_t>(elements);

    const auto type = reader.number<std::uint32_t>("the type of " + what);
    tensor.type = static_cast<GgufType>(type);
    const GgufBlock block = block_of(tensor.type);
    if (block.elements == 0) {
        reader.fail(what + " has type " + std::to_string(type) +
                    ", which is not supported; use a file of floats or of the Q, IQ, TQ or MXFP4 types");
    }
    if (tensor.shape.back() % block.elements != 0) {
        reader.fail(what + " has rows of " + std::to_string(tensor.shape.back()) +
                    " elements, not a multiple of " + std::to_string(block.elements) + " as " +
                    std::string(name_of(tensor.type)) + " needs; the file is damaged");
    }
    entry.bytes =
        elements / static_cast<std::uint64_t>(block.elements) * static_cast<std::uint64_t>(block.bytes);
    entry.offset = reader.number<std::uint64_t>("the offset of " + what);
    return entry;
}

std::uint64_t alignment_of(const ByteReader& reader, const std::map<std::string, GgufValue>& metadata) {
    const auto found = metadata.find("general.alignment");
    if (found == metadata.end()) return default_alignment;
    const auto* scalar = std::get_if<GgufScalar>(&found->second);
    const auto* value = scalar != nullptr ? std::get_if<std::uint64_t>(scalar) : nullptr;
    if (value == nullptr) reader.fail("general.alignment is not an unsigned number; the file is damaged");
    if (*value == 0 || (*value & (*value - 1)) != 0 || *value > (1u << 30)) {
        reader.fail("general.alignment " + std::to_string(*value) +
                    " is not a power of two up to 2^30; the file is damaged");
    }
    return *value;
}

/// Points every tensor at its bytes, after checking that they lie in the data section and nowhere overlap.
void place(std::vector<Entry>& entries, std::span<const std::byte> data, std::uint64_t alignment,
           const ByteReader& reader) {
    std::vector<const Entry*> order;
    for (Entry& entry : entries) {
        const std::string what = "tensor " + shown(entry.tensor.name);
        if (entry.offset % alignment != 0) {
            reader.fail(what + " has offset " + std::to_string(entry.offset) +
                        ", not a multiple of the alignment " + std::to_string(alignment) +
                        "; the file is damaged");
        }
        if (entry.offset > data.size() || entry.bytes > data.size() - entry.offset) {
            reader.fail(what + " takes " + std::to_string(entry.bytes) + " bytes at offset " +
                        std::to_string(entry.offset) + ", the file has " + std::to_string(data.size()) +
                        " bytes of tensor data; it is cut short or damaged");
        }
        entry.tensor.data = data.subspan(entry.offset, entry.bytes);
        order.push_back(&entry);
    }
    std::sort(order.begin(), order.end(),
              [](const Entry* a, const Entry* b) { return a->offset < b->offset; });
    for (std::size_t i = 1; i < order.size(); ++i) {
        if (order[i - 1]->offset + order[i - 1]->bytes > order[i]->offset) {
            reader.fail("tensors " + shown(order[i - 1]->tensor.name) + " and " +
                        shown(order[i]->tensor.name) + " overlap at offset " +
                        std::to_string(order[i]->offset) + "; the file is damaged");
        }
    }
}

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path)
    : path_(path), map_(std::make_unique<MappedFile>(path, "open model")) {
    ByteReader reader(map_->bytes(), "open model", path);
    const Counts counts = read_header(reader);
    Metadata metadata = read_metadata(reader, counts.values);
    metadata_ = std::move(metadata.values);
    for (const auto& [key, place] : metadata.places) {
        stored_.emplace(key, map_->bytes().subspan(place.first, place.second - place.first));
    }
    const std::uint64_t alignment = alignment_of(reader, metadata_);

    std::vector<Entry> entries;
    for (std::uint64_t i = 0; i < counts.tensors; ++i) {
        entries.push_back(read_entry(reader, i));
        if (!tensor_index_.emplace(entries.back().tensor.name, i).second) {
            reader.fail("tensor " + shown(entries.back().tensor.name) + " stands twice; the file is damaged");
        }
    }
    const std::uint64_t data_start =
        std::min<std::uint64_t>((reader.at() + alignment - 1) / alignment * alignment, map_->bytes().size());
    place(entries, map_->bytes().subspan(data_start), alignment, reader);
    tensors_.reserve(entries.size());
    for (Entry& entry : entries) tensors_.push_back(std::move(entry.tensor));
}

}  // namespace plumbline
