#pragma once
// Tokens of several replies under generation to text that can be shown at once.

#include <functional>
#include <string>
#include <vector>

#include "core/text/tokenizer.h"
#include "core/text/utf8_stream.h"

namespace plumbline {

/// Receives whole characters as they come: (sample, new text, tokens so far, ended).
using TextSink = std::function<void(int sample, const std::string& text, int tokens, bool ended)>;

/// One UTF-8 stream a sample; special tokens are not shown. The tokenizer outlives it.
class ReplyStreams {
  public:
    ReplyStreams(const Tokenizer& tokenizer, int samples, TextSink sink);
    void push(int sample, int id, bool ended);
    const std::string& text(int sample) const { return replies_[sample].text; }

  private:
    struct Reply {
        Utf8Stream stream;
        std::string text;
        int tokens = 0;
        bool begun = false;  // a token that is shown has come
    };
    const Tokenizer& tokenizer_;
    std::vector<Reply> replies_;
    TextSink sink_;
};

}  // namespace plumbline
