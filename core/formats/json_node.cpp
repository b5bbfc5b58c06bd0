#include "core/formats/json_node.h"

#include <cmath>
#include <stdexcept>

#include "core/api/errors.h"
#include "core/formats/byte_reader.h"
#include "core/formats/mapped_file.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr std::size_t deepest = 64;

/// Builds the values as they are parsed.
class Builder : public nlohmann::json_sax<json> {
  public:
    json root;

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t&) override { return put(value); }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(json::object()); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(json::array()); }
    bool end_array() override { return close(); }
    bool key(string_t& key) override {
        const auto [place, is_new] = open_.back()->get_ref<json::object_t&>().emplace(key, nullptr);
        if (!is_new) throw std::invalid_argument("key " + shown(key) + " stands twice");
        member_ = &place->second;
        return true;
    }
    bool parse_error(std::size_t byte, const std::string&, const json::exception&) override {
        throw std::invalid_argument("is not valid JSON at byte " + std::to_string(byte));
    }

  private:
    json* place(json&& value) {
        if (open_.empty()) return &(root = std::move(value));
        if (open_.back()->is_object()) return &(*member_ = std::move(value));
        auto& list = open_.back()->get_ref<json::array_t&>();
        return &list.emplace_back(std::move(value));
    }
    template <class T>
    bool put(T&& value) {
        place(json(std::forward<T>(value)));
        return true;
    }
    bool open(json&& empty) {
        if (open_.size() == deepest) throw std::invalid_argument("is nested deeper than " + std::to_string(deepest));
        open_.push_back(place(std::move(empty)));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    std::vector<json*> open_;   // the objects and lists around the next value; they do not move while they are open
    json* member_ = nullptr;    // where the next value of the innermost object goes
};

}  // namespace

json parse_json(std::string_view text) {
    Builder builder;
    json::sax_parse(text.begin(), text.end(), &builder);
    return std::move(builder.root);
}

JsonFile::JsonFile(std::filesystem::path path, std::string operation, std::size_t most_bytes)
    : path_(std::move(path)), operation_(std::move(operation)) {
    const MappedFile file(path_, operation_);
    if (file.bytes().size() > most_bytes) {
        fail("has " + std::to_string(file.bytes().size()) + " bytes, more than " + std::to_string(most_bytes) +
             "; it is damaged or not such a file");
    }
    try {
        value_ = parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
    } catch (const std::invalid_argument& error) {
        fail(error.what() + std::string("; the file is damaged"));
    }
}

void JsonFile::fail(const std::string& what) const {
    throw Error(operation_, path_.string() + ": " + what);
}

JsonNode JsonNode::operator[](std::string_view key) const {
    static const json null;
    if (!value_->is_object()) damaged("is not an object");
    const auto found = value_->find(key);
    return {*file_, found != value_->end() ? *found : null,
            place_ + (place_.empty() ? "" : ".") + std::string(key)};
}

JsonNode JsonNode::operator[](std::size_t index) const {
    if (!value_->is_array() || index >= value_->size())
        damaged("is not a list of at least " + std::to_string(index + 1));
    return {*file_, (*value_)[index], place_ + "[" + std::to_string(index) + "]"};
}

std::vector<JsonNode> JsonNode::items() const {
    if (is_null()) return {};
    if (!value_->is_array()) damaged("is not a list");
    std::vector<JsonNode> out;
    for (std::size_t i = 0; i < value_->size(); ++i) out.push_back((*this)[i]);
    return out;
}

const std::string& JsonNode::text() const {
    if (!value_->is_string()) damaged("is not a text");
    return value_->get_ref<const std::string&>();
}

std::string JsonNode::text_or(const std::string& fallback) const {
    return is_null() ? fallback : text();
}

bool JsonNode::flag_or(bool fallback) const {
    if (is_null()) return fallback;
    if (!value_->is_boolean()) damaged("is not true or false");
    return value_->get<bool>();
}

double JsonNode::number() const {
    if (!value_->is_number() || !std::isfinite(value_->get<double>())) damaged("is not a number");
    return value_->get<double>();
}

std::int64_t JsonNode::integer(std::int64_t least, std::int64_t most) const {
    const bool whole = value_->is_number_integer() && (!value_->is_number_unsigned() ||
                       value_->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
    if (!whole || value_->get<std::int64_t>() < least || value_->get<std::int64_t>() > most) {
        damaged("is " + (value_->is_primitive() ? value_->dump() : std::string("no number")) + ", not " +
                std::to_string(least) + " to " + std::to_string(most));
    }
    return value_->get<std::int64_t>();
}

void JsonNode::fail(const std::string& what) const {
    file_->fail((place_.empty() ? "the file" : place_) + " " + what);
}

void JsonNode::damaged(const std::string& what) const {
    fail(what + "; the file is damaged");
}

}  // namespace plumbline
