#pragma once
// The parser's place among the tokens, and how deep it is.

#include <string>
#include <string_view>
#include <vector>

#include "core/text/jinja/lexer.h"
#include "core/text/jinja/work.h"

namespace plumbline::jinja {

class TokenReader {
  public:
    explicit TokenReader(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    const Token& peek() const { return tokens_[at_]; }
    const Token& peek_second() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
    int line() const { return peek().line; }
    int line_before() const { return at_ > 0 ? tokens_[at_ - 1].line : 1; }
    Token next() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }

    bool stands(TokenKind kind, std::string_view text) const { return peek().kind == kind && peek().text == text; }
    bool at_symbol(std::string_view text) const { return stands(TokenKind::symbol, text); }
    bool at_name(std::string_view text) const { return stands(TokenKind::name, text); }
    bool take_symbol(std::string_view text) { return take(at_symbol(text)); }
    bool take_name(std::string_view text) { return take(at_name(text)); }

    void expect_symbol(std::string_view text) {
        if (!take_symbol(text)) fail_expected("'" + std::string(text) + "'");
    }
    void expect_name(std::string_view text) {
        if (!take_name(text)) fail_expected("'" + std::string(text) + "'");
    }
    void expect(TokenKind kind) {
        if (peek().kind != kind) fail_expected("the tag's end");
        next();
    }
    std::string expect_any_name() {
        if (peek().kind != TokenKind::name) fail_expected("a name");
        return next().text;
    }

    [[noreturn]] void fail(const std::string& what) const { throw TemplateError(what, line()); }
    [[noreturn]] void fail_expected(const std::string& what) const {
        const Token& token = peek();
        const std::string there = token.kind == TokenKind::end ? "the template's end"
                                  : token.text.empty()         ? "the tag's end"
                                                               : "'" + token.text.substr(0, 40) + "'";
        fail("expected " + what + ", not " + there);
    }

    /// Held while something inside something else is read, by recursion.
    class Deeper {
      public:
        explicit Deeper(TokenReader& reader) : reader_(reader) {
            if (reader.depth_ >= 150) reader.fail("blocks or expressions lie too deep in one another");
            ++reader.depth_;
        }
        ~Deeper() { --reader_.depth_; }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;

      private:
        TokenReader& reader_;
    };

  private:
    bool take(bool stands_here) {
        if (stands_here) next();
        return stands_here;
    }

    std::vector<Token> tokens_;   // the last is `end`
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace plumbline::jinja
