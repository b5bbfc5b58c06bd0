#include "core/formats/file_tensors.h"

#include <algorithm>

namespace plumbline {

namespace {

std::size_t size_of(const DecoderConfig& config, Part part, bool bias) {
    const TensorShape shape = shape_of(config, part, bias);
    return static_cast<std::size_t>(shape.rows * std::max<std::int64_t>(shape.columns, 1));
}

/// The parts one after the other, each as the decoder has it, become the file's tensor.
void fill_module(const Module& module, const DecoderConfig& config, const WeightSource& source, int block, bool bias,
                 std::span<float> out) {
    std::vector<float> parts(out.size());
    std::size_t at = 0;
    for (const Part part : module.parts) {
        const std::size_t size = size_of(config, part, bias);
        source.read({part, block, bias}, std::span(parts).subspan(at, size));
        at += size;
    }
    const std::int64_t columns = shape_of(config, module.parts.front(), bias).columns;
    const auto width = static_cast<std::size_t>(std::max<std::int64_t>(columns, 1));
    const std::size_t rows = out.size() / width;
    if (module.layout == Layout::columns && !bias) {
        for (std::size_t row = 0; row < rows; ++row) {
            for (std::size_t i = 0; i < width; ++i) {
                out[i * rows + row] = parts[row * width + i];
            }
        }
    } else if (module.layout == Layout::pairs || module.layout == Layout::by_head) {
        const std::vector<std::int64_t> places = places_of_rows(module, config);
        for (std::size_t row = 0; row < rows; ++row) {
            std::copy_n(&parts[row * width], width, &out[static_cast<std::size_t>(places[row]) * width]);
        }
    } else {
        std::ranges::copy(parts, out.begin());
    }
    if (module.added != 0) {
        for (float& value : out) {
            value -= static_cast<float>(module.added);
        }
    }
}

void add_module(const Module& module, const DecoderConfig& config, const WeightSource& source, int block,
                std::vector<FileTensor>& out) {
    for (const bool bias : {false, true}) {
        std::vector<std::int64_t> shape = stored_shape(module, config, bias);
        if (!shape.empty()) {
            out.push_back({name_in_block(module, block) + (bias ? ".bias" : ".weight"), std::move(shape),
                           [&module, &config, &source, block, bias](std::span<float> values) {
                               fill_module(module, config, source, block, bias, values);
                           }});
        }
    }
}

}  // namespace

std::vector<FileTensor> file_tensors(const std::vector<Module>& modules, const DecoderConfig& config,
                                     const WeightSource& source) {
    std::vector<FileTensor> out;
    const auto add_all = [&](bool of_block, int block) {
        for (const Module& module : modules) {
            if (is_of_block(module.parts.front()) == of_block) {
                add_module(module, config, source, block, out);
            }
        }
    };
    add_all(false, 0);
    for (int block = 0; block < config.blocks; ++block) {
        add_all(true, block);
    }
    return out;
}

}  // namespace plumbline
