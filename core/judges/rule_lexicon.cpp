// keyword, lexicon, lexicon_share: words and phrases of a list, as whole words in any case.

#include "core/api/errors.h"
#include "core/judges/reward_rule.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

class LexiconRule final : public RewardRule {
  public:
    LexiconRule(const RuleArguments& arguments, bool share) : share_(share) {
        for (const std::string& argument : arguments) {
            std::string phrase;
            for (const std::string& word : words_of(argument)) {
                phrase += (phrase.empty() || word.empty() ? "" : " ") + word;
            }
            if (phrase.empty()) {
                throw ConfigError("reward", "the lexicon entry '" + argument + "' has no word; name one");
            }
            phrases_.push_back(std::move(phrase));
        }
    }
    double score(const RuleInput& input, std::optional<double>) const override {
        const std::vector<std::string_view> phrases(phrases_.begin(), phrases_.end());
        const int count = count_phrases(input.text, phrases);
        if (!share_) {
            return count;
        }
        const int words = count_words(input.text);
        return words == 0 ? 0 : static_cast<double>(count) / words;
    }

  private:
    std::vector<std::string> phrases_;
    bool share_;
};

}  // namespace

std::unique_ptr<RewardRule> make_keyword_rule(const RuleArguments& arguments) {
    return std::make_unique<LexiconRule>(arguments, false);
}

std::unique_ptr<RewardRule> make_lexicon_rule(const RuleArguments& arguments) {
    return std::make_unique<LexiconRule>(arguments, false);
}

std::unique_ptr<RewardRule> make_lexicon_share_rule(const RuleArguments& arguments) {
    return std::make_unique<LexiconRule>(arguments, true);
}

}  // namespace plumbline
