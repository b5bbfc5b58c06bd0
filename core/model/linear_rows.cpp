#include "core/model/linear_rows.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "core/model/row_loops.h"

namespace plumbline {

namespace {

template <typename Number>
Number* scratch(std::int64_t n) {
    thread_local std::vector<Number> numbers;
    numbers.resize(static_cast<std::size_t>(n));
    return numbers.data();
}

}  // namespace

LinearRows::LinearRows(const LinearInput& input)
    : x_(input.x.contiguous()), kind_(input.kind), norm_weight_(input.norm_weight), eps_(static_cast<float>(input.norm_eps)),
      in_(input.kind == LinearInput::Kind::swiglu ? x_.size(1) / 2 : x_.size(1)) {}

const float* LinearRows::floats(std::int64_t row, std::int64_t n) const {
    const float* from = x_.const_data_ptr<float>() + row * x_.size(1);
    if (is_plain()) {
        return from;
    }
    float* out = scratch<float>(n * in_);
    kind_ == LinearInput::Kind::swiglu ? loops::swiglu(from, n, in_, out)
                                       : loops::rms_norm(from, norm_weight_.const_data_ptr<float>(), eps_, n, in_, out);
    return out;
}

const std::uint16_t* LinearRows::bf16(std::int64_t row, std::int64_t n) const {
    const std::int64_t first = row * x_.size(1);
    if (is_plain()) {
        return static_cast<const std::uint16_t*>(x_.const_data_ptr()) + first;
    }
    std::uint16_t* out = scratch<std::uint16_t>(n * in_);
    if (kind_ == LinearInput::Kind::rms_norm) {
        loops::rms_norm(x_.const_data_ptr<float>() + first, norm_weight_.const_data_ptr<float>(), eps_, n, in_, out);
    } else if (holds_bf16()) {
        loops::swiglu(static_cast<const std::uint16_t*>(x_.const_data_ptr()) + first, n, in_, out);
    } else {
        loops::swiglu(x_.const_data_ptr<float>() + first, n, in_, out);
    }
    return out;
}

void LinearRows::backward(std::int64_t row, std::int64_t n, const float* grad, float* grad_x, float* value) const {
    const float* from = x_.const_data_ptr<float>() + row * x_.size(1);
    switch (kind_) {
        case LinearInput::Kind::rms_norm:
            loops::rms_norm_backward(from, norm_weight_.const_data_ptr<float>(), grad, eps_, n, in_, grad_x);
            loops::rms_norm(from, norm_weight_.const_data_ptr<float>(), eps_, n, in_, value);
            break;
        case LinearInput::Kind::swiglu: loops::swiglu_backward(from, grad, n, in_, grad_x, value); break;
        default: std::copy(grad, grad + n * in_, grad_x);
    }
}

}  // namespace plumbline
