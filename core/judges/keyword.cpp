// keyword: how often the reply has a word or phrase of the user's choice, as whole words in any case.

#include <array>

#include "core/judges/rules.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

class KeywordJudge final : public Judge {
  public:
    double score(const std::string&, const JudgedReply& reply) const override {
        std::string phrase;
        for (const std::string& word : words_of(options.keyword)) {
            phrase += (phrase.empty() || word.empty() ? "" : " ") + word;
        }
        const std::array<std::string_view, 1> phrases = {phrase};
        return count_phrases(reply.text, phrases);
    }
    bool has_property(const std::string& prompt, const JudgedReply& reply, double) const override {
        return score(prompt, reply) >= 1;
    }
};

}  // namespace

std::unique_ptr<Judge> make_keyword_judge() {
    return std::make_unique<KeywordJudge>();
}

}  // namespace plumbline
