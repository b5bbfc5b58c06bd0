// Precedence as in Jinja: if-else, or, and, not, comparisons, + -, ~, * / // %, **, signs, then what follows a value.

#include "core/text/jinja/expression_parser.h"

#include <array>
#include <charconv>

namespace plumbline::jinja {
namespace {

template <typename Node>
ExpressionPtr make(int line, Node node) {
    return std::make_unique<Expression>(Expression{std::move(node), line});
}

struct BinarySymbol {
    std::string_view symbol;
    Operator op;
};
using Level = std::vector<BinarySymbol>;

/// From loose to tight.
const std::array<Level, 4>& levels() {
    static const std::array<Level, 4> all = {
        Level{{"+", Operator::add}, {"-", Operator::subtract}},
        Level{{"~", Operator::concatenate}},
        Level{{"*", Operator::multiply},
              {"//", Operator::floor_divide},
              {"/", Operator::divide},
              {"%", Operator::modulo}},
        Level{{"**", Operator::power}},
    };
    return all;
}

class ExpressionParser {
  public:
    explicit ExpressionParser(TokenReader& tokens) : tokens_(tokens) {}

    ExpressionPtr expression(Conditionals conditionals) {
        const TokenReader::Deeper deeper(tokens_);
        ExpressionPtr value = either();
        while (conditionals == Conditionals::allowed && tokens_.at_name("if")) {
            const int line = tokens_.next().line;
            ExpressionPtr condition = either();
            ExpressionPtr otherwise = tokens_.take_name("else") ? expression(conditionals) : nullptr;
            value = make(line, Conditional{std::move(value), std::move(condition), std::move(otherwise)});
        }
        return value;
    }

    ExpressionPtr expressions(Conditionals conditionals) {
        const int line = tokens_.line();
        ExpressionPtr first = expression(conditionals);
        if (!tokens_.at_symbol(",")) return first;
        Expressions items;
        items.push_back(std::move(first));
        while (tokens_.take_symbol(",")) {
            if (!begins_value()) break;
            items.push_back(expression(conditionals));
        }
        return make(line, SequenceOf{std::move(items), SequenceKind::tuple});
    }

    ArgumentList arguments() {
        ArgumentList out;
        tokens_.expect_symbol("(");
        while (!tokens_.at_symbol(")")) {
            if (tokens_.peek().kind == TokenKind::name && tokens_.peek_second().kind == TokenKind::symbol &&
                tokens_.peek_second().text == "=") {
                std::string name = tokens_.next().text;
                tokens_.next();
                out.named.emplace_back(std::move(name), expression(Conditionals::allowed));
            } else if (!out.named.empty()) {
                tokens_.fail("an argument without a name stands behind one with a name");
            } else {
                out.positional.push_back(expression(Conditionals::allowed));
            }
            if (!tokens_.at_symbol(")")) tokens_.expect_symbol(",");
        }
        tokens_.next();
        return out;
    }

    FilterUse filter() {
        std::string name = tokens_.expect_any_name();
        while (tokens_.take_symbol(".")) name += "." + tokens_.expect_any_name();
        return {std::move(name), tokens_.at_symbol("(") ? arguments() : ArgumentList{}};
    }

    ExpressionPtr primary() {
        const int line = tokens_.line();
        switch (tokens_.peek().kind) {
            case TokenKind::name:
                return named(line, tokens_.next().text);
            case TokenKind::string: {
                std::string text = tokens_.next().text;
                while (tokens_.peek().kind == TokenKind::string) text += tokens_.next().text;
                return make(line, Constant{Value(std::move(text))});
            }
            case TokenKind::integer:
                return number<std::int64_t>(line);
            case TokenKind::real:
                return number<double>(line);
            default:
                break;
        }
        if (tokens_.at_symbol("(")) return parenthesised(line);
        if (tokens_.at_symbol("[")) return list(line);
        if (tokens_.at_symbol("{")) return mapping(line);
        tokens_.fail_expected("a value");
    }

  private:
    bool begins_value() const {
        const Token& token = tokens_.peek();
        if (token.kind == TokenKind::name) return token.text != "in" && token.text != "if" && token.text != "recursive";
        if (token.kind == TokenKind::symbol)
            return std::string_view("([{+-").find(token.text) != std::string_view::npos;
        return token.kind == TokenKind::string || token.kind == TokenKind::integer || token.kind == TokenKind::real;
    }

    ExpressionPtr either() {
        ExpressionPtr left = both();
        while (tokens_.at_name("or")) {
            const int line = tokens_.next().line;
            ExpressionPtr right = both();
            left = make(line, Binary{Operator::either, std::move(left), std::move(right)});
        }
        return left;
    }

