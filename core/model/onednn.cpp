#include "core/model/onednn.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

namespace plumbline::onednn {

using at::Tensor;

namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;

}  // namespace

Tensor pack(const Tensor& weight) {
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                               .typed<Tensor(const Tensor&, std::optional<c10::SymInt>)>();
    static const std::optional<c10::SymInt> any_rows;
    return op.call(weight, any_rows);
}

Tensor product(const Tensor& x, const Tensor& weight) {
    if (!x.is_cpu()) {
        return at::linear(x, weight);
    }
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
                               .typed<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&,
                                             c10::string_view, Scalars, std::optional<c10::string_view>)>();
    static const Scalars no_scalars;
    return op.call(x, weight, std::nullopt, "none", no_scalars, "");
}

}  // namespace plumbline::onednn
