// concrete: numbers, measures, order of steps and examples, things that a reader can act on or check.

#include <algorithm>
#include <array>

#include "core/judges/rules.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

constexpr auto concrete_phrases = std::to_array<std::string_view>(
    {"two",         "three",  "four",    "five",     "six",       "seven",      "eight",       "nine",
     "ten",         "twelve", "fifteen", "twenty",   "thirty",    "forty",      "fifty",       "hundred",
     "thousand",    "half",   "dozen",   "second",   "seconds",   "minute",     "minutes",     "hour",
     "hours",       "day",    "days",    "week",     "weeks",     "month",      "months",      "percent",
     "degrees",     "gram",   "grams",   "kilo",     "kilos",     "litre",      "litres",      "liter",
     "liters",      "cup",    "cups",    "teaspoon", "teaspoons", "tablespoon", "tablespoons", "metre",
     "metres",      "meters", "first",   "then",     "next",      "finally",    "step",        "steps",
     "for example", "such as"});

class ConcreteJudge final : public Judge {
  public:
    double score(const std::string&, const JudgedReply& reply) const override {
        const std::vector<std::string> words = words_of(reply.text);
        const auto numerals = std::count_if(words.begin(), words.end(), [](const std::string& word) {
            return !word.empty() && word[0] >= '0' && word[0] <= '9';
        });
        return static_cast<double>(numerals) + count_phrases(reply.text, concrete_phrases);
    }
    /// One such word slips into any reply; two are advice.
    bool has_property(const std::string& prompt, const JudgedReply& reply, double) const override {
        return score(prompt, reply) >= 2;
    }
};

}  // namespace

std::unique_ptr<Judge> make_concrete_judge() {
    return std::make_unique<ConcreteJudge>();
}

}  // namespace plumbline
