#include "core/model/huge_pages.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace plumbline {
namespace {

/// The flags that the system keeps of the memory at `place`: "rd wr … hg" where large pages were asked for.
std::string flags_of(const void* place) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(place);
    std::ifstream maps("/proc/self/smaps");
    std::string line;
    for (bool inside = false; std::getline(maps, line);) {
        unsigned long begin = 0, end = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) inside = begin <= wanted && wanted < end;
        if (inside && line.starts_with("VmFlags:")) return line;
    }
    return "";
}

TEST(HugePages, AreAskedForWhereTheHeapGrows) {
    const auto large = [] { return at::ones({32 << 20}, at::kByte); };
    if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled")) {
        GTEST_SKIP() << "the system has no such pages";
    }
    const at::Tensor before = large();
    if (!grow_heap_in_huge_pages()) {
        GTEST_SKIP() << "this build has another allocator";
    }
    EXPECT_TRUE(grow_heap_in_huge_pages());
    const at::Tensor after = large();
    const auto flags = [](const at::Tensor& t) { return flags_of(t.const_data_ptr<std::uint8_t>() + (16 << 20)); };
    EXPECT_EQ(flags(before).find(" hg"), std::string::npos) << flags(before);
    EXPECT_NE(flags(after).find(" hg"), std::string::npos) << flags(after);
    EXPECT_TRUE(after.eq(1).all().item<bool>());
}

}  // namespace
}  // namespace plumbline
