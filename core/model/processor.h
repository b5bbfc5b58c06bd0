#pragma once
// What the processor at hand can do, for kernels that are compiled for some only.

namespace plumbline {

/// AVX-512 as on servers since Skylake and on Zen 4.
bool has_avx512();
/// The same with products of bf16.
bool has_avx512_bf16();
/// AMX, a unit that multiplies tiles of bf16; this process may use it from then on.
bool has_tiles();

}  // namespace plumbline