    ExpressionPtr both() {
        ExpressionPtr left = inverted();
        while (tokens_.at_name("and")) {
            const int line = tokens_.next().line;
            ExpressionPtr right = inverted();
            left = make(line, Binary{Operator::both, std::move(left), std::move(right)});
        }
        return left;
    }

    ExpressionPtr inverted() {
        if (!tokens_.at_name("not")) return comparison();
        const TokenReader::Deeper deeper(tokens_);
        const int line = tokens_.next().line;
        return make(line, Unary{Unary::Kind::inverted, inverted()});
    }

    std::optional<Relation> relation() {
        constexpr std::pair<std::string_view, Relation> symbols[] = {
            {"==", Relation::equal},         {"!=", Relation::unequal}, {"<=", Relation::less_equal},
            {">=", Relation::greater_equal}, {"<", Relation::less},     {">", Relation::greater}};
        for (const auto& [symbol, meant] : symbols) {
            if (tokens_.take_symbol(symbol)) return meant;
        }
        if (tokens_.take_name("in")) return Relation::in;
        if (tokens_.at_name("not") && tokens_.peek_second().kind == TokenKind::name &&
            tokens_.peek_second().text == "in") {
            tokens_.next();
            tokens_.next();
            return Relation::not_in;
        }
        return std::nullopt;
    }

    ExpressionPtr comparison() {
        ExpressionPtr first = binary(0);
        const int line = tokens_.line();
        std::vector<std::pair<Relation, ExpressionPtr>> others;
        while (const auto meant = relation()) others.emplace_back(*meant, binary(0));
        return others.empty() ? std::move(first) : make(line, Comparison{std::move(first), std::move(others)});
    }

    const BinarySymbol* binary_symbol(std::size_t level) const {
        for (const BinarySymbol& one : levels()[level]) {
            if (tokens_.at_symbol(one.symbol)) return &one;
        }
        return nullptr;
    }

    ExpressionPtr binary(std::size_t level) {
        if (level == levels().size()) return signed_value(true);
        ExpressionPtr left = binary(level + 1);
        while (const BinarySymbol* symbol = binary_symbol(level)) {
            const int line = tokens_.next().line;
            ExpressionPtr right = binary(level + 1);
            left = make(line, Binary{symbol->op, std::move(left), std::move(right)});
        }
        return left;
    }

    ExpressionPtr signed_value(bool with_filters) {
        const int line = tokens_.line();
        ExpressionPtr value;
        if (tokens_.at_symbol("-") || tokens_.at_symbol("+")) {
            const TokenReader::Deeper deeper(tokens_);
            const auto kind = tokens_.next().text == "-" ? Unary::Kind::negative : Unary::Kind::positive;
            value = make(line, Unary{kind, signed_value(false)});
        } else {
            value = primary();
        }
        return followed(std::move(value), with_filters);
    }

    /// What stands behind a value: .name, [key], (arguments), and, with filters, | and "is".
    ExpressionPtr followed(ExpressionPtr value, bool with_filters) {
        bool filters_begun = false;   // behind them only calls, filters and tests
        for (;;) {
            const int line = tokens_.line();
            if (tokens_.at_symbol("(")) {
                value = make(line, Call{std::move(value), arguments()});
            } else if (!filters_begun && tokens_.take_symbol(".")) {
                value = attribute(line, std::move(value));
            } else if (!filters_begun && tokens_.take_symbol("[")) {
                value = subscript(line, std::move(value));
            } else if (with_filters && tokens_.take_symbol("|")) {
                filters_begun = true;
                value = make(line, Filtered{std::move(value), filter()});
            } else if (with_filters && tokens_.take_name("is")) {
                filters_begun = true;
                value = test(line, std::move(value));
            } else {
                return value;
            }
        }
    }

    ExpressionPtr attribute(int line, ExpressionPtr object) {
        if (tokens_.peek().kind == TokenKind::integer) {
            return make(line, Item{std::move(object), number<std::int64_t>(line)});
        }
        return make(line, Attribute{std::move(object), tokens_.expect_any_name()});
    }

    ExpressionPtr subscript(int line, ExpressionPtr object) {
        const auto part = [&]() -> ExpressionPtr {
            return tokens_.at_symbol(":") || tokens_.at_symbol("]") ? nullptr : expressions(Conditionals::allowed);
        };
        ExpressionPtr start = part();
        if (!tokens_.at_symbol(":")) {
            if (!start) tokens_.fail_expected("a value");
            tokens_.expect_symbol("]");
            return make(line, Item{std::move(object), std::move(start)});
        }
        tokens_.next();
        ExpressionPtr stop = part();
        ExpressionPtr step = tokens_.take_symbol(":") ? part() : nullptr;
        tokens_.expect_symbol("]");
        return make(line, Slice{std::move(object), std::move(start), std::move(stop), std::move(step)});
    }

