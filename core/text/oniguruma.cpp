// Oniguruma's Ruby syntax to PCRE2's. They agree but for a few escapes, option letters and quantifiers.

#include <array>
#include <cctype>
#include <stdexcept>
#include <utility>

#include "core/text/regex.h"

namespace plumbline {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::invalid_argument(what + " is not supported");
}

// Inside brackets; outside they get brackets of their own. Oniguruma counts Latin-1's superscripts and fractions as
// word characters outside only.
constexpr std::string_view word = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})", hexadecimal = "0-9a-fA-F",
                           latin_numbers = R"(\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";

class Translation {
  public:
    explicit Translation(std::string_view pattern) : in_(pattern) {}

    std::string run() {
        while (at_ < in_.size()) {
            const std::size_t begin = out_.size();
            const char c = in_[at_];
            if (c == '\\') {
                escape(false);
            } else if (c == '[') {
                bracket();
            } else if (c == '(') {
                open_group();
                continue;  // no atom yet
            } else if (c == ')') {
                copy(1);
                if (groups_.empty()) continue;  // PCRE2 will say so
                atom_ = groups_.back();
                groups_.pop_back();
                continue;
            } else if (c == '{' || c == '*' || c == '+' || c == '?') {
                quantifier();
                continue;
            } else {
                std::size_t length = 1;
                while (at_ + length < in_.size() && (in_[at_ + length] & 0xC0) == 0x80) ++length;
                copy(length);
            }
            atom_ = begin;
        }
        return out_;
    }

  private:
    void copy(std::size_t length) {
        out_ += in_.substr(at_, length);
        at_ += length;
    }
    bool here(std::string_view text) const { return in_.substr(at_, text.size()) == text; }

    void escape(bool in_brackets) {
        if (at_ + 1 == in_.size()) return copy(1);
        const char c = in_[at_ + 1];
        const auto put = [&](std::string_view set, bool inverse) {
            if (in_brackets && inverse) fail(std::string("\\") + c + " in brackets");
            out_ += in_brackets ? std::string(set) : (inverse ? "[^" : "[") + std::string(set) + "]";
            at_ += 2;
        };
        switch (c) {
            case 's': out_ += R"(\p{White_Space})", at_ += 2; return;  // PCRE2's \s has U+180E too
            case 'S': out_ += R"(\P{White_Space})", at_ += 2; return;
            case 'w': case 'W': return put(std::string(word).append(in_brackets ? "" : latin_numbers), c == 'W');
            case 'h': case 'H': return put(hexadecimal, c == 'H');
            case 'u':
                if (in_.size() - at_ < 6) fail("an unfinished \\u");
                out_ += "\\x{" + std::string(in_.substr(at_ + 2, 4)) + "}";
                at_ += 6;
                return;
            default: break;
        }
        const bool is_named = (c == 'p' || c == 'P' || c == 'x') && in_.substr(at_ + 2, 1) == "{";  // \p{L}, \x{20}
        const std::size_t brace = is_named ? in_.find('}', at_) : std::string_view::npos;
        if (brace != std::string_view::npos) {
            named(in_.substr(at_, 3), in_.substr(at_ + 3, brace - at_ - 3));
            at_ = brace + 1;
            return;
        }
        std::size_t length = 2;
        while (at_ + length < in_.size() && (in_[at_ + length] & 0xC0) == 0x80) ++length;
        copy(length);
    }

    /// A script's name means the characters of that script alone, where PCRE2 adds those that it shares.
    void named(std::string_view opening, std::string_view name) {
        const std::string_view inverse = name.starts_with('^') ? "^" : "";
        const std::string_view rest = name.substr(inverse.size());
        const bool is_script = opening[1] != 'x' && rest.size() > 2 && compiles("\\p{sc:" + std::string(rest) + "}");
        out_.append(opening).append(inverse).append(is_script ? "sc:" : "").append(rest).append("}");
    }
    static bool compiles(const std::string& pattern) {
        try {
            const Regex regex(pattern);
            return true;
        } catch (const std::invalid_argument&) {
            return false;
        }
    }

    /// [:alpha:] within brackets.
    void posix_class() {
        static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> classes = {{
            {"[:alpha:]", R"(\p{Alphabetic})"}, {"[:digit:]", R"(\p{Nd})"}, {"[:space:]", R"(\p{White_Space})"},
            {"[:upper:]", R"(\p{Uppercase})"}, {"[:lower:]", R"(\p{Lowercase})"}}};
        for (const auto& [name, meaning] : classes) {
            if (!here(name)) continue;
            out_ += meaning;
            at_ += name.size();
            return;
        }
        fail("a class such as " + std::string(in_.substr(at_, 10)));
    }

    void bracket() {
        copy(here("[^") ? 2 : 1);
        if (here("]")) copy(1);
        while (at_ < in_.size() && in_[at_] != ']') {
            if (in_[at_] == '\\') {
                escape(true);
            } else if (here("[:")) {
                posix_class();
            } else if (in_[at_] == '[') {
                fail("a set within brackets");
            } else if (here("&&")) {
                fail("an intersection (&&)");
            } else {
                copy(1);
            }
        }
        if (at_ < in_.size()) copy(1);
    }

    void open_group() {
        groups_.push_back(out_.size());
        copy(1);
        if (!here("?")) return;
        copy(1);
        // Options: Ruby's m lets a dot match a line end, PCRE2's s.
        while (at_ < in_.size() && (in_[at_] == 'i' || in_[at_] == 'm' || in_[at_] == 'x' || in_[at_] == '-')) {
            out_ += in_[at_] == 'm' ? 's' : in_[at_];
            ++at_;
        }
    }

    void quantifier() {
        if (in_[at_] != '{') {  // with its ? or +, which mean the same in both
            copy(1);
            if (here("?") || here("+")) copy(1);
            return;
        }
        std::size_t end = at_ + 1;
        while (end < in_.size() && (std::isdigit(static_cast<unsigned char>(in_[end])) != 0 || in_[end] == ',')) ++end;
        if (end == in_.size() || in_[end] != '}' || end == at_ + 1) {  // no quantifier
            atom_ = out_.size();
            return copy(1);
        }
        if (in_[at_ + 1] == ',') {
            out_ += "{0";
            ++at_;
        }
        copy(end + 1 - at_);
        if (here("+")) {  // Ruby repeats the repetition, PCRE2 would make it possessive
            out_.insert(atom_, "(?:");
            out_ += ")+";
            ++at_;
        } else if (here("?")) {
            copy(1);
        }
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::string out_;
    std::size_t atom_ = 0;               // where the last atom begins in out_
    std::vector<std::size_t> groups_;    // where the open groups begin in out_
};

}  // namespace

std::string pcre2_from_oniguruma(std::string_view pattern) {
    return Translation(pattern).run();
}

}  // namespace plumbline
