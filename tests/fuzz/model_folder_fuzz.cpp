// A model's folder: config.json, 0x1e, tokenizer_config.json, 0x1e, model.safetensors.index.json, 0x1e, the weights. A
// part that is empty is no file.

#include "tests/fuzz/model_use.h"

using namespace plumbline;

namespace {

std::filesystem::path file_or_none(std::string_view name, std::string_view bytes) {
    const auto path = fuzzing::file_of(name, bytes);
    if (bytes.empty()) std::filesystem::remove(path);
    return path;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto parts = fuzzing::parts_of(fuzzing::text_of(data, size), 4);
    file_or_none("config.json", parts[0]);
    file_or_none("tokenizer_config.json", parts[1]);
    file_or_none("model.safetensors.index.json", parts[2]);
    const auto folder = file_or_none("model.safetensors", parts[3]).parent_path();
    fuzzing::accepts([&] { fuzzing::read_all(ModelFiles(folder)); });
    return 0;
}
