#include "core/model/stored_weight.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

#include "core/model/stored_loops.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr std::int64_t weights_a_thread = 1 << 16;   // fewer cost more to hand over than to multiply

template <typename Number>
void multiply(const loops::StoredBlocks& weight, const Number* x, std::int64_t rows, Number* y, std::int64_t stride) {
    const std::int64_t groups = (weight.outputs + loops::stored_group - 1) / loops::stored_group;
    const std::int64_t least = std::max<std::int64_t>(1, weights_a_thread / (loops::stored_group * weight.in));
    at::parallel_for(0, groups, least, [&](std::int64_t begin, std::int64_t end) {
        loops::stored_product(weight, x, rows, begin * loops::stored_group,
                              std::min(end * loops::stored_group, weight.outputs), y, stride);
    });
}

}  // namespace

std::shared_ptr<const StoredWeight> StoredWeight::of(std::vector<StoredRows> parts, std::shared_ptr<const KeptFile> file,
                                                     Precision precision) {
    const bool runs = std::ranges::all_of(parts, [&](const StoredRows& part) {
        return loops::multiplies_stored(part.type, precision == Precision::bf16);
    });
    return std::shared_ptr<const StoredWeight>(runs ? new StoredWeight(std::move(parts), std::move(file)) : nullptr);
}

StoredWeight::StoredWeight(std::vector<StoredRows> parts, std::shared_ptr<const KeptFile> file)
    : parts_(std::move(parts)), file_(std::move(file)) {}

std::int64_t StoredWeight::most_rows() { return loops::stored_rows; }

Tensor StoredWeight::product(const Tensor& x) const {
    if (file_) {
        for (const StoredRows& part : parts_) {
            bytes_.push_back(part.read(*file_));
        }
        file_.reset();
    }
    std::int64_t width = 0;
    for (const StoredRows& part : parts_) {
        width += part.rows;
    }
    const std::int64_t rows = x.size(0);
    Tensor y = at::empty({rows, width}, x.options());
    for (std::size_t i = 0, column = 0; i < parts_.size(); column += static_cast<std::size_t>(parts_[i].rows), ++i) {
        const loops::StoredBlocks weight{parts_[i].type, bytes_[i].data(), parts_[i].rows, parts_[i].columns};
        if (x.scalar_type() == at::kBFloat16) {
            multiply(weight, static_cast<const std::uint16_t*>(x.const_data_ptr()), rows,
                     static_cast<std::uint16_t*>(y.data_ptr()) + column, width);
        } else {
            multiply(weight, x.const_data_ptr<float>(), rows, y.data_ptr<float>() + column, width);
        }
    }
    return y;
}

}  // namespace plumbline
