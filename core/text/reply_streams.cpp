#include "core/text/reply_streams.h"

namespace plumbline {

ReplyStreams::ReplyStreams(const Tokenizer& tokenizer, int samples, TextSink sink)
    : tokenizer_(tokenizer), replies_(samples), sink_(std::move(sink)) {}

void ReplyStreams::push(int sample, int id, bool ended) {
    Reply& reply = replies_[sample];
    std::string part;
    if (!tokenizer_.is_special(id)) {
        part = reply.stream.push(reply.begun ? tokenizer_.bytes_of(id) : tokenizer_.first_bytes_of(id));
        reply.begun = true;
    }
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
