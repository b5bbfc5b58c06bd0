#pragma once
// For loops over plain memory: each function is compiled once for plain x86-64, once for AVX2 and once for AVX-512, and
// the one for the processor at hand is chosen at start. Other processors have the plain one.

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define PART_OF_LOOP inline __attribute__((always_inline))
