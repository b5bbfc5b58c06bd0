#include "core/training/make_optimizer.h"

#include "core/training/sgd.h"

namespace plumbline {

std::unique_ptr<Optimizer> make_optimizer(OptimizerKind kind, std::vector<at::Tensor> parameters,
                                          std::vector<std::string> names, const AdamWSettings& adam) {
    if (kind == OptimizerKind::sgd) {
        return std::make_unique<Sgd>(std::move(parameters), std::move(names));
    }
    return std::make_unique<AdamW>(std::move(parameters), std::move(names), adam);
}

}  // namespace plumbline
