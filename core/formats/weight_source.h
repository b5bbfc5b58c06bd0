#pragma once
// Where the weights of a written model come from.

#include <map>
#include <span>
#include <string>

#include "core/formats/model_files.h"
#include "core/formats/peft.h"

namespace plumbline {

/// A decoder's tensors as f32, whole, in the decoder's own order.
class WeightSource {
  public:
    virtual ~WeightSource() = default;
    /// `out` has the tensor's size.
    virtual void read(const TensorId& id, std::span<float> out) const = 0;
};

/// A model with an adapter worked in: W + scale * B A, in f32 from the file's own weights. Keeps references to both.
class MergedWeights : public WeightSource {
  public:
    /// `adapter` may be null. Throws Error "export: …" for an adapter of another model.
    MergedWeights(const ModelFiles& model, const PeftAdapter* adapter);
    void read(const TensorId& id, std::span<float> out) const override;

  private:
    void add_product(const TensorId& id, std::span<float> out) const;

    const ModelFiles& model_;
    const PeftAdapter* adapter_;
};

}  // namespace plumbline
