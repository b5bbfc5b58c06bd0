#include "core/model/stored_weight.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <iterator>

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

std::shared_ptr<const StoredWeight> StoredWeight::of(std::vector<StoredRows> parts, Reader read, Precision precision) {
    const bool runs = std::ranges::all_of(parts, [&](const StoredRows& part) {
        return loops::multiplies_stored(part.type, precision == Precision::bf16);
    });
    return std::shared_ptr<const StoredWeight>(runs ? new StoredWeight(std::move(parts), std::move(read)) : nullptr);
}

StoredWeight::StoredWeight(std::vector<StoredRows> parts, Reader read) : parts_(std::move(parts)), read_(std::move(read)) {
    for (const StoredRows& part : parts_) {
        out_ += part.rows;
    }
}

std::int64_t StoredWeight::most_rows() { return loops::stored_rows; }

Tensor StoredWeight::product(const Tensor& x) const {
    if (read_) {
        std::vector<Bytes> all;
        std::ranges::transform(parts_, std::back_inserter(all), read_);
        bytes_ = std::move(all);
        read_ = nullptr;
    }
    const std::int64_t rows = x.size(0);
    Tensor y = at::empty({rows, out_}, x.options());
    std::int64_t column = 0;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const loops::StoredBlocks weight{parts_[i].type, bytes_[i]->data(), parts_[i].rows, parts_[i].columns};
        if (x.scalar_type() == at::kBFloat16) {
            multiply(weight, static_cast<const std::uint16_t*>(x.const_data_ptr()), rows,
                     static_cast<std::uint16_t*>(y.data_ptr()) + column, out_);
        } else {
            multiply(weight, x.const_data_ptr<float>(), rows, y.data_ptr<float>() + column, out_);
        }
        column += weight.outputs;
    }
    return y;
}

}  // namespace plumbline
