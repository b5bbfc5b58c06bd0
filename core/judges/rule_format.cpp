// format: whether the reply has a form that can be checked.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/judges/reward_rule.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

/// Without the white space at its end.
std::string_view without_tail(std::string_view text) {
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

/// Ends with . ! ? or …, closing quotes and brackets after it allowed.
bool ends_with_punctuation(const RuleInput& input) {
    std::string_view text = without_tail(input.text);
    const auto drop = [&](std::string_view end) {
        const bool found = text.ends_with(end);
        text.remove_suffix(found ? end.size() : 0);
        return found;
    };
    while (drop("\"") || drop("'") || drop(")") || drop("\u201d") || drop("\u2019")) {
    }
    return text.ends_with('.') || text.ends_with('!') || text.ends_with('?') || text.ends_with("\u2026");
}

/// Some words, and after them no end of a sentence but the last. A point within a number or a word ("3.5",
/// "example.com") ends none.
bool is_one_sentence(const RuleInput& input) {
    const std::string_view text = without_tail(input.text);
    if (count_words(text) == 0) {
        return false;
    }
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        const bool ends = text[i] == '.' || text[i] == '!' || text[i] == '?';
        const bool space_follows = std::string_view(" \t\r\n").find(text[i + 1]) != std::string_view::npos;
        if ((ends && space_follows) || text[i] == '\n') {
            return false;
        }
    }
    return true;
}

bool is_json(const RuleInput& input) {
    return nlohmann::json::accept(input.text);
}

bool ended(const RuleInput& input) {
    return input.ended;
}

struct Kind {
    const char* name;
    bool (*holds)(const RuleInput&);
};
constexpr Kind kinds[] = {{"json", is_json},
                          {"punctuation", ends_with_punctuation},
                          {"one_sentence", is_one_sentence},
                          {"ended", ended}};

class FormatRule final : public RewardRule {
  public:
    explicit FormatRule(bool (*holds)(const RuleInput&)) : holds_(holds) {}
    double score(const RuleInput& input, std::optional<double>) const override {
        return holds_(input) ? 1 : 0;
    }

  private:
    bool (*holds_)(const RuleInput&);
};

}  // namespace

std::unique_ptr<RewardRule> make_format_rule(const RuleArguments& arguments) {
    std::string names;
    for (const Kind& kind : kinds) {
        if (arguments.at(0) == kind.name) {
            return std::make_unique<FormatRule>(kind.holds);
        }
        names += (names.empty() ? "" : ", ") + std::string(kind.name);
    }
    throw ConfigError("reward", "there is no format '" + arguments[0] + "'; use one of " + names);
}

}  // namespace plumbline
