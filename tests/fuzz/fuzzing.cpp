#include "tests/fuzz/fuzzing.h"

#include <fstream>

#include "tests/support/temp_folder.h"

namespace plumbline::fuzzing {

std::vector<std::string_view> parts_of(std::string_view text, std::size_t count) {
    constexpr char separator = '\x1e';
    std::vector<std::string_view> out(count);
    for (std::size_t i = 0; i + 1 < count; ++i) {
        const std::size_t end = std::min(text.find(separator), text.size());
        out[i] = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    out[count - 1] = text;
    return out;
}

std::filesystem::path file_of(std::string_view name, std::string_view bytes) {
    static const testing::TempFolder folder;
    const std::filesystem::path path = folder / name;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    promise(!out.fail());
    return path;
}

}  // namespace plumbline::fuzzing
