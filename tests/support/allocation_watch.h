#pragma once
// Sees the largest single allocation that the code under test asks for.

#include <cstddef>

namespace plumbline::testing {

/// Watches `operator new` on this thread from construction on. One at a time.
class AllocationWatch {
  public:
    AllocationWatch();
    ~AllocationWatch();
    AllocationWatch(const AllocationWatch&) = delete;
    AllocationWatch& operator=(const AllocationWatch&) = delete;
    std::size_t largest() const;
};

}  // namespace plumbline::testing
