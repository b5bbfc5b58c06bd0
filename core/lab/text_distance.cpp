#include "core/lab/text_distance.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace plumbline {

namespace {

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> out;
    std::size_t begin = 0;
    while ((begin = text.find_first_not_of(" \t\n\r", begin)) != std::string_view::npos) {
        const std::size_t end = std::min(text.find_first_of(" \t\n\r", begin), text.size());
        out.push_back(text.substr(begin, end - begin));
        begin = end;
    }
    return out;
}

}  // namespace

double word_distance(std::string_view a, std::string_view b) {
    const auto left = words_of(a), right = words_of(b);
    const std::size_t longer = std::max(left.size(), right.size());
    if (longer == 0) {
        return 0;
    }
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < left.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < right.size(); ++j) {
            const std::size_t replaced = diagonal + (left[i] != right[j]);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return static_cast<double>(row.back()) / static_cast<double>(longer);
}

}  // namespace plumbline
