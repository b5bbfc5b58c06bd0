#pragma once
// What a policy has of its own: low-rank matrices beside the frozen backbone (lora.h), or weights in place of all of
// it (full_weights.h). The decoder asks it at each layer; no adapter is the reference.

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/model/decoder_config.h"
#include "core/model/frozen_linear.h"
#include "core/model/linear_input.h"

namespace plumbline {

/// The products of a block as they are computed: q, k, v are one, gate and up another.
enum class BlockProduct { qkv, output, gate_up, down };
inline constexpr int block_products = 4;

/// Trainable weights of one policy. Used on one thread at a time.
class Adapter {
  public:
    virtual ~Adapter() = default;
    /// The same weights in tensors of their own, without gradients.
    virtual std::unique_ptr<Adapter> copy() const = 0;
    /// The same weights, shared, as many products take them best while they stay as they are; nullptr: as they lie.
    virtual std::unique_ptr<Adapter> laid_out() const { return nullptr; }

    /// Blocks before it are the backbone's.
    virtual int first_block() const = 0;
    /// Whether the states that enter the first block, and the output layer, are its own: nothing of the backbone's
    /// forward pass can then be kept between steps.
    virtual bool owns_embedding() const { return false; }

    /// All matrices in a fixed order, and their names for errors and files.
    virtual std::vector<at::Tensor> tensors() const = 0;
    virtual std::vector<std::string> tensor_names() const = 0;
    /// Moves towards the backbone: `factor` 1 stays, 0 is the backbone.
    virtual void shrink(double factor) = 0;
    void require_grad(bool on) {
        for (at::Tensor& t : tensors()) {
            t.requires_grad_(on);
        }
    }

    // What the decoder computes with; by default the backbone's.
    /// A whole product, (N, out).
    virtual at::Tensor linear(const FrozenLinear& frozen, const LinearInput& input, int, BlockProduct) const {
        return frozen(input);
    }
    /// A norm's weight or a bias.
    virtual at::Tensor vector(const at::Tensor& frozen, int, BlockVector) const { return frozen; }
    virtual at::Tensor final_norm(const at::Tensor& frozen) const { return frozen; }        // (D)
    virtual at::Tensor final_norm_bias(const at::Tensor& frozen) const { return frozen; }   // (D)
    /// Only asked when it owns the embedding: (V, D) each, and the table of learned positions.
    virtual at::Tensor embedding() const { return {}; }
    virtual at::Tensor output_layer() const { return {}; }
    virtual at::Tensor positions() const { return {}; }

  protected:
    Adapter() = default;
    Adapter(const Adapter&) = default;
    Adapter(Adapter&&) = default;
    Adapter& operator=(const Adapter&) = default;
    Adapter& operator=(Adapter&&) = default;
};

}  // namespace plumbline
