#include "core/model/onednn.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <cstdlib>

namespace plumbline::onednn {

using at::Tensor;

namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;

// A kernel and its memory for every number of rows that came by: in a session, where each pair has its own, the library's
// own limits (1024 each) took 20 MB more with every click. Read at its first product, so set before main.
const bool few_kernels_kept = [] {
    constexpr int keep_what_the_user_set = 0;
    ::setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64", keep_what_the_user_set);
    ::setenv("LRU_CACHE_CAPACITY", "64", keep_what_the_user_set);
    return true;
}();

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
