#pragma once
// A frozen weight as its file stores it, for products of a few rows (stored_loops.h).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/formats/stored_rows.h"
#include "core/model/decoder_config.h"

namespace plumbline {

/// Read from the file at its first product: what only trains needs none. Used on one thread at a time.
class StoredWeight {
  public:
    /// The parts one below the other, all of the same width. nullptr where this processor cannot multiply by one of them.
    static std::shared_ptr<const StoredWeight> of(std::vector<StoredRows> parts, std::shared_ptr<const KeptFile> file,
                                                  Precision precision);

    /// Rows that product() takes at most.
    static std::int64_t most_rows();
    /// x: (N, in) f32, or bf16 where it was made for that, contiguous -> (N, out) of that type, outside autograd. Throws
    /// Error when the file is no longer what it was.
    at::Tensor product(const at::Tensor& x) const;

  private:
    StoredWeight(std::vector<StoredRows> parts, std::shared_ptr<const KeptFile> file);

    std::vector<StoredRows> parts_;
    mutable std::shared_ptr<const KeptFile> file_;             // until they are read
    mutable std::vector<std::vector<std::byte>> bytes_;        // of the parts
};

}  // namespace plumbline
