#pragma once
// The outline of a chat model's Jinja template: enough to recognise the templates that we render, not to run
// any.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// A piece of output or a statement.
struct OutlineNode {
    bool is_statement = false;
    /// Output: literal text in which role_mark and content_mark stand for the message's. Statement: its words
    /// with single spaces and single quotes, attributes as subscripts: "if messages[0]['role'] != 'system'".
    std::string text;
    bool operator==(const OutlineNode&) const = default;
};
inline constexpr char role_mark = '\x01', content_mark = '\x02';

/// White space is as transformers sets Jinja up (trim_blocks, lstrip_blocks). Neighbouring outputs are one
/// node. Nothing for a template with an output that is not built of literals, message['role'] and
/// message['content'].
std::optional<std::vector<OutlineNode>> outline_of(std::string_view jinja);

/// The literal strings of a template, escapes resolved; stops at the first that is not closed.
std::vector<std::string> literals_of(std::string_view jinja);

}  // namespace plumbline
