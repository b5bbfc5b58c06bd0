// The tokenizer of a model file whose tables are the input: parts separated by 0x1e, with one entry a line.

#include "core/formats/gguf.h"
#include "tests/fuzz/tokenizer_use.h"
#include "tests/support/gguf_writer.h"

using namespace plumbline;

namespace {

std::vector<std::string> lines_of(std::string_view part) {
    std::vector<std::string> out;
    while (!part.empty()) {
        const std::size_t end = std::min(part.find('\n'), part.size());
        out.emplace_back(part.substr(0, end));
        part.remove_prefix(std::min(end + 1, part.size()));
    }
    return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    enum Part { model, pre, tokens, types, scores, merges, settings, text, count };
    const auto parts = fuzzing::parts_of(fuzzing::text_of(data, size), count);
    testing::GgufWriter writer;
    writer.add_text("tokenizer.ggml.model", parts[model]);
    if (!parts[pre].empty()) writer.add_text("tokenizer.ggml.pre", parts[pre]);
    writer.add_texts("tokenizer.ggml.tokens", lines_of(parts[tokens]));
    if (!parts[merges].empty()) writer.add_texts("tokenizer.ggml.merges", lines_of(parts[merges]));
    if (!parts[types].empty()) {
        std::vector<std::int32_t> numbers;
        for (const char digit : parts[types]) numbers.push_back(digit - '0');
        writer.add_i32s("tokenizer.ggml.token_type", numbers);
    }
    if (!parts[scores].empty()) {
        std::vector<float> numbers;
        for (const char letter : parts[scores]) numbers.push_back(static_cast<float>('a' - letter));
        writer.add_f32s("tokenizer.ggml.scores", numbers);
    }
    // One letter or sign a setting, and its value as a digit.
    for (std::size_t i = 0; i + 1 < parts[settings].size(); i += 2) {
        const auto value = static_cast<std::uint32_t>(parts[settings][i + 1] - '0');
        switch (parts[settings][i]) {
            case 'b': writer.add_u32("tokenizer.ggml.bos_token_id", value); break;
            case 'e': writer.add_u32("tokenizer.ggml.eos_token_id", value); break;
            case 'p': writer.add_u32("tokenizer.ggml.padding_token_id", value); break;
            case 'u': writer.add_u32("tokenizer.ggml.unknown_token_id", value); break;
            case 'B': writer.add_flag("tokenizer.ggml.add_bos_token", value != 0); break;
            case 'S': writer.add_flag("tokenizer.ggml.add_space_prefix", value != 0); break;
            default: break;
        }
    }
    const auto path = fuzzing::file_of("tokenizer.gguf", writer.bytes());
    fuzzing::accepts([&] { fuzzing::use(*Tokenizer::from_gguf(GgufFile(path)), parts[text]); });
    return 0;
}
