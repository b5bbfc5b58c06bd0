#pragma once
// How much of a batch one forward and backward pass takes: enough that products run at their full rate,
// little enough that what it keeps for the gradient stays small.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/model/processor.h"

namespace plumbline {

/// Rows of one pass, unless a single item has more: beyond it products gain nothing, and memory grows. AMX is through with
/// its work before memory has given the weights, and wants more rows of them.
inline std::int64_t rows_of_a_pass() { return has_tiles() ? 384 : 192; }

/// Rows of the largest pass over `items` of which the longest has `longest` rows.
inline std::int64_t most_rows_of_a_pass(std::int64_t longest, std::int64_t items) {
    return std::max(longest, std::min(items * longest, rows_of_a_pass()));
}

/// The same where nothing is kept for a gradient.
inline constexpr std::int64_t rows_of_a_plain_pass = 384;

/// Neighbours of `items` in parts of at most `most` rows, `rows(item)` each; one item at least.
template <typename Item, typename Rows>
std::vector<std::span<const Item>> in_passes(std::span<const Item> items, const Rows& rows,
                                             std::int64_t most = rows_of_a_pass()) {
    std::vector<std::span<const Item>> out;
    for (std::size_t begin = 0; begin < items.size();) {
        std::size_t end = begin + 1;
        for (std::int64_t sum = rows(items[begin]);
             end < items.size() && sum + rows(items[end]) <= most; ++end) {
            sum += rows(items[end]);
        }
        out.push_back(items.subspan(begin, end - begin));
        begin = end;
    }
    return out;
}

}  // namespace plumbline
