// A model file: header, metadata, tensor directory, the values of whatever tensors it lists, and the model that they
// make.

#include "tests/fuzz/model_use.h"

using namespace plumbline;

namespace {

/// Asks for every value under every type.
void read_metadata(const GgufFile& file) {
    for (const auto& [key, value] : file.metadata()) {
        fuzzing::accepts([&] { file.find_text(key); });
        fuzzing::accepts([&] { file.find_integer(key, -1, 1 << 20); });
        fuzzing::accepts([&] { file.find_real(key); });
        fuzzing::accepts([&] { file.find_flag(key); });
        fuzzing::accepts([&] { file.find_texts(key); });
        fuzzing::accepts([&] { file.find_integers(key); });
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto path = fuzzing::file_of("model.gguf", fuzzing::text_of(data, size));
    fuzzing::accepts([&] {
        const GgufFile file(path);
        read_metadata(file);
        for (const GgufTensor& tensor : file.tensors()) {
            fuzzing::promise(file.find_tensor(tensor.name) == &tensor);
            std::vector<float> values(static_cast<std::size_t>(tensor.elements));
            dequantize(tensor, values);
        }
        file.main_type();
    });
    fuzzing::accepts([&] { fuzzing::read_all(ModelFiles(path)); });
    return 0;
}
