#include "core/formats/gguf_writer.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"

namespace plumbline {
namespace {

constexpr const char* operation = "write GGUF";
constexpr std::size_t alignment = 32;     // the format's default
constexpr std::size_t longest_name = 64;  // as GGUF readers expect

[[noreturn]] void fail(const std::string& what) {
    throw Error(operation, what);
}

template <class T>
void put(std::string& out, T value) {
    static_assert(std::endian::native == std::endian::little);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
    put(out, static_cast<std::uint64_t>(text.size()));
    out += text;
}

// The file's numbers of value types.
enum class ValueType : std::uint32_t { u32 = 4, i32 = 5, f32 = 6, boolean = 7, text = 8, array = 9 };

void put_type(std::string& out, ValueType type) {
    put(out, static_cast<std::uint32_t>(type));
}

struct ValueWriter {
    std::string& out;

    void operator()(bool v) const {
        put_type(out, ValueType::boolean), put(out, static_cast<std::uint8_t>(v));
    }
    void operator()(std::uint32_t v) const { put_type(out, ValueType::u32), put(out, v); }
    void operator()(std::int32_t v) const { put_type(out, ValueType::i32), put(out, v); }
    void operator()(float v) const { put_type(out, ValueType::f32), put(out, v); }
    void operator()(const std::string& v) const { put_type(out, ValueType::text), put_text(out, v); }
    void operator()(const std::vector<std::string>& v) const {
        array(v, ValueType::text, [this](const std::string& item) { put_text(out, item); });
    }
    void operator()(const std::vector<std::int32_t>& v) const {
        array(v, ValueType::i32, [this](std::int32_t item) { put(out, item); });
    }
    void operator()(const std::vector<float>& v) const {
        array(v, ValueType::f32, [this](float item) { put(out, item); });
    }

  private:
    template <class T, class PutItem>
    void array(const std::vector<T>& values, ValueType type, PutItem put_item) const {
        put_type(out, ValueType::array);
        put_type(out, type);
        put(out, static_cast<std::uint64_t>(values.size()));
        for (const T& value : values) put_item(value);
    }
};

std::string encode(const std::string& name, GgufType type, std::span<const float> values) {
    std::string out;
    for (const float value : values) {
        if (type == GgufType::f32) {
            put(out, value);
        } else if (type == GgufType::bf16) {
            put(out, bfloat16_from_float(value));
        } else {
            const std::uint16_t half = half_from_float(value);
            if (std::isfinite(value) && (half & 0x7fffu) == 0x7c00u) {
                fail("tensor " + name + " has " + std::to_string(value) +
                     ", too large for F16 (65504); write it as BF16 or F32");
            }
            put(out, half);
        }
    }
    return out;
}

}  // namespace

std::uint16_t half_from_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x1ffu));  // NaN
    const float absolute = std::bit_cast<float>(magnitude);
    if (absolute >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (absolute < 0x1p-14f) {  // subnormal halves are multiples of 2^-24; the addition rounds to them
        return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(absolute + 0.5f) & 0x7ffu));
    }
    // Rounds on the 13 bits that fall away; a carry into the exponent is right.
    const std::uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | ((rounded - (112u << 23)) >> 13));
}

std::uint16_t bfloat16_from_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return static_cast<std::uint16_t>((bits >> 16) | 0x40u);  // a quiet NaN
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

void GgufWriter::set(const std::string& key, GgufMetadata value) {
    if (key.empty()) fail("a metadata key is empty; give it a name");
    metadata_[key] = std::move(value);
}

void GgufWriter::add_tensor(const std::string& name, GgufType type, const std::vector<std::int64_t>& shape,
                            std::span<const float> values) {
    if (name.empty() || name.size() >= longest_name) {
        fail("the tensor name '" + name + "' has " + std::to_string(name.size()) + " bytes; use 1 to " +
             std::to_string(longest_name - 1));
    }
    if (std::any_of(tensors_.begin(), tensors_.end(), [&](const Tensor& t) { return t.name == name; })) {
        fail("tensor " + name + " is given twice; give each its own name");
    }
    if (type != GgufType::f32 && type != GgufType::f16 && type != GgufType::bf16) {
        fail("tensor " + name + " would be " + std::string(name_of(type)) + "; choose F32, F16 or BF16");
    }
    if (shape.empty() || shape.size() > 4) {
        fail("tensor " + name + " has " + std::to_string(shape.size()) + " dimensions; use 1 to 4");
    }
    std::uint64_t elements = 1;
    for (const std::int64_t size : shape) {
        if (size < 1 || static_cast<std::uint64_t>(size) > values.size() / elements) {
            fail("tensor " + name + " has a dimension of size " + std::to_string(size) + " and " +
                 std::to_string(values.size()) + " values; the sizes' product must be the number of values");
        }
        elements *= static_cast<std::uint64_t>(size);
    }
    if (elements != values.size()) {
        fail("tensor " + name + " has " + std::to_string(values.size()) +
             " values where its shape asks for " + std::to_string(elements) + "; give as many");
    }
    tensors_.push_back({name, type, shape, encode(name, type, values)});
}

void GgufWriter::write(const std::filesystem::path& path) const {
    std::string header;
    put(header, std::uint32_t{0x46554747});  // "GGUF"
    put(header, std::uint32_t{3});
    put(header, static_cast<std::uint64_t>(tensors_.size()));
    put(header, static_cast<std::uint64_t>(metadata_.size()));
    for (const auto& [key, value] : metadata_) {
        put_text(header, key);
        std::visit(ValueWriter{header}, value);
    }
    const std::string zeros(alignment, '\0');
    const auto padding = [](std::uint64_t size) { return (alignment - size % alignment) % alignment; };
    std::uint64_t offset = 0;
    std::vector<std::string_view> parts{{}};
    for (const Tensor& tensor : tensors_) {
        put_text(header, tensor.name);
        put(header, static_cast<std::uint32_t>(tensor.shape.size()));
        for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) {  // innermost first
            put(header, static_cast<std::uint64_t>(*size));
        }
        put(header, static_cast<std::uint32_t>(tensor.type));
        put(header, offset);
        parts.emplace_back(tensor.data);
        parts.push_back(std::string_view(zeros).substr(0, padding(tensor.data.size())));
        offset += tensor.data.size() + padding(tensor.data.size());
    }
    header.append(padding(header.size()), '\0');
    parts.front() = header;
    write_atomically(path, parts, operation);
}

}  // namespace plumbline
