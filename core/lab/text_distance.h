#pragma once
// How far apart two replies are in their words.

#include <string_view>

namespace plumbline {

/// Edit distance over words divided by the longer text's words: 0 equal, 1 nothing in common. Both empty: 0.
double word_distance(std::string_view a, std::string_view b);

}  // namespace plumbline
