#include "tests/support/allocation_watch.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local bool watching = false;
thread_local std::size_t largest_seen = 0;

}  // namespace

// Replaces the global operator in programs that use AllocationWatch; the other forms call this one.
void* operator new(std::size_t size) {
    if (watching) largest_seen = std::max(largest_seen, size);
    if (void* memory = std::malloc(std::max<std::size_t>(size, 1))) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace plumbline::testing {

AllocationWatch::AllocationWatch() {
    largest_seen = 0;
    watching = true;
}

AllocationWatch::~AllocationWatch() {
    watching = false;
}

std::size_t AllocationWatch::largest() const {
    return largest_seen;
}

}  // namespace plumbline::testing
