// Tensors as f32. Each product and sum is rounded on its own, in ggml's order, so the numbers equal the reference to
// the last bit (the block_*.cpp files are compiled without contraction to fused multiply-add).

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "core/api/errors.h"
#include "core/formats/block_formats.h"
#include "core/formats/byte_reader.h"

namespace plumbline {

static_assert(std::endian::native == std::endian::little, "the formats are read in place, little endian");

const BlockFormat* find_format(GgufType type) {
    for (const auto formats :
         {float_formats(), nibble_formats(), k_formats(), table_formats(), codebook_formats()}) {
        const auto found =
            std::find_if(formats.begin(), formats.end(), [&](const BlockFormat& f) { return f.type == type; });
        if (found != formats.end()) return &*found;
    }
    return nullptr;
}

std::string_view name_of(GgufType type) {
    const BlockFormat* format = find_format(type);
    return format != nullptr ? format->name : "unknown";
}

GgufBlock block_of(GgufType type) {
    const BlockFormat* format = find_format(type);
    return format != nullptr ? format->block : GgufBlock{};
}

void dequantize(const GgufTensor& tensor, std::span<float> out) {
    if (static_cast<std::int64_t>(out.size()) != tensor.elements) {
        throw std::logic_error("dequantize: " + tensor.name + " has " + std::to_string(tensor.elements) +
                               " elements, the output has " + std::to_string(out.size()) + " places");
    }
    const BlockFormat* format = find_format(tensor.type);
    if (format == nullptr) throw std::logic_error("dequantize: " + tensor.name + " has an unknown type");
    if (format->decode == nullptr) {
        throw Error("open model", "tensor " + shown(tensor.name) + " is " + std::string(format->name) +
                                      ", whole numbers where weights should be; use a file with float or "
                                      "quantised weights");
    }
    const auto elements = static_cast<std::size_t>(format->block.elements);
    const std::size_t blocks = out.size() / elements;
    if (blocks * elements != out.size() ||
        blocks * static_cast<std::size_t>(format->block.bytes) != tensor.data.size()) {
        throw std::logic_error("dequantize: " + tensor.name + " has bytes that do not fit its elements");
    }
    format->decode(reinterpret_cast<const unsigned char*>(tensor.data.data()), blocks, out.data());
}

}  // namespace plumbline
