#pragma once
// GPT-2's alphabet: each byte has a printable character that stands for it in vocabularies and merge lists.

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace plumbline {

/// The character of each byte, as UTF-8.
const std::array<std::string, 256>& byte_characters();

/// `bytes` as their characters.
void append_in_byte_alphabet(std::string_view bytes, std::string& out);
/// The bytes that `text` stands for; nothing when it holds a character that is not in the alphabet.
std::optional<std::string> bytes_behind(std::string_view text);

}  // namespace plumbline
