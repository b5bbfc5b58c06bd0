#pragma once
// Code points and their properties, by utf8proc's tables (2.8: Unicode 15). Texts must be valid UTF-8.

#include <cstddef>
#include <string>
#include <string_view>

namespace plumbline {

struct Range {  // of bytes in a text
    std::size_t begin = 0, end = 0;
};

struct CodePoint {
    char32_t value = 0;
    std::size_t length = 1;  // bytes
};
CodePoint code_point_at(std::string_view text, std::size_t at);
/// The last one of a text that is not empty.
CodePoint last_code_point(std::string_view text);
void append_utf8(char32_t point, std::string& text);

bool is_white_space(char32_t point);  // Unicode's White_Space
bool is_numeric(char32_t point);      // Nd, Nl, No
bool is_punctuation(char32_t point);  // P*, and ASCII's symbols
bool is_mark(char32_t point);         // Mn, Mc, Me
bool is_word(char32_t point);         // letters, marks, decimal digits, connectors, joiners

enum class NormalForm { nfc, nfd, nfkc, nfkd };
std::string normalized(std::string_view text, NormalForm form);
/// Character by character; a final sigma is as any other.
std::string lowercased(std::string_view text);
/// Throws Error "tokenize: …" where the steps of a tokenizer made far more of a text than any language needs.
void require_growth(std::size_t bytes, std::size_t made);
/// The end of the extended grapheme cluster that begins at `begin`.
std::size_t grapheme_end(std::string_view text, std::size_t begin);

}  // namespace plumbline
