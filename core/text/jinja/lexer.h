#pragma once
// A template's text as tokens: what stands between tags, and the words inside them.

#include <string>
#include <string_view>
#include <vector>

namespace plumbline::jinja {

enum class TokenKind {
    data,
    output_begin,
    output_end,
    block_begin,
    block_end,
    name,
    string,
    integer,
    real,
    symbol,
    end,
};
struct Token {
    TokenKind kind{};
    std::string text;   // of a string: escapes resolved; of a symbol: "==", "("
    int line = 1;
};

/// With Jinja's trim_blocks and lstrip_blocks, as the transformers library sets it up. Ends with one `end` token.
/// Throws TemplateError with the line.
std::vector<Token> tokens_of(std::string_view source);

}   // namespace plumbline::jinja
