// CUDA without linking it: the library's own CUDA part is loaded where it is installed.

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <charconv>
#include <cstdlib>

#include "core/api/errors.h"
#include "core/lab/machine.h"

namespace plumbline {

namespace {

struct Cuda {
    int devices = 0;
    std::string reason;   // of having none
};

Cuda load_cuda() {
    // Read once by cuBLAS: one workspace of a fixed size a stream, so that a product rounds alike each time.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
    if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        const char* error = dlerror();
        return {0, std::string(error ? error : "libtorch_cuda.so is missing") + "; run packaging/install.sh --cuda"};
    }
    Cuda cuda;
    try {
        cuda.devices = at::detail::getCUDAHooks().deviceCount();
    } catch (const std::exception&) {
        cuda.devices = 0;
    }
    if (cuda.devices == 0) {
        cuda.reason = "the driver shows none; see nvidia-smi";
        return cuda;
    }
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
    at::globalContext().setAllowTF32CuBLAS(false);   // f32 means f32
    return cuda;
}

const Cuda& cuda() {
    static const Cuda found = load_cuda();
    return found;
}

int index_of(const std::string& name) {
    constexpr std::string_view prefix = "cuda:";
    if (!name.starts_with(prefix)) {
        return 0;
    }
    int index = -1;
    const char *first = name.data() + prefix.size(), *last = name.data() + name.size();
    const auto [end, error] = std::from_chars(first, last, index);
    return error == std::errc() && end == last ? index : -1;
}

}  // namespace

at::Device find_device(const std::string& name) {
    if (name == "cpu") {
        return at::kCPU;
    }
    if (name == "auto") {
        return cuda().devices > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
    }
    const int index = name == "cuda" || name.starts_with("cuda:") ? index_of(name) : -1;
    if (index < 0) {
        throw ConfigError("settings", "device '" + name + "' is not known; choose auto, cpu, cuda or cuda:N");
    }
    if (index >= cuda().devices) {
        throw ConfigError("settings", "device '" + name + "' is not available: there are " +
                                          std::to_string(cuda().devices) + " CUDA devices" +
                                          (cuda().reason.empty() ? "" : " (" + cuda().reason + ")") + "; choose cpu");
    }
    return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

std::string title_of(const at::Device& device) {
    return device.is_cpu() ? "CPU" : "GPU " + std::to_string(device.index());
}

std::optional<std::int64_t> free_device_bytes(const at::Device& device) {
    // The library needs the CUDA runtime itself, so it is loaded: its C interface needs no header.
    const auto set = reinterpret_cast<int (*)(int)>(dlsym(RTLD_DEFAULT, "cudaSetDevice"));
    const auto info = reinterpret_cast<int (*)(std::size_t*, std::size_t*)>(dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
    std::size_t free = 0, all = 0;
    if (!set || !info || set(device.index()) != 0 || info(&free, &all) != 0) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(free);
}

}  // namespace plumbline
