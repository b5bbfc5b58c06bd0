#include "core/text/reply_streams.h"

namespace plumbline {

ReplyStreams::ReplyStreams(const Tokenizer& tokenizer, int samples, TextSink sink)
    : tokenizer_(tokenizer), replies_(samples), sink_(std::move(sink)) {}

void ReplyStreams::push(int sample, int id, bool ended) {
    Reply& reply = replies_[sample];
    std::string part = tokenizer_.is_special(id) ? "" : reply.stream.push(tokenizer_.bytes_of(id));
    if (ended) {
        part += reply.stream.finish();
    }
    reply.text += part;
    ++reply.tokens;
    if (sink_) {
        sink_(sample, part, reply.tokens, ended);
    }
}

}  // namespace plumbline
