#pragma once
// The tensors of a model as a kind of file calls and lays them.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/formats/weight_source.h"

namespace plumbline {

struct FileTensor {
    std::string name;
    std::vector<std::int64_t> shape;                   // row-major, outermost first
    std::function<void(std::span<float>)> fill;        // values, row-major; keeps a reference to the source
};

/// All tensors that `config` has, in the order of its blocks. `modules` is family.folder or family.gguf.
std::vector<FileTensor> file_tensors(const std::vector<Module>& modules, const DecoderConfig& config,
                                     const WeightSource& source);

}  // namespace plumbline
