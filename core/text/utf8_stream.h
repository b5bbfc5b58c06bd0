#pragma once
// Bytes in, whole UTF-8 characters out: a token may end in the middle of a character.

#include <string>
#include <string_view>

namespace plumbline {

/// Holds back an unfinished character until its bytes are there; invalid bytes become U+FFFD.
class Utf8Stream {
  public:
    std::string push(std::string_view bytes);
    std::string finish();   // what is left: U+FFFD for an unfinished character

  private:
    std::string pending_;
};

/// `text` with every invalid sequence replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace plumbline
