// A chat template, 0x1e, and a message.

#include "core/text/chat_template.h"
#include "tests/fuzz/fuzzing.h"

using namespace plumbline;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto parts = fuzzing::parts_of(fuzzing::text_of(data, size), 2);
    const std::string content(parts[1]);
    const ChatTemplate chat(parts[0], {"<s>", "</s>", ""});   // one that does not work becomes plain text
    fuzzing::accepts([&] {
        chat.render({{"system", content}, {"user", content}, {"assistant", content}, {"user", "Why?"}});
    });
    fuzzing::accepts([&] { chat.render({{"user", content}}); });
    fuzzing::accepts([&] { chat.render({}); });
    return 0;
}
