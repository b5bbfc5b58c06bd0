#pragma once
// Finds the tokens that stand in a text as themselves, such as <|im_end|>.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// Immutable once filled; may be used from any thread.
class TokenTexts {
  public:
    /// `text` must not be empty.
    void add(std::string text, int id);

    struct Found {
        std::size_t begin = std::string_view::npos, length = 0;  // npos: none
        int id = -1;
    };
    /// The leftmost one at or after `from`, the longest where several begin there.
    Found find(std::string_view text, std::size_t from) const;

  private:
    struct Entry {
        std::string text;
        int id = -1;
    };
    std::array<std::vector<Entry>, 256> by_first_byte_;  // longest first
};

}  // namespace plumbline
