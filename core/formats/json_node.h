#pragma once
// Values of an untrusted JSON file that know their place in it, so that an error can name it.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// Parses JSON text: nested at most 64 deep, no key twice in an object. Throws std::invalid_argument that says what
/// is wrong and at which byte.
nlohmann::json parse_json(std::string_view text);

/// A JSON file, read whole. Throws Error "<operation>: <file>: …" when it cannot be read, is longer than
/// `most_bytes`, or is not valid.
class JsonFile {
  public:
    JsonFile(std::filesystem::path path, std::string operation, std::size_t most_bytes);
    const std::filesystem::path& path() const { return path_; }
    const nlohmann::json& value() const { return value_; }
    [[noreturn]] void fail(const std::string& what) const;

  private:
    std::filesystem::path path_;
    std::string operation_;
    nlohmann::json value_;
};

/// A value within a JsonFile, which it must not outlive. Reading what is absent or of another type throws the file's
/// Error with the place, e.g. "pre_tokenizer.pretokenizers[1].behavior is not a text; the file is damaged".
class JsonNode {
  public:
    explicit JsonNode(const JsonFile& file) : JsonNode(file, file.value(), "") {}

    const nlohmann::json& value() const { return *value_; }
    const std::string& place() const { return place_; }
    bool is_null() const { return value_->is_null(); }

    JsonNode operator[](std::string_view key) const;   // of an object; null where absent
    JsonNode operator[](std::size_t index) const;      // of a list
    std::vector<JsonNode> items() const;               // of a list; none of null

    const std::string& text() const;
    std::string text_or(const std::string& fallback) const;   // null: fallback
    bool flag_or(bool fallback) const;
    double number() const;
    std::int64_t integer(std::int64_t least, std::int64_t most) const;

    [[noreturn]] void fail(const std::string& what) const;     // "<place> <what>"
    [[noreturn]] void damaged(const std::string& what) const;  // and "; the file is damaged"

  private:
    JsonNode(const JsonFile& file, const nlohmann::json& value, std::string place)
        : file_(&file), value_(&value), place_(std::move(place)) {}

    const JsonFile* file_;
    const nlohmann::json* value_;
    std::string place_;
};

}  // namespace plumbline
