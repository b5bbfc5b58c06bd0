#include "core/model/processor.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif
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

namespace {

// Not every compiler knows AMX by name.
bool knows_amx() {
#if defined(__x86_64__) && defined(__GNUC__)
    constexpr unsigned bf16 = 1u << 22, tile = 1u << 24;   // EDX of leaf 7
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & bf16) != 0 && (d & tile) != 0;
#else
    return false;
#endif
}

}  // namespace

// A process must ask for the unit's large registers.
bool has_tiles() {
#if defined(__x86_64__) && defined(__linux__)
    constexpr long request_permission = 0x1023, tile_data = 18;   // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    static const bool has =
        has_avx512_bf16() && knows_amx() && ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
    return has;
#else
    return false;
#endif
}

}  // namespace plumbline
