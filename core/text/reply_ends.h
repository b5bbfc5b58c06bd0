#pragma once
// Which tokens end a reply. A chat model ends its turn with another token than it ends a document with, and the files
// name one, the other or both: "<end_of_turn>" and "<eos>".

#include <algorithm>
#include <vector>

namespace plumbline {

class ChatTemplate;
class Tokenizer;

struct ReplyEnds {
    std::vector<int> ids;   // any of them ends a sampled reply, ascending; empty: only the length does
    int written = -1;       // stands behind a reply that a person or a file wrote; -1: none

    bool contains(int id) const { return std::binary_search(ids.begin(), ids.end(), id); }
};

/// What the tokenizer's files name, and the special token that the template writes behind a reply. The latter is what
/// the model saw behind replies, so it is the one to be written.
ReplyEnds reply_ends(const Tokenizer& tokenizer, const ChatTemplate& chat_template);

}  // namespace plumbline
