#pragma once
// What this machine has and how the arithmetic library is told to use it.

#include <cstdint>
#include <optional>
#include <string>

#include <c10/core/Device.h>

namespace plumbline {

struct EngineOptions;

std::int64_t resident_bytes();   // of this process
std::int64_t peak_bytes();       // of this process, resident, since it began
std::int64_t memory_bytes();     // of the machine
std::int64_t available_bytes();  // of the machine: what can be had without swapping
int physical_cores();
/// Sets the library's thread count (0: physical cores) for the calling thread's work; returns it.
int use_threads(int threads);
/// The device of EngineOptions::device. CUDA devices exist where libtorch_cuda is installed beside the library and a
/// driver answers; "auto" takes the first of them, else the CPU. Throws ConfigError for one that this machine does not
/// offer, with the reason. A CUDA device computes the same again to the last bit from then on.
at::Device find_device(const std::string& name);
std::string title_of(const at::Device& device);   // "CPU", "GPU 0"
/// Bytes free on a CUDA device; nothing where its driver does not tell.
std::optional<std::int64_t> free_device_bytes(const at::Device& device);

}  // namespace plumbline
