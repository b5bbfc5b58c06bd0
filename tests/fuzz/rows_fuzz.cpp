// The other files of one row a line, JSON or CSV, plain or compressed: demonstrations, requests for scores, texts, prompts.

#include "core/api/offline.h"
#include "core/formats/demonstrations.h"
#include "core/formats/prompts.h"
#include "core/text/utf8_stream.h"
#include "tests/fuzz/fuzzing.h"

using namespace plumbline;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto path = fuzzing::file_of("rows.jsonl", fuzzing::text_of(data, size));
    fuzzing::accepts([&] { read_demonstrations(path); });
    fuzzing::accepts([&] { read_score_requests(path); });
    fuzzing::accepts([&] {
        for (const std::string& text : read_texts(path)) fuzzing::promise(valid_utf8(text) == text);
    });
    fuzzing::accepts([&] { read_prompts(path); });
    fuzzing::accepts([&] { read_prompts(fuzzing::file_of("rows.csv", fuzzing::text_of(data, size))); });
    fuzzing::accepts([&] {
        for (const std::string& text : read_prompt_texts(path)) fuzzing::promise(valid_utf8(text) == text);
    });
    return 0;
}
