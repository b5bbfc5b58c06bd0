#pragma once
// Vectors and enums as the project file keeps them.

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/api/events.h"

namespace plumbline {

static_assert(std::endian::native == std::endian::little, "BLOBs are little-endian");

template <class Element>
std::span<const std::byte> blob_of(const std::vector<Element>& values) {
    static_assert(sizeof(Element) == 4);
    return std::as_bytes(std::span(values));
}

/// nullopt: not a whole number of elements.
template <class Element>
std::optional<std::vector<Element>> vector_of(std::span<const std::byte> blob) {
    static_assert(sizeof(Element) == 4);
    if (blob.size() % sizeof(Element) != 0) {
        return std::nullopt;
    }
    std::vector<Element> out(blob.size() / sizeof(Element));
    if (!out.empty()) {
        std::memcpy(out.data(), blob.data(), blob.size());
    }
    return out;
}

// Words of the schema, in the order of the enums.
constexpr std::array<std::string_view, 4> choice_words = {"left", "right", "tie", "skip"};
constexpr std::array<std::string_view, 3> finish_words = {"eos", "length", "stop"};
constexpr std::array<std::string_view, 2> pair_choice_words = {"farthest", "random"};

/// nullopt: none of the words.
template <class Enum, std::size_t N>
std::optional<Enum> enum_of(const std::array<std::string_view, N>& words, std::string_view word) {
    for (std::size_t i = 0; i < N; ++i) {
        if (words[i] == word) {
            return static_cast<Enum>(i);
        }
    }
    return std::nullopt;
}

}  // namespace plumbline
