#pragma once
// What turns one word into tokens.

#include <string_view>
#include <vector>

namespace plumbline {

/// Immutable after construction; may be used from any thread.
class WordModel {
  public:
    virtual ~WordModel() = default;
    /// Appends the word's tokens. `word` is valid UTF-8, written as the vocabulary's tokens are.
    virtual void encode(std::string_view word, std::vector<int>& out) const = 0;
};

}  // namespace plumbline
