// An adapter folder: adapter_config.json, 0x1e, adapter_model.safetensors.

#include "core/formats/peft.h"
#include "tests/fuzz/fuzzing.h"

using namespace plumbline;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto parts = fuzzing::parts_of(fuzzing::text_of(data, size), 2);
    fuzzing::file_of("adapter_config.json", parts[0]);
    const auto folder = fuzzing::file_of("adapter_model.safetensors", parts[1]).parent_path();
    fuzzing::accepts([&] {
        const PeftAdapter adapter = read_peft(folder);
        // What was read is written so that it reads the same.
        const auto copy = folder / "copy";
        write_peft(copy, adapter);
        const PeftAdapter again = read_peft(copy);
        fuzzing::promise(again.rank == adapter.rank && again.rslora == adapter.rslora);
        fuzzing::promise(again.lora.size() == adapter.lora.size() && again.saved.size() == adapter.saved.size());
    });
    return 0;
}