    ExpressionPtr test(int line, ExpressionPtr value) {
        const bool inverted = tokens_.take_name("not");
        std::string name = tokens_.expect_any_name();
        ArgumentList given;
        const bool name_goes_on = tokens_.at_name("else") || tokens_.at_name("or") || tokens_.at_name("and") ||
                                  tokens_.at_name("if") || tokens_.at_name("in") || tokens_.at_name("not");
        if (tokens_.at_symbol("(")) {
            given = arguments();
        } else if (begins_value() && !name_goes_on && !tokens_.at_symbol("+") && !tokens_.at_symbol("-")) {
            if (tokens_.at_name("is")) tokens_.fail("tests cannot stand behind one another; put the first into ( )");
            given.positional.push_back(followed(primary(), false));
        }
        value = make(line, Tested{std::move(value), std::move(name), std::move(given)});
        return inverted ? make(line, Unary{Unary::Kind::inverted, std::move(value)}) : std::move(value);
    }

    ExpressionPtr named(int line, const std::string& name) {
        if (name == "true" || name == "True") return make(line, Constant{true});
        if (name == "false" || name == "False") return make(line, Constant{false});
        if (name == "none" || name == "None") return make(line, Constant{None{}});
        return make(line, Name{name});
    }

    template <typename Number>
    ExpressionPtr number(int line) {
        const std::string text = tokens_.peek().text;
        Number value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || end != text.data() + text.size())
            tokens_.fail("the number " + text.substr(0, 40) + " is too large");
        tokens_.next();
        return make(line, Constant{value});
    }

    ExpressionPtr parenthesised(int line) {
        tokens_.next();
        if (tokens_.take_symbol(")")) return make(line, SequenceOf{{}, SequenceKind::tuple});
        ExpressionPtr inner = expressions(Conditionals::allowed);
        tokens_.expect_symbol(")");
        return inner;
    }

    ExpressionPtr list(int line) {
        tokens_.next();
        Expressions items;
        while (!tokens_.at_symbol("]")) {
            items.push_back(expression(Conditionals::allowed));
            if (!tokens_.at_symbol("]")) tokens_.expect_symbol(",");
        }
        tokens_.next();
        return make(line, SequenceOf{std::move(items), SequenceKind::list});
    }

    ExpressionPtr mapping(int line) {
        tokens_.next();
        MappingOf out;
        while (!tokens_.at_symbol("}")) {
            ExpressionPtr key = expression(Conditionals::allowed);
            tokens_.expect_symbol(":");
            out.entries.emplace_back(std::move(key), expression(Conditionals::allowed));
            if (!tokens_.at_symbol("}")) tokens_.expect_symbol(",");
        }
        tokens_.next();
        return make(line, std::move(out));
    }

    TokenReader& tokens_;
};

}   // namespace

ExpressionPtr parse_expression(TokenReader& tokens, Conditionals conditionals) {
    return ExpressionParser(tokens).expression(conditionals);
}

ExpressionPtr parse_expressions(TokenReader& tokens, Conditionals conditionals) {
    return ExpressionParser(tokens).expressions(conditionals);
}

ArgumentList parse_arguments(TokenReader& tokens) {
    return ExpressionParser(tokens).arguments();
}

std::vector<FilterUse> parse_filters(TokenReader& tokens) {
    std::vector<FilterUse> out;
    do {
        out.push_back(ExpressionParser(tokens).filter());
    } while (tokens.take_symbol("|"));
    return out;
}

ExpressionPtr parse_target(TokenReader& tokens) {
    const TokenReader::Deeper deeper(tokens);
    const int line = tokens.line();
    const auto one = [&]() -> ExpressionPtr {
        if (tokens.take_symbol("(")) {
            ExpressionPtr inner = parse_target(tokens);
            tokens.expect_symbol(")");
            return inner;
        }
        ExpressionPtr name = make(line, Name{tokens.expect_any_name()});
        return tokens.take_symbol(".") ? make(line, Attribute{std::move(name), tokens.expect_any_name()})
                                       : std::move(name);
    };
    ExpressionPtr first = one();
    if (!tokens.at_symbol(",")) return first;
    Expressions items;
    items.push_back(std::move(first));
    while (tokens.take_symbol(",")) {
        if (tokens.peek().kind != TokenKind::name && !tokens.at_symbol("(")) break;
        items.push_back(one());
    }
    return make(line, SequenceOf{std::move(items), SequenceKind::tuple});
}

}   // namespace plumbline::jinja
