// no-first-person: minus the words by which the model speaks of itself.

#include <array>

#include "core/judges/rules.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

constexpr auto first_person =
    std::to_array<std::string_view>({"i", "i'm", "i've", "i'd", "i'll", "me", "my", "mine", "myself"});

class NoFirstPersonJudge final : public Judge {
  public:
    double score(const std::string&, const JudgedReply& reply) const override {
        std::string text = reply.text;
        // "i.e." is no "I".
        for (const std::string_view latin : {"i.e.", "I.e.", "I.E."}) {
            for (std::size_t at = text.find(latin); at != std::string::npos; at = text.find(latin, at)) {
                text.replace(at, latin.size(), " ");
            }
        }
        return -count_phrases(text, first_person);
    }
    bool has_property(const std::string& prompt, const JudgedReply& reply, double) const override {
        return score(prompt, reply) == 0;
    }
};

}  // namespace

std::unique_ptr<Judge> make_no_first_person_judge() {
    return std::make_unique<NoFirstPersonJudge>();
}

}  // namespace plumbline
