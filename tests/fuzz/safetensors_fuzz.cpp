// A safetensors file: its header, and the values of whatever tensors it lists.

#include "core/formats/safetensors.h"
#include "tests/fuzz/fuzzing.h"

using namespace plumbline;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto path = fuzzing::file_of("weights.safetensors", fuzzing::text_of(data, size));
    fuzzing::accepts([&] {
        const SafetensorsFile file(path);
        for (const auto& [name, tensor] : file.tensors()) {
            std::size_t elements = 1;
            for (const std::int64_t length : tensor.shape) elements *= static_cast<std::size_t>(length);
            fuzzing::accepts([&] { fuzzing::promise(as_floats(tensor).size() == elements); });
        }
    });
    return 0;
}
