// Statements: everything between {% and %}.

#include <algorithm>
#include <initializer_list>

#include "core/text/jinja/expression_parser.h"
#include "core/text/jinja/syntax.h"

namespace plumbline::jinja {
namespace {

class Parser {
  public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    Body run() {
        Body out = body({});
        if (tokens_.peek().kind != TokenKind::end) tokens_.fail("'" + tokens_.peek().text + "' without its beginning");
        return out;
    }

  private:
    using Ends = std::initializer_list<std::string_view>;

    /// Up to a tag that begins with one of `ends`, which stays; or, without ends, up to a stray one or the end.
    Body body(Ends ends) {
        const TokenReader::Deeper deeper(tokens_);
        const int begun = tokens_.line_before();
        Body out;
        for (;;) {
            const int line = tokens_.line();
            if (tokens_.peek().kind == TokenKind::data) {
                out.push_back({Data{tokens_.next().text}, line});
            } else if (tokens_.peek().kind == TokenKind::output_begin) {
                tokens_.next();
                out.push_back({Output{parse_expressions(tokens_)}, line});
                tokens_.expect(TokenKind::output_end);
            } else if (tokens_.peek().kind == TokenKind::end) {
                if (ends.size() > 0)
                    throw TemplateError("a block is not closed; it ends with " + std::string(*(ends.end() - 1)), begun);
                return out;
            } else {
                tokens_.expect(TokenKind::block_begin);
                const auto here = [&](std::string_view name) { return tokens_.at_name(name); };
                if (std::any_of(ends.begin(), ends.end(), here)) return out;
                if (tokens_.peek().text.starts_with("end") || here("else") || here("elif")) {
                    tokens_.fail("'" + tokens_.peek().text.substr(0, 40) + "' does not close what is open");
                }
                out.push_back(statement());
            }
        }
    }

    /// A body up to {% end %}, which goes too.
    Body body_until(std::string_view end) {
        Body out = body({end});
        tokens_.next();
        close_tag();
        return out;
    }

    void close_tag() { tokens_.expect(TokenKind::block_end); }

    Statement statement() {
        const int line = tokens_.line();
        const std::string word = tokens_.expect_any_name();
        const auto at_line = [&](auto node) { return Statement{std::move(node), line}; };
        if (word == "if") return at_line(if_block());
        if (word == "for") return at_line(for_block());
        if (word == "set") return set(line);
        if (word == "macro") return at_line(macro());
        if (word == "call") return at_line(call_block());
        if (word == "filter") {
            auto filters = parse_filters(tokens_);
            close_tag();
            return at_line(FilterBlock{std::move(filters), body_until("endfilter")});
        }
        if (word == "with") return at_line(with());
        if (word == "generation") {
            close_tag();
            return at_line(Scoped{body_until("endgeneration")});
        }
        if (word == "break" || word == "continue") {
            if (loops_ == 0) throw TemplateError("'" + word + "' outside a loop", line);
            close_tag();
            return word == "break" ? at_line(Break{}) : at_line(Continue{});
        }
        throw TemplateError("the tag '" + word.substr(0, 40) + "' is not known", line);
    }

    If if_block() {
        If out;
        for (;;) {
            ExpressionPtr condition = parse_expression(tokens_);
            close_tag();
            out.branches.emplace_back(std::move(condition), body({"elif", "else", "endif"}));
            if (!tokens_.take_name("elif")) break;
        }
        if (tokens_.next().text == "else") {
            close_tag();
            out.otherwise = body({"endif"});
            tokens_.next();
        }
        close_tag();
        return out;
    }

    For for_block() {
        For out;
        out.target = parse_target(tokens_);
        tokens_.expect_name("in");
        out.iterable = parse_expressions(tokens_, Conditionals::left_alone);
        if (tokens_.take_name("if")) out.condition = parse_expression(tokens_);
        if (tokens_.at_name("recursive")) tokens_.fail("recursive loops are not supported");
        close_tag();
        ++loops_;
        out.body = body({"else", "endfor"});
        --loops_;
        if (tokens_.next().text == "else") {
            close_tag();
            out.otherwise = body({"endfor"});
            tokens_.next();
        }
        close_tag();
        return out;
    }

    Statement set(int line) {
        ExpressionPtr target = parse_target(tokens_);
        if (tokens_.take_symbol("=")) {
            ExpressionPtr value = parse_expressions(tokens_);
            close_tag();
            return {Set{std::move(target), std::move(value)}, line};
        }
        std::vector<FilterUse> filters;
        if (tokens_.take_symbol("|")) filters = parse_filters(tokens_);
        close_tag();
        return {SetBlock{std::move(target), std::move(filters), body_until("endset")}, line};
    }

    std::vector<Parameter> parameters() {
        std::vector<Parameter> out;
        tokens_.expect_symbol("(");
        while (!tokens_.at_symbol(")")) {
            Parameter one{tokens_.expect_any_name(), nullptr};
            if (tokens_.take_symbol("=")) {
                one.fallback = parse_expression(tokens_);
            } else if (!out.empty() && out.back().fallback) {
                tokens_.fail("a parameter without a default stands behind one with a default");
            }
            out.push_back(std::move(one));
            if (!tokens_.at_symbol(")")) tokens_.expect_symbol(",");
        }
        tokens_.next();
        return out;
    }

    /// A body that a break may not leave.
    Body closed_body(std::string_view end) {
        const int outside = std::exchange(loops_, 0);
        Body out = body_until(end);
        loops_ = outside;
        return out;
    }

    Macro macro() {
        Macro out;
        out.name = tokens_.expect_any_name();
        out.parameters = parameters();
        close_tag();
        out.body = closed_body("endmacro");
        return out;
    }

    CallBlock call_block() {
        CallBlock out;
        out.caller.name = "caller";
        if (tokens_.at_symbol("(")) out.caller.parameters = parameters();
        out.call = parse_expression(tokens_);
        if (!std::holds_alternative<Call>(out.call->node)) tokens_.fail_expected("a call");
        close_tag();
        out.caller.body = closed_body("endcall");
        return out;
    }

    With with() {
        With out;
        while (tokens_.peek().kind != TokenKind::block_end) {
            if (!out.bindings.empty()) tokens_.expect_symbol(",");
            ExpressionPtr target = parse_target(tokens_);
            tokens_.expect_symbol("=");
            out.bindings.emplace_back(std::move(target), parse_expression(tokens_));
        }
        close_tag();
        out.body = body_until("endwith");
        return out;
    }

    TokenReader tokens_;
    int loops_ = 0;   // around the place, within its macro
};

}   // namespace

Body parse(std::string_view source) {
    return Parser(tokens_of(source)).run();
}

}   // namespace plumbline::jinja
