#include "core/model/processor.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace plumbline {

#if defined(__x86_64__) && defined(__GNUC__)

bool has_avx512() {
    static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    return has;
}

bool has_avx512_bf16() { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }

#else

bool has_avx512() { return false; }
bool has_avx512_bf16() { return false; }

#endif

// A process must ask for the unit's large registers.
bool has_tiles() {
#if defined(__x86_64__) && defined(__GNUC__) && defined(__linux__)
    constexpr long request_permission = 0x1023, tile_data = 18;   // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    static const bool has = has_avx512_bf16() && __builtin_cpu_supports("amx-bf16") &&
                            ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
    return has;
#else
    return false;
#endif
}

}  // namespace plumbline
