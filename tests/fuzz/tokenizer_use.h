#pragma once
// Text through a tokenizer and back.

#include "core/text/reply_streams.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8_stream.h"
#include "tests/fuzz/fuzzing.h"

namespace plumbline::fuzzing {

inline void use(const Tokenizer& tokenizer, std::string_view text) {
    for (const SpecialTokens special : {SpecialTokens::parse, SpecialTokens::as_text}) {
        const std::vector<int> ids = tokenizer.encode(text, special);
        for (const int id : ids) promise(id >= 0 && id < tokenizer.vocab_size());
        const std::string decoded = tokenizer.decode(ids);
        promise(valid_utf8(decoded) == decoded);
        ReplyStreams stream(tokenizer, 1, [](int, const std::string&, int, bool) {});
        for (std::size_t i = 0; i < ids.size(); ++i) stream.push(0, ids[i], i + 1 == ids.size());
        promise(valid_utf8(stream.text(0)) == stream.text(0));
    }
    for (int id = 0; id < tokenizer.vocab_size(); ++id) {
        tokenizer.bytes_of(id);
        tokenizer.is_special(id);
    }
    promise(!accepts([&] { tokenizer.decode({tokenizer.vocab_size()}); }));
    promise(tokenizer.bos() < tokenizer.vocab_size() && tokenizer.eos() < tokenizer.vocab_size());
}

}  // namespace plumbline::fuzzing
