#include "core/text/reply_ends.h"

#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

namespace plumbline {

ReplyEnds reply_ends(const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
    ReplyEnds out{tokenizer.ends(), tokenizer.eos()};
    const std::vector<int> after = tokenizer.encode(chat_template.after_reply(), SpecialTokens::parse);
    if (!after.empty() && tokenizer.is_special(after.front())) {
        out.written = after.front();
        if (!out.contains(out.written)) {
            out.ids.insert(std::upper_bound(out.ids.begin(), out.ids.end(), out.written), out.written);
        }
    }
    return out;
}

}  // namespace plumbline
