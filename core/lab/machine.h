#pragma once
// What this machine has and how the arithmetic library is told to use it.

#include <cstdint>
#include <string>

namespace plumbline {

struct EngineOptions;

std::int64_t resident_bytes();   // of this process
std::int64_t peak_bytes();       // of this process, resident, since it began
std::int64_t memory_bytes();     // of the machine
std::int64_t available_bytes();  // of the machine: what can be had without swapping
int physical_cores();
/// Sets the library's thread count (0: physical cores) for the calling thread's work; returns it.
int use_threads(int threads);
/// Throws ConfigError for a device that this machine does not offer. Returns its name for people: "CPU".
std::string check_device(const std::string& device);

}  // namespace plumbline
