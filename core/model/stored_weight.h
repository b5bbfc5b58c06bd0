#pragma once
// A frozen weight as its file stores it, for products of a few rows (stored_loops.h).

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/formats/stored_rows.h"
#include "core/model/decoder_config.h"

namespace plumbline {

/// Read from the file at its first product: what only trains needs none. Used on one thread at a time.
class StoredWeight {
  public:
    using Bytes = std::shared_ptr<const std::vector<std::byte>>;
    /// The blocks of a part, row by row.
    using Reader = std::function<Bytes(const StoredRows& part)>;

    /// The parts one below the other, all of the same width. nullptr where this processor cannot multiply by one of them.
    static std::shared_ptr<const StoredWeight> of(std::vector<StoredRows> parts, Reader read, Precision precision);

    /// Rows that product() takes at most.
    static std::int64_t most_rows();
    /// x: (N, in) f32, or bf16 where it was made for that, contiguous -> (N, out) of that type, outside autograd. Throws
    /// what the reader throws.
    at::Tensor product(const at::Tensor& x) const;

  private:
    StoredWeight(std::vector<StoredRows> parts, Reader read);

    std::vector<StoredRows> parts_;
    std::int64_t out_ = 0;
    mutable Reader read_;                 // until it has read
    mutable std::vector<Bytes> bytes_;    // of the parts
};

}  // namespace plumbline
