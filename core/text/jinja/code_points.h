#pragma once
// Python's view of a text, by code points, on UTF-8. Texts are valid UTF-8; stray bytes count as one each.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline::jinja {

/// The character that begins at text[at].
std::string_view character_at(std::string_view text, std::size_t at);
std::vector<std::string_view> characters_of(std::string_view text);
std::size_t count_characters(std::string_view text);
char32_t code_point_of(std::string_view character);
std::string utf8_of(char32_t code_point);

bool is_space(std::string_view character);   // as str.isspace

enum class Side { left, right, both };
/// Without the characters of `unwanted` at the ends; white space where it is empty.
std::string_view strip(std::string_view text, Side side = Side::both, std::string_view unwanted = {});

std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
std::string title(std::string_view text);   // as str.title

}  // namespace plumbline::jinja
