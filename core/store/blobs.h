#pragma once
// Vectors and enums as the project file keeps them.

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
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
constexpr std::array<std::string_view, 7> choice_words = {"left", "right", "tie", "skip", "both_bad", "ranking",
                                                          "thumbs"};
constexpr std::array<std::string_view, 3> strength_words = {
    words_of(Strength::slight), words_of(Strength::clear), words_of(Strength::much)};
constexpr std::array<std::string_view, 3> finish_words = {"eos", "length", "stop"};
constexpr std::array<std::string_view, 5> pair_choice_words = {"farthest", "uncertainty", "information", "margin",
                                                               "random"};

/// Whole numbers as a person reads them: "2 0 1".
template <class Number>
std::string list_text(const std::vector<Number>& values) {
    std::string out;
    for (const Number value : values) {
        out += (out.empty() ? "" : " ") + std::to_string(value);
    }
    return out;
}

/// nullopt: not such a list.
template <class Number>
std::optional<std::vector<Number>> list_of(std::string_view text) {
    std::vector<Number> out;
    while (!text.empty()) {
        Number value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || (end != text.data() + text.size() && *end != ' ')) {
            return std::nullopt;
        }
        out.push_back(value);
        text.remove_prefix(std::min(text.size(), static_cast<std::size_t>(end - text.data()) + 1));
    }
    return out;
}

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
