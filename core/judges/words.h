#pragma once
// A reply as a judge reads it: lower-case words and the breaks between sentences.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// Words of `text` in order: runs of letters, digits and apostrophes, ASCII letters in lower case, bytes
/// above 127 kept as letters, the typographic apostrophe as '. An empty string stands for a break: . ! ? ; :
/// or a line end. Phrases never match across one.
std::vector<std::string> words_of(std::string_view text);

/// Words without the breaks.
int count_words(std::string_view text);

/// Occurrences of the phrases (one or more lower-case words apart by single spaces) on word boundaries. The
/// longest phrase at a place counts once and uses up its words.
int count_phrases(std::string_view text, std::span<const std::string_view> phrases);

}  // namespace plumbline
