#pragma once

#include <cstdint>

#include "core/model/each_processor.h"

namespace plumbline::loops {

// Sixteen floats anywhere in memory: one register with AVX-512, two with AVX2, four without.
using Lanes = float __attribute__((vector_size(64), aligned(4), may_alias));
inline constexpr std::int64_t lanes = 16;

PART_OF_LOOP void load(const float* from, Lanes& to) { to = *reinterpret_cast<const Lanes*>(from); }
PART_OF_LOOP void store(const Lanes& from, float* to) { *reinterpret_cast<Lanes*>(to) = from; }

}  // namespace plumbline::loops
