#pragma once
// A policy of its own weights, as the files of models have them.

#include "core/formats/weight_source.h"
#include "core/model/full_weights.h"

namespace plumbline {

/// Keeps a reference to the weights.
class FullWeightsSource : public WeightSource {
  public:
    explicit FullWeightsSource(const FullWeights& weights) : weights_(weights) {}
    void read(const TensorId& id, std::span<float> out) const override;

  private:
    at::Tensor of_block(const TensorId& id) const;
    at::Tensor of(const TensorId& id) const;

    const FullWeights& weights_;
};

}  // namespace plumbline
