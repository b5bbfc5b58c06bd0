#pragma once
// Tables from texts and characters to token ids.

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace plumbline {

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using TextIds = std::unordered_map<std::string, int, TextHash, std::equal_to<>>;

/// Characters to ids, in pages so that a vocabulary of few scripts stays small.
class CharacterIds {
  public:
    void set(char32_t point, int id) {
        std::size_t& page = pages_[point / page_size];
        if (page == 0) {
            page = ids_.size();
            ids_.resize(ids_.size() + page_size, -1);
        }
        ids_[page + point % page_size] = id;
    }
    int find(char32_t point) const { return ids_[pages_[point / page_size] + point % page_size]; }   // -1: none

  private:
    static constexpr std::size_t page_size = 256;
    std::array<std::size_t, 0x110000 / page_size> pages_{};   // places in ids_; 0: the page of none
    std::vector<int> ids_ = std::vector<int>(page_size, -1);
};

}  // namespace plumbline
