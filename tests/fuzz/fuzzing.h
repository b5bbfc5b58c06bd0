#pragma once
// What the fuzz targets share. A target is one function: it reads its input the way the program does. An Error is the
// right answer to a damaged file; any other exception, a sanitizer's report, a broken promise, an allocation beyond
// the limit of packaging/fuzz.sh or a hang ends the run with the input in a file.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/errors.h"

namespace plumbline::fuzzing {

/// The input as text.
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the run unless `holds`.
inline void promise(bool holds) {
    if (!holds) __builtin_trap();
}

/// Damaged input is refused with an Error; true when it was accepted.
template <class Read>
bool accepts(Read read) {
    try {
        read();
        return true;
    } catch (const Error& error) {
        promise(std::string_view(error.what()).find(": ") != std::string_view::npos);
        return false;
    }
}

/// `text` cut at its first `count` - 1 bytes 0x1e, which no text format has: the files of a folder in one input. Parts
/// that are not there are empty.
std::vector<std::string_view> parts_of(std::string_view text, std::size_t count);

/// A file of these bytes in a folder of this process, which packaging/fuzz.sh puts into memory; the next of the same
/// name takes its place.
std::filesystem::path file_of(std::string_view name, std::string_view bytes);

}  // namespace plumbline::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
