#include "core/formats/gguf_writer.h"

#include <bit>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"
#include "core/formats/quantize.h"

namespace plumbline {
namespace {

constexpr const char* operation = "write GGUF";
constexpr std::size_t alignment = 32;     // the format's default
constexpr std::size_t longest_name = 64;  // as GGUF readers expect
constexpr std::uint64_t most_elements = std::uint64_t{1} << 48;

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
    void operator()(const GgufStored& v) const { out += v.bytes; }
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

}  // namespace

void GgufWriter::set(const std::string& key, GgufMetadata value) {
    if (key.empty()) fail("a metadata key is empty; give it a name");
    metadata_[key] = std::move(value);
}

GgufWriter::Tensor GgufWriter::checked(const std::string& name, GgufType type,
                                       const std::vector<std::int64_t>& shape) const {
    if (name.empty() || name.size() >= longest_name) {
        fail("the tensor name '" + name + "' has " + std::to_string(name.size()) + " bytes; use 1 to " +
             std::to_string(longest_name - 1));
    }
    if (!can_write(type)) {
        fail("tensor " + name + " would be " + std::string(name_of(type)) +
             "; choose F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1 or Q4_0");
    }
    if (shape.empty() || shape.size() > 4) {
        fail("tensor " + name + " has " + std::to_string(shape.size()) + " dimensions; use 1 to 4");
    }
    std::uint64_t elements = 1;
    for (const std::int64_t size : shape) {
        if (size < 1 || static_cast<std::uint64_t>(size) > most_elements / elements) {
            fail("tensor " + name + " has a dimension of size " + std::to_string(size) +
                 "; use sizes of at least 1 whose product is a number of values");
        }
        elements *= static_cast<std::uint64_t>(size);
    }
    const GgufBlock block = block_of(type);
    if (shape.back() % block.elements != 0) {
        fail("tensor " + name + " has rows of " + std::to_string(shape.back()) + ", not a multiple of " +
             std::to_string(block.elements) + " as " + std::string(name_of(type)) + " needs; write it as F16");
    }
    if (names_.contains(name)) fail("tensor " + name + " is given twice; give each its own name");
    const std::uint64_t blocks = elements / static_cast<std::uint64_t>(block.elements);
    return {name, type, shape, elements, blocks * static_cast<std::uint64_t>(block.bytes), {}};
}

void GgufWriter::add(Tensor tensor) {
    names_.insert(tensor.name);
    tensors_.push_back(std::move(tensor));
}

void GgufWriter::add_tensor(const std::string& name, GgufType type, const std::vector<std::int64_t>& shape,
                            Fill fill) {
    Tensor tensor = checked(name, type, shape);
    tensor.data = [name, type, elements = tensor.elements, fill = std::move(fill)] {
        std::vector<float> values(elements);
        fill(values);
        return quantize(name, type, values);
    };
    add(std::move(tensor));
}

void GgufWriter::add_tensor(const std::string& name, GgufType type, const std::vector<std::int64_t>& shape,
                            std::span<const float> values) {
    Tensor tensor = checked(name, type, shape);
    if (tensor.elements != values.size()) {
        fail("tensor " + name + " has " + std::to_string(values.size()) + " values where its shape asks for " +
             std::to_string(tensor.elements) + "; give as many");
    }
    tensor.data = [data = quantize(name, type, values)] { return data; };
    add(std::move(tensor));
}

void GgufWriter::write(const std::filesystem::path& path, const std::function<void(double)>& before_each) const {
    std::string header;
    put(header, std::uint32_t{0x46554747});  // "GGUF"
    put(header, std::uint32_t{3});
    put(header, static_cast<std::uint64_t>(tensors_.size()));
    put(header, static_cast<std::uint64_t>(metadata_.size()));
    for (const auto& [key, value] : metadata_) {
        put_text(header, key);
        std::visit(ValueWriter{header}, value);
    }
    const auto padding = [](std::uint64_t size) { return (alignment - size % alignment) % alignment; };
    std::uint64_t offset = 0;
    for (const Tensor& tensor : tensors_) {
        put_text(header, tensor.name);
        put(header, static_cast<std::uint32_t>(tensor.shape.size()));
        for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) {  // innermost first
            put(header, static_cast<std::uint64_t>(*size));
        }
        put(header, static_cast<std::uint32_t>(tensor.type));
        put(header, offset);
        offset += tensor.bytes + padding(tensor.bytes);
    }
    header.append(padding(header.size()), '\0');

    AtomicFile file(path, operation);
    file.write(header);
    std::uint64_t done = 0;
    for (const Tensor& tensor : tensors_) {
        if (before_each) before_each(static_cast<double>(done) / static_cast<double>(offset));
        file.write(tensor.data());
        file.write(std::string(padding(tensor.bytes), '\0'));
        done += tensor.bytes + padding(tensor.bytes);
    }
    if (before_each) before_each(1.0);
    file.put_in_place();
}

}  // namespace plumbline
