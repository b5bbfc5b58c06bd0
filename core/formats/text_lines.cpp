#include "core/formats/text_lines.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/api/errors.h"
#include "core/formats/mapped_file.h"

namespace plumbline {
namespace {

constexpr std::size_t most_unpacked = std::size_t{4} << 30;
constexpr int deepest = 32;  // of nested JSON; rows have 3

bool is_gzip(std::span<const std::byte> bytes) {
    return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

class Inflater {
  public:
    Inflater() {
        constexpr int window_bits = 15, with_gzip_header = 16;
        if (inflateInit2(&stream_, window_bits + with_gzip_header) != Z_OK) throw std::bad_alloc();
    }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    z_stream* operator->() { return &stream_; }
    z_stream* get() { return &stream_; }

  private:
    z_stream stream_{};
};

/// All members of a gzip file, one after the other.
std::string unpacked(std::span<const std::byte> packed, const std::function<void(const std::string&)>& fail) {
    std::string out;
    std::vector<char> chunk(1 << 18);
    Inflater inflater;
    std::size_t at = 0;
    bool ended = false;
    while (at < packed.size() || !ended) {
        const std::size_t given = std::min<std::size_t>(packed.size() - at, std::numeric_limits<uInt>::max());
        inflater->next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + at));
        inflater->avail_in = static_cast<uInt>(given);
        inflater->next_out = reinterpret_cast<Bytef*>(chunk.data());
        inflater->avail_out = static_cast<uInt>(chunk.size());
        const int result = inflate(inflater.get(), Z_NO_FLUSH);
        at += given - inflater->avail_in;
        out.append(chunk.data(), chunk.size() - inflater->avail_out);
        if (out.size() > most_unpacked) fail("it unpacks to more than 4 GiB; split the file");
        ended = result == Z_STREAM_END;
        if (ended) {
            if (at < packed.size() && is_gzip(packed.subspan(at))) {
                inflateReset(inflater.get());
                ended = false;
            } else {
                break;  // zeros may pad the end
            }
        } else if (result != Z_OK) {
            fail("the gzip data is cut short or damaged at byte " + std::to_string(at) +
                 "; make the file again");
        }
    }
    return out;
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}

}  // namespace

std::string read_text(const std::filesystem::path& file, const std::string& operation) {
    const auto fail = [&](const std::string& what) { throw Error(operation, file.string() + ": " + what); };
    const MappedFile map(file, operation);
    std::string text = is_gzip(map.bytes()) ? unpacked(map.bytes(), fail)
                                            : std::string(reinterpret_cast<const char*>(map.bytes().data()),
                                                          map.bytes().size());
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    return text;
}

void for_each_line(std::string_view text, const std::function<void(int, std::string_view)>& visit) {
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!is_blank(line)) visit(number, line);
    }
}

nlohmann::json object_of(std::string_view line) {
    using nlohmann::json;
    bool too_deep = false;
    const auto bound = [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > deepest;
        return !too_deep;
    };
    json value = json::parse(line, bound, false);
    return !too_deep && value.is_object() ? value : json(json::value_t::discarded);
}

}  // namespace plumbline
