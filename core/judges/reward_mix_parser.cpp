// The text of a reward: terms joined by + and -, each a rule with its weight and its bounds.
//
//   mix      = ["-"] term { ("+" | "-") term }
//   term     = [ number "*" ] rule [ "*" number ] [ "[" number "," number "]" ]
//   rule     = name [ "(" argument { "," argument } ")" ]
//   argument = any characters but , ( ) " | a quoted text, in which \" stands for a quote

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "core/api/errors.h"
#include "core/judges/reward_rule.h"

namespace plumbline {
namespace {

constexpr std::size_t most_bytes = 20000, most_terms = 64;
constexpr double largest_number = 1e6;

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::vector<RewardPart> mix() {
        std::vector<RewardPart> parts;
        bool negative = take('-');
        while (true) {
            parts.push_back(term(negative));
            skip_space();
            if (at_ == text_.size()) {
                return parts;
            }
            negative = take('-');
            if (!negative && !take('+')) {
                fail("+ or - is missing before", "join the terms by + or -");
            }
            if (parts.size() == most_terms) {
                fail("more than " + std::to_string(most_terms) + " terms, from", "use fewer");
            }
        }
    }

  private:
    RewardPart term(bool negative) {
        RewardPart part;
        bool weighted = false;
        skip_space();
        if (at_ < text_.size() &&
            std::string_view("0123456789.-+").find(text_[at_]) != std::string_view::npos) {
            part.weight = number();
            expect('*', "* is missing between the weight and");
            weighted = true;
        }
        rule(part);
        if (!weighted && take('*')) {
            part.weight = number();
        }
        part.weight = negative ? -part.weight : part.weight;
        if (take('[')) {
            const std::size_t place = at_;
            part.low = number();
            expect(',', "a comma is missing between the bounds, before");
            part.high = number();
            expect(']', "] is missing after the bounds, before");
            if (*part.low > *part.high) {
                at_ = place;
                fail("the lower bound is above the upper one in", "swap them");
            }
        }
        return part;
    }

    void rule(RewardPart& part) {
        skip_space();
        const std::size_t begin = at_;
        while (at_ < text_.size() &&
               (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
            ++at_;
        }
        part.name = text_.substr(begin, at_ - begin);
        const auto& all = rule_entries();
        const auto entry =
            std::find_if(all.begin(), all.end(), [&](const RuleEntry& e) { return part.name == e.name; });
        if (entry == all.end()) {
            std::string names;
            for (const RuleEntry& e : all) {
                names += (names.empty() ? "" : ", ") + std::string(e.name);
            }
            at_ = begin;
            fail("there is no rule at", "use one of " + names);
        }
        RuleArguments arguments;
        if (take('(') && !take(')')) {
            do {
                arguments.push_back(argument());
            } while (take(','));
            expect(')', ") is missing before");
        }
        if (arguments.size() < entry->fewest || arguments.size() > entry->most) {
            at_ = begin;
            fail("the rule " + part.name + " has " + std::to_string(arguments.size()) +
                     (arguments.size() == 1 ? " argument at" : " arguments at"),
                 std::string("write ") + entry->usage);
        }
        part.rule = entry->make(arguments);
    }

    std::string argument() {
        skip_space();
        std::string out;
        if (at_ < text_.size() && text_[at_] == '"') {
            const std::size_t begin = at_;
            for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
                // Other backslashes belong to the argument, a pair of them as a pair: "\d" and "\\" are
                // patterns.
                if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                    ++at_;
                    out += text_[at_] == '"' ? "" : "\\";
                }
                out += text_[at_];
            }
            if (at_ == text_.size()) {
                at_ = begin;
                fail("the quote is not closed that opens", "close it");
            }
            ++at_;
            return out;
        }
        const std::size_t begin = at_;
        while (at_ < text_.size() && std::string_view(",()\"").find(text_[at_]) == std::string_view::npos) {
            ++at_;
        }
        out = text_.substr(begin, at_ - begin);
        out.erase(out.find_last_not_of(" \t\r\n") + 1);
        if (out.empty()) {
            fail("an argument is missing before", "write a word, or any text between quotes");
        }
        return out;
    }

    double number() {
        skip_space();
        const std::size_t begin = at_;
        at_ += at_ < text_.size() && text_[at_] == '+' ? 1 : 0;
        double value = 0;
        const auto [stop, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
        if (error != std::errc() || !(std::abs(value) <= largest_number)) {
            at_ = begin;
            fail("a number of -1000000..1000000 is missing at", "write one");
        }
        at_ = static_cast<std::size_t>(stop - text_.data());
        return value;
    }

    void skip_space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
            ++at_;
        }
    }

    bool take(char c) {
        skip_space();
        const bool found = at_ < text_.size() && text_[at_] == c;
        at_ += found ? 1 : 0;
        return found;
    }

    void expect(char c, const std::string& missing) {
        if (!take(c)) {
            fail(missing, "correct it");
        }
    }

    [[noreturn]] void fail(const std::string& what, const std::string& remedy) {
        skip_space();
        // Characters, not bytes: the continuation bytes of UTF-8 do not count.
        const auto characters =
            std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_),
                          [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
        const std::string rest(text_.substr(at_, 20));
        throw ConfigError("reward", what + " " + (rest.empty() ? "the end" : "'" + rest + "'") +
                                        " (character " + std::to_string(characters + 1) + "); " + remedy);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

RewardMix parse_reward_mix(std::string_view text) {
    if (text.size() > most_bytes) {
        throw ConfigError("reward", "the text has " + std::to_string(text.size()) + " bytes; use at most " +
                                        std::to_string(most_bytes));
    }
    return RewardMix(Parser(text).mix());
}

}  // namespace plumbline
