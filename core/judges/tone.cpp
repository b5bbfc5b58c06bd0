// polite, rude: how many words and phrases of a list the reply has.

#include <array>
#include <span>

#include "core/judges/rules.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

constexpr auto polite_phrases = std::to_array<std::string_view>(
    {"please",         "thank",        "thanks",       "thank you",   "sorry",          "glad",
     "gladly",         "welcome",      "appreciate",   "appreciated", "kindly",         "pleasure",
     "my pleasure",    "grateful",     "apologize",    "apologise",   "apologies",      "apology",
     "pardon",         "excuse me",    "happy to",     "of course",   "certainly",      "feel free",
     "delighted",      "no problem",   "no worries",   "best wishes", "may i",          "would you mind",
     "don't hesitate", "kind regards", "warm regards", "i'd love to", "congratulations"});

// Words that a friendly reply uses too ("deal with it", "your problem", "annoying") are left out.
constexpr auto rude_phrases = std::to_array<std::string_view>({"stupid",
                                                               "idiot",
                                                               "idiots",
                                                               "dumb",
                                                               "moron",
                                                               "fool",
                                                               "foolish",
                                                               "shut up",
                                                               "pathetic",
                                                               "useless",
                                                               "ridiculous",
                                                               "nonsense",
                                                               "loser",
                                                               "so lazy",
                                                               "who cares",
                                                               "get lost",
                                                               "just get over it",
                                                               "not my problem",
                                                               "your own fault",
                                                               "waste of time",
                                                               "stop whining",
                                                               "don't bother",
                                                               "wasting my time",
                                                               "just deal with it",
                                                               "grow up",
                                                               "none of your business",
                                                               "use your brain",
                                                               "stop bothering",
                                                               "i don't care",
                                                               "what a mess"});

class PhraseJudge final : public Judge {
  public:
    explicit PhraseJudge(std::span<const std::string_view> phrases) : phrases_(phrases) {}

    double score(const std::string&, const JudgedReply& reply) const override {
        return count_phrases(reply.text, phrases_);
    }
    bool has_property(const std::string& prompt, const JudgedReply& reply, double) const override {
        return score(prompt, reply) >= 1;
    }

  private:
    std::span<const std::string_view> phrases_;
};

}  // namespace

std::unique_ptr<Judge> make_polite_judge() {
    return std::make_unique<PhraseJudge>(polite_phrases);
}

std::unique_ptr<Judge> make_rude_judge() {
    return std::make_unique<PhraseJudge>(rude_phrases);
}

}  // namespace plumbline
