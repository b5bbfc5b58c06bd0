#include "core/model/stored_loops.h"

#include <vector>

#include "core/model/stored_kernels.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace plumbline::loops {

namespace {

#if defined(__x86_64__) && defined(__GNUC__)

bool has_avx512() {
    static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    return has;
}

bool has_bf16() { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }

// A process must ask for the unit's large registers.
bool has_tiles() {
#ifdef __linux__
    constexpr long request_permission = 0x1023, tile_data = 18;   // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    static const bool has = has_bf16() && stored_tiles_built() && __builtin_cpu_supports("amx-bf16") &&
                            ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
    return has;
#else
    return false;
#endif
}

#else

bool has_avx512() { return false; }
bool has_bf16() { return false; }
bool has_tiles() { return false; }

#endif

}  // namespace

bool multiplies_stored(GgufType type, bool rounded) {
    return rounded ? has_bf16() && stored_bf16_knows(type) : has_avx512() && stored_f32_knows(type);
}

void stored_product(const StoredBlocks& weight, const float* x, std::int64_t rows, std::int64_t begin, std::int64_t end,
                    float* y, std::int64_t stride) {
    stored_f32(weight, x, rows, begin, end, y, stride);
}

void stored_product(const StoredBlocks& weight, const std::uint16_t* x, std::int64_t rows, std::int64_t begin,
                    std::int64_t end, std::uint16_t* y, std::int64_t stride) {
    if (!has_tiles()) {
        stored_bf16(weight, x, rows, begin, end, y, stride);
        return;
    }
    thread_local std::vector<std::uint16_t> turned;
    turned.resize(static_cast<std::size_t>(stored_rows * weight.in));
    turn_for_tiles(x, rows, weight.in, turned.data());
    stored_tiles(weight, turned.data(), rows, begin, end, y, stride);
}

}  // namespace plumbline::loops
