#include "core/model/huge_pages.h"

#ifdef PLUMBLINE_TCMALLOC

#include <gperftools/malloc_extension.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace plumbline {
namespace {

constexpr std::size_t huge_page = 2u << 20, piece = 64u << 20;

std::size_t round_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

/// Called by tcmalloc under its lock: nothing here may allocate.
class HugePages : public SysAllocator {
  public:
    explicit HugePages(SysAllocator* former) : former_(former) {}

    void* Alloc(std::size_t size, std::size_t* actual_size, std::size_t alignment) override {
        alignment = std::max(alignment, huge_page);
        const std::size_t wanted = round_up(size, piece), asked = wanted + alignment;
        void* start = asked > size ? ::mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                   : MAP_FAILED;
        if (start == MAP_FAILED) return former_ != nullptr ? former_->Alloc(size, actual_size, alignment) : nullptr;
        const auto begin = reinterpret_cast<std::uintptr_t>(start), aligned = round_up(begin, alignment);
        if (aligned > begin) ::munmap(start, aligned - begin);
        if (const std::size_t behind = begin + asked - (aligned + wanted); behind > 0) {
            ::munmap(reinterpret_cast<void*>(aligned + wanted), behind);
        }
        ::madvise(reinterpret_cast<void*>(aligned), wanted, MADV_HUGEPAGE);   // a wish: without it, usual pages
        *actual_size = wanted;
        return reinterpret_cast<void*>(aligned);
    }

  private:
    SysAllocator* former_;
};

}  // namespace

bool grow_heap_in_huge_pages() {
    static const bool once = [] {
        MallocExtension& heap = *MallocExtension::instance();
        heap.SetSystemAllocator(new HugePages(heap.GetSystemAllocator()));   // as long as the heap: for ever
        return true;
    }();
    return once;
}

}  // namespace plumbline

#else

namespace plumbline {

bool grow_heap_in_huge_pages() { return false; }

}  // namespace plumbline

#endif
