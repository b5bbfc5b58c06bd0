#pragma once
// What tests/golden/make_quants.py and the tests of the quantised types share.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/sha256.h"
#include "tests/support/golden_file.h"

namespace plumbline::testing {

inline std::vector<std::byte> from_hex(const std::string& text) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        out.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    return out;
}

/// The upper 16 bits of the script's congruential generator.
inline std::vector<std::uint16_t> generated(std::size_t count) {
    std::vector<std::uint16_t> out;
    std::uint32_t x = 1;
    while (out.size() < count) {
        x = x * 1664525u + 1013904223u;
        out.push_back(static_cast<std::uint16_t>(x >> 16));
    }
    return out;
}

}  // namespace plumbline::testing
