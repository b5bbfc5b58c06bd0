// repetition: minus the share of runs of N words that the reply had before. A run crosses ends of sentences.

#include <algorithm>
#include <set>

#include "core/judges/reward_rule.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

class RepetitionRule final : public RewardRule {
  public:
    explicit RepetitionRule(int run) : run_(static_cast<std::size_t>(run)) {}
    double score(const RuleInput& input, std::optional<double>) const override {
        std::vector<std::string> words = words_of(input.text);
        std::erase(words, std::string());
        if (words.size() < run_) {
            return 0;
        }
        const std::size_t runs = words.size() - run_ + 1;
        std::set<std::vector<std::string>> distinct;
        for (std::size_t i = 0; i < runs; ++i) {
            const auto begin = words.begin() + static_cast<std::ptrdiff_t>(i);
            distinct.emplace(begin, begin + static_cast<std::ptrdiff_t>(run_));
        }
        return -static_cast<double>(runs - distinct.size()) / static_cast<double>(runs);
    }

  private:
    std::size_t run_;  // words
};

}  // namespace

std::unique_ptr<RewardRule> make_repetition_rule(const RuleArguments& arguments) {
    return std::make_unique<RepetitionRule>(
        arguments.empty() ? 3 : whole_number(arguments[0], "repetition", 1, 16));
}

}  // namespace plumbline
