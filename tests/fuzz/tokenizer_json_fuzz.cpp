// A folder's tokenizer: tokenizer.json, tokenizer_config.json and the text that it is to read, separated by 0x1e.

#include "tests/fuzz/tokenizer_use.h"

using namespace plumbline;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    enum Part { tokenizer, settings, text, count };
    const auto parts = fuzzing::parts_of(fuzzing::text_of(data, size), count);
    const auto path = fuzzing::file_of("tokenizer.json", parts[tokenizer]);
    const auto beside = fuzzing::file_of("tokenizer_config.json", parts[settings]);
    if (parts[settings].empty()) std::filesystem::remove(beside);
    fuzzing::accepts([&] { fuzzing::use(*Tokenizer::from_json(path), parts[text].substr(0, 1024)); });
    return 0;
}
