#include "core/text/jinja_outline.h"

#include <algorithm>
#include <cctype>

namespace plumbline {
namespace {

bool is_space(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

/// The literal that begins at text[at], a quote; moves `at` behind it. Nothing when it is not closed or has
/// an escape other than the common ones.
std::optional<std::string> read_literal(std::string_view text, std::size_t& at) {
    const char quote = text[at];
    std::string out;
    for (++at; at < text.size(); ++at) {
        if (text[at] == quote) {
            ++at;
            return out;
        }
        if (text[at] != '\\') {
            out += text[at];
            continue;
        }
        if (++at == text.size()) break;
        constexpr std::string_view escaped = "ntr\\'\"", meant = "\n\t\r\\'\"";
        const std::size_t which = escaped.find(text[at]);
        if (which == std::string_view::npos) return std::nullopt;
        out += meant[which];
    }
    return std::nullopt;
}

bool is_quote(char c) {
    return c == '\'' || c == '"';
}

/// "a.b" as "a['b']", runs of white space as one space, literals in single quotes.
std::optional<std::string> normalised(std::string_view code) {
    code = trimmed(code);
    std::string out;
    for (std::size_t at = 0; at < code.size();) {
        const char c = code[at];
        if (is_quote(c)) {
            const auto literal = read_literal(code, at);
            if (!literal) return std::nullopt;
            out += "'" + *literal + "'";
        } else if (is_space(c)) {
            if (out.back() != ' ') out += ' ';
            ++at;
        } else if (c == '.' && (code.substr(at, 5) == ".role" || code.substr(at, 8) == ".content")) {
            const std::size_t length = code.substr(at, 5) == ".role" ? 5 : 8;
            out += "['" + std::string(code.substr(at + 1, length - 1)) + "']";
            at += length;
        } else {
            out += c;
            ++at;
        }
    }
    return out;
}

/// An output expression as text with marks.
std::optional<std::string> output_of(std::string_view expression) {
    std::string out;
    for (std::size_t at = 0;;) {
        while (at < expression.size() && is_space(expression[at])) ++at;
        if (at == expression.size()) return std::nullopt;
        if (is_quote(expression[at])) {
            const auto literal = read_literal(expression, at);
            if (!literal) return std::nullopt;
            out += *literal;
        } else {
            const std::size_t end = std::min(expression.find('+', at), expression.size());
            const auto name = normalised(expression.substr(at, end - at));
            if (name == "message['role']") {
                out += role_mark;
            } else if (name == "message['content']") {
                out += content_mark;
            } else {
                return std::nullopt;
            }
            at = end;
        }
        while (at < expression.size() && is_space(expression[at])) ++at;
        if (at == expression.size()) return out;
        if (expression[at++] != '+') return std::nullopt;
    }
}

/// Where the tag that begins at `at` ends (behind its "}}" or "%}"), literals skipped; npos: nowhere.
std::size_t end_of_tag(std::string_view jinja, std::size_t at, std::string_view closing) {
    while (at < jinja.size()) {
        if (is_quote(jinja[at])) {
            if (!read_literal(jinja, at)) return std::string_view::npos;
        } else if (jinja.substr(at, 2) == closing) {
            return at + 2;
        } else {
            ++at;
        }
    }
    return std::string_view::npos;
}

/// What stands on either side of a text between tags.
struct Borders {
    bool line_begins = true;  // the text begins a line
    bool after_statement = false, trims_left = false;
    bool before_statement = false, trims_right = false;
};

/// Text between tags after white-space control.
std::string_view bare_text(std::string_view text, Borders borders) {
    if (borders.after_statement && text.substr(0, 1) == "\n") {
        text.remove_prefix(1);
        borders.line_begins = true;
    }
    if (borders.trims_left) {
        while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    }
    if (borders.trims_right) {
        while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    } else if (borders.before_statement) {
        const std::size_t last = text.find_last_not_of(" \t");
        const std::size_t kept = last == std::string_view::npos ? 0 : last + 1;
        if (kept == 0 ? borders.line_begins : text[kept - 1] == '\n') text = text.substr(0, kept);
    }
    return text;
}

void append_output(std::vector<OutlineNode>& nodes, std::string_view text) {
    if (text.empty()) return;
    if (nodes.empty() || nodes.back().is_statement) nodes.push_back({false, ""});
    nodes.back().text += text;
}

}  // namespace

std::optional<std::vector<OutlineNode>> outline_of(std::string_view jinja) {
    if (!jinja.empty() && jinja.back() == '\n') jinja.remove_suffix(1);  // Jinja drops one at the end
    if (jinja.find(role_mark) != std::string_view::npos ||
        jinja.find(content_mark) != std::string_view::npos) {
        return std::nullopt;
    }
    std::vector<OutlineNode> nodes;
    Borders borders;
    for (std::size_t at = 0; at < jinja.size();) {
        std::size_t open = jinja.find('{', at);
        while (open != std::string_view::npos && jinja.substr(open, 2) != "{{" &&
               jinja.substr(open, 2) != "{%") {
            if (jinja.substr(open, 2) == "{#") return std::nullopt;
            open = jinja.find('{', open + 1);
        }
        if (open == std::string_view::npos) {
            append_output(nodes, bare_text(jinja.substr(at), borders));
            break;
        }
        const bool is_statement = jinja[open + 1] == '%';
        const std::size_t end = end_of_tag(jinja, open + 2, is_statement ? "%}" : "}}");
        if (end == std::string_view::npos) return std::nullopt;
        std::string_view code = jinja.substr(open + 2, end - open - 4);
        const bool trim_before = code.substr(0, 1) == "-", trim_after = !code.empty() && code.back() == '-';
        borders.before_statement = is_statement;
        borders.trims_right = trim_before;
        append_output(nodes, bare_text(jinja.substr(at, open - at), borders));
        if (trim_before) code.remove_prefix(1);
        if (trim_after && !code.empty()) code.remove_suffix(1);
        const auto text = is_statement ? normalised(code) : output_of(code);
        if (!text) return std::nullopt;
        if (is_statement) {
            nodes.push_back({true, *text});
        } else {
            append_output(nodes, *text);
        }
        borders = {.line_begins = false, .after_statement = is_statement, .trims_left = trim_after};
        at = end;
    }
    return nodes;
}

std::vector<std::string> literals_of(std::string_view jinja) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < jinja.size();) {
        if (!is_quote(jinja[at])) {
            ++at;
            continue;
        }
        auto literal = read_literal(jinja, at);
        if (!literal) break;
        out.push_back(std::move(*literal));
    }
    return out;
}

}  // namespace plumbline
