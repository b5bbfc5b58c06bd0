#pragma once
// What this machine has of memory, and whether a model's need fits into it.

#include <cstdint>

namespace plumbline {

struct MachineMemory {
    std::int64_t total = 0;      // bytes
    std::int64_t available = 0;  // that can be had now without swapping
};
MachineMemory machine_memory();

enum class Fit {
    yes,
    when_freed,  // the machine has it, other programs hold it
    no,
};
Fit fit(std::int64_t need, const MachineMemory& memory);

}  // namespace plumbline
