// Typed access to what a GGUF file says.

#include <algorithm>
#include <map>
#include <utility>

#include "core/api/errors.h"
#include "core/formats/byte_reader.h"
#include "core/formats/gguf.h"
#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

[[noreturn]] void fail(const GgufFile& file, const std::string& what) {
    throw Error("open model", file.path().string() + ": " + what);
}

[[noreturn]] void fail_missing(const GgufFile& file, std::string_view key) {
    fail(file, "metadata " + shown(key) + " is missing; the file is damaged or not a supported family");
}

[[noreturn]] void fail_type(const GgufFile& file, std::string_view key, std::string_view wanted) {
    fail(file, "metadata " + shown(key) + " is not " + std::string(wanted) +
                   "; the file is damaged or not a supported family");
}

const GgufValue* find(const GgufFile& file, std::string_view key) {
    const auto found = file.metadata().find(std::string(key));
    return found == file.metadata().end() ? nullptr : &found->second;
}

/// nullptr: absent. Throws for a value of another type.
template <class T>
const T* find_scalar(const GgufFile& file, std::string_view key, std::string_view wanted) {
    const GgufValue* value = find(file, key);
    if (value == nullptr) return nullptr;
    const auto* scalar = std::get_if<GgufScalar>(value);
    const T* out = scalar != nullptr ? std::get_if<T>(scalar) : nullptr;
    if (out == nullptr) fail_type(file, key, wanted);
    return out;
}

template <class T>
const std::vector<T>* find_array(const GgufFile& file, std::string_view key, std::string_view wanted) {
    const GgufValue* value = find(file, key);
    if (value == nullptr) return nullptr;
    const auto* out = std::get_if<std::vector<T>>(value);
    if (out == nullptr) fail_type(file, key, wanted);
    return out;
}

}  // namespace

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
    const auto found = tensor_index_.find(name);
    return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

const GgufTensor& GgufFile::tensor(std::string_view name) const {
    if (const GgufTensor* found = find_tensor(name)) return *found;
    fail(*this, "tensor " + shown(name) + " is missing; the file is damaged or not a supported family");
}

std::optional<std::string> GgufFile::find_text(std::string_view key) const {
    const auto* text = find_scalar<std::string>(*this, key, "a text");
    return text != nullptr ? std::optional(valid_utf8(*text)) : std::nullopt;
}

std::string GgufFile::text(std::string_view key) const {
    const auto found = find_text(key);
    if (!found) fail_missing(*this, key);
    return *found;
}

std::optional<std::int64_t> GgufFile::find_integer(std::string_view key, std::int64_t least,
                                                   std::int64_t most) const {
    const GgufValue* value = find(*this, key);
    if (value == nullptr) return std::nullopt;
    const auto* scalar = std::get_if<GgufScalar>(value);
    const auto* with_sign = scalar != nullptr ? std::get_if<std::int64_t>(scalar) : nullptr;
    const auto* without = scalar != nullptr ? std::get_if<std::uint64_t>(scalar) : nullptr;
    if (with_sign == nullptr && without == nullptr) fail_type(*this, key, "a whole number");
    const bool fits = with_sign != nullptr
                          ? *with_sign >= least && *with_sign <= most
                          : std::cmp_greater_equal(*without, least) && std::cmp_less_equal(*without, most);
    if (!fits) {
        fail(*this, "metadata " + shown(key) + " is " +
                        (with_sign != nullptr ? std::to_string(*with_sign) : std::to_string(*without)) +
                        ", not " + std::to_string(least) + " to " + std::to_string(most) +
                        "; the file is damaged or not a supported family");
    }
    return with_sign != nullptr ? *with_sign : static_cast<std::int64_t>(*without);
}

std::int64_t GgufFile::integer(std::string_view key, std::int64_t least, std::int64_t most) const {
    const auto found = find_integer(key, least, most);
    if (!found) fail_missing(*this, key);
    return *found;
}

std::optional<double> GgufFile::find_real(std::string_view key) const {
    const auto* value = find_scalar<double>(*this, key, "a real number");
    return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<bool> GgufFile::find_flag(std::string_view key) const {
    const auto* value = find_scalar<bool>(*this, key, "true or false");
    return value != nullptr ? std::optional(*value) : std::nullopt;
}

const std::vector<std::string>* GgufFile::find_texts(std::string_view key) const {
    return find_array<std::string>(*this, key, "a list of texts");
}

const std::vector<std::string>& GgufFile::texts(std::string_view key) const {
    const auto* found = find_texts(key);
    if (found == nullptr) fail_missing(*this, key);
    return *found;
}

const std::vector<double>& GgufFile::reals(std::string_view key) const {
    const auto* found = find_array<double>(*this, key, "a list of real numbers");
    if (found == nullptr) fail_missing(*this, key);
    return *found;
}

const std::vector<std::int64_t>* GgufFile::find_integers(std::string_view key) const {
    return find_array<std::int64_t>(*this, key, "a list of whole numbers");
}

GgufType GgufFile::main_type() const {
    std::map<GgufType, std::int64_t> elements;
    for (const GgufTensor& tensor : tensors_) elements[tensor.type] += tensor.elements;
    const auto most = std::max_element(elements.begin(), elements.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == elements.end() ? GgufType::f32 : most->first;
}

}  // namespace plumbline
