#include "core/text/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/text/jinja/code_points.h"
#include "core/text/jinja/work.h"

namespace plumbline::jinja {
namespace {

/// Bounds the height of the tree that is made of a tag.
constexpr std::size_t most_in_a_tag = 4000;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// Newlines as "\n", and not one at the end.
std::string normalised(std::string_view source) {
    std::string out;
    out.reserve(source.size());
    for (std::size_t at = 0; at < source.size(); ++at) {
        if (source[at] == '\r') {
            out += '\n';
            if (at + 1 < source.size() && source[at + 1] == '\n') ++at;
        } else {
            out += source[at];
        }
    }
    if (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

class Lexer {
  public:
    explicit Lexer(std::string_view source) : source_(source) {}

    std::vector<Token> run() {
        while (at_ < source_.size()) read_data();
        add(TokenKind::end, "");
        return std::move(tokens_);
    }

  private:
    std::string_view rest() const { return source_.substr(at_); }
    bool stands(std::string_view text) const { return rest().starts_with(text); }

    [[noreturn]] void fail(const std::string& what) const { throw TemplateError(what, line_); }

    void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

    /// Goes past `length` bytes and counts their lines.
    std::string_view take(std::size_t length) {
        const std::string_view taken = source_.substr(at_, length);
        line_ += static_cast<int>(std::count(taken.begin(), taken.end(), '\n'));
        at_ += taken.size();
        return taken;
    }

    void skip_space() {
        while (at_ < source_.size()) {
            const std::string_view one = character_at(source_, at_);
            if (!is_space(one)) return;
            take(one.size());
        }
    }

    /// The text up to the next tag, and that tag.
    void read_data() {
        const bool line_begins = at_ == 0 || source_[at_ - 1] == '\n';
        std::size_t open = source_.find('{', at_);
        while (
            open != std::string_view::npos &&
            (open + 1 == source_.size() || std::string_view("{%#").find(source_[open + 1]) == std::string_view::npos)) {
            open = source_.find('{', open + 1);
        }
        open = std::min(open, source_.size());
        const std::string_view data = source_.substr(at_, open - at_);
        const char kind = open < source_.size() ? source_[open + 1] : ' ';
        const char sign = open + 2 < source_.size() ? source_[open + 2] : ' ';
        add_data(data, kind, sign, line_begins);
        take(data.size());
        if (at_ == source_.size()) return;
        take(sign == '-' || sign == '+' ? 3 : 2);
        if (kind == '#') {
            read_comment();
        } else if (kind == '{') {
            add(TokenKind::output_begin, "");
            read_tag("}}", TokenKind::output_end);
        } else if (!read_raw()) {
            add(TokenKind::block_begin, "");
            read_tag("%}", TokenKind::block_end);
        }
    }

    /// White space before a tag goes as its sign and lstrip_blocks say.
    void add_data(std::string_view data, char tag, char sign, bool line_begins) {
        if (sign == '-' && tag != ' ') {
            data = strip(data, Side::right);
        } else if (sign != '+' && (tag == '%' || tag == '#')) {
            const std::size_t newline = data.rfind('\n');
            const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
            if ((line > 0 || line_begins) && strip(data.substr(line)).empty()) data = data.substr(0, line);
        }
        if (!data.empty()) add(TokenKind::data, std::string(data));
    }

    /// The tag's end when it stands here, with the white space that goes with it.
    bool take_end(std::string_view closing) {
        if (stands("-") && rest().substr(1).starts_with(closing)) {
            take(1 + closing.size());
            skip_space();
            return true;
        }
        if (closing != "}}" && stands("+") && rest().substr(1).starts_with(closing)) {
            take(1 + closing.size());
            return true;
        }
        if (!stands(closing)) return false;
        take(closing.size());
        if (closing != "}}" && stands("\n")) take(1);
        return true;
    }

    void read_comment() {
        const std::size_t end = source_.find("#}", at_);
        if (end == std::string_view::npos) fail("a comment is not closed; it ends with #}");
        const bool has_sign = end > at_ && (source_[end - 1] == '-' || source_[end - 1] == '+');
        take(end - at_ - (has_sign ? 1 : 0));
        take_end("#}");
    }

    /// {% raw %} up to {% endraw %}, behind its "{%".
    bool read_raw() {
        const std::size_t before = at_;
        const int line = line_;
        skip_space();
        if (stands("raw")) {
            take(3);
            skip_space();
            if (stands("-%}") || stands("%}")) {
                const bool strips = stands("-");
                take(strips ? 3 : 2);
                if (strips) skip_space();
                read_raw_text();
                return true;
            }
        }
        at_ = before;
        line_ = line;
        return false;
    }

    void read_raw_text() {
        const std::size_t begin = at_;
        const bool line_begins = begin > 0 && source_[begin - 1] == '\n';
        for (std::size_t open = source_.find("{%", at_); open != std::string_view::npos;
             open = source_.find("{%", open + 2)) {
            take(open - at_);
            const std::string_view data = source_.substr(begin, open - begin);
            take(2);
            const char sign = stands("-") || stands("+") ? source_[at_] : ' ';
            if (sign != ' ') take(1);
            skip_space();
            if (!stands("endraw")) continue;
            take(6);
            skip_space();
            if (!take_end("%}")) continue;
            add_data(data, '%', sign, line_begins);
            return;
        }
        fail("{% raw %} is not closed; it ends with {% endraw %}");
    }

    void read_tag(std::string_view closing, TokenKind end) {
        const int begun = line_;
        const std::size_t first = tokens_.size();
        for (;;) {
            if (tokens_.size() - first > most_in_a_tag) fail("a tag is too long");
            const int line = line_;
            if (brackets_.empty() && take_end(closing)) {
                tokens_.push_back({end, "", line});
                return;
            }
            if (at_ == source_.size()) {
                line_ = begun;
                fail("a tag is not closed; it ends with " + std::string(closing));
            }
            const char c = source_[at_];
            if (is_space(character_at(source_, at_))) {
                skip_space();
            } else if (begins_name(c)) {
                read_name();
            } else if (is_digit(c)) {
                read_number();
            } else if (c == '\'' || c == '"') {
                read_string(c);
            } else {
                read_symbol();
            }
        }
    }

    void read_name() {
        std::size_t end = at_;
        while (end < source_.size() && (begins_name(source_[end]) || is_digit(source_[end]))) ++end;
        add(TokenKind::name, std::string(source_.substr(at_, end - at_)));
        take(end - at_);
    }

    std::size_t digits_from(std::size_t at) const {
        while (at < source_.size() && (is_digit(source_[at]) || source_[at] == '_')) ++at;
        return at;
    }

    void read_number() {
        std::size_t end = digits_from(at_);
        bool real = false;
        const bool after_point = at_ > 0 && source_[at_ - 1] == '.';   // "a.0.1": two subscripts
        if (!after_point && end + 1 < source_.size() && source_[end] == '.' && is_digit(source_[end + 1])) {
            end = digits_from(end + 1);
            real = true;
        }
        if (!after_point && end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
            std::size_t exponent = end + 1;
            if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) ++exponent;
            if (exponent < source_.size() && is_digit(source_[exponent])) {
                end = digits_from(exponent);
                real = true;
            }
        }
        std::string text(take(end - at_));
        std::erase(text, '_');
        add(real ? TokenKind::real : TokenKind::integer, text);
    }

    void read_string(char quote) {
        std::string text;
        const std::size_t begin = at_ + 1;
        std::size_t end = begin;
        while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
        if (end >= source_.size()) fail("a text is not closed; it ends with " + std::string(1, quote));
        for (std::size_t at = begin; at < end;) text += read_character(at, end);
        add(TokenKind::string, text);
        take(end + 1 - at_);
    }

    /// One character of a string, escapes as Python's; moves `at` behind it.
    std::string read_character(std::size_t& at, std::size_t end) const {
        if (source_[at] != '\\') return std::string(1, source_[at++]);
        const char c = source_[at + 1];
        at += 2;
        constexpr std::string_view letters = "ntr\\'\"abfv", meant = "\n\t\r\\'\"\a\b\f\v";
        if (const std::size_t which = letters.find(c); which != std::string_view::npos)
            return std::string(1, meant[which]);
        if (c == '\n') return "";
        if (c >= '0' && c <= '7') {
            --at;
            return utf8_of(read_code(at, end, 3, 8).value_or(0));
        }
        const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
        if (digits == 0) return {'\\', c};
        const std::size_t before = at;
        const auto code = read_code(at, end, digits, 16);
        if (at - before != digits || !code || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)) {
            fail("\\" + std::string(1, c) + " in a text is not followed by a character's number");
        }
        return utf8_of(*code);
    }

    std::optional<char32_t> read_code(std::size_t& at, std::size_t end, std::size_t most, char32_t base) const {
        std::optional<char32_t> code;
        for (std::size_t i = 0; i < most && at < end; ++i, ++at) {
            const char c = source_[at];
            const int digit = is_digit(c)            ? c - '0'
                              : c >= 'a' && c <= 'f' ? c - 'a' + 10
                              : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                     : 99;
            if (digit >= static_cast<int>(base)) break;
            code = code.value_or(0) * base + static_cast<char32_t>(digit);
        }
        return code;
    }

    void read_symbol() {
        constexpr std::array<std::string_view, 26> symbols = {"==", "!=", "<=", ">=", "//", "**", "+", "-", "*",
                                                              "/",  "%",  "~",  "<",  ">",  "=",  ".", ",", ":",
                                                              "|",  "(",  ")",  "[",  "]",  "{",  "}", ";"};
        for (const std::string_view symbol : symbols) {
            if (!stands(symbol)) continue;
            const bool closes = symbol == ")" || symbol == "]" || symbol == "}";
            if (closes && (brackets_.empty() || brackets_.back() != symbol[0]))
                fail("unexpected '" + std::string(symbol) + "'");
            if (closes) brackets_.pop_back();
            const std::size_t opens = std::string_view("([{").find(symbol[0]);
            if (opens != std::string_view::npos) brackets_ += std::string_view(")]}")[opens];
            add(TokenKind::symbol, std::string(symbol));
            take(symbol.size());
            return;
        }
        fail("unexpected character '" + std::string(character_at(source_, at_)) + "'");
    }

    std::string_view source_;
    std::size_t at_ = 0;
    int line_ = 1;
    std::string brackets_;   // those that must close, the innermost last
    std::vector<Token> tokens_;
};

}   // namespace

std::vector<Token> tokens_of(std::string_view source) {
    const std::string text = normalised(source);
    return Lexer(text).run();
}

}   // namespace plumbline::jinja
