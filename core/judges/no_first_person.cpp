// no-first-person: minus the words by which the model speaks of itself.

#include <algorithm>
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
        const std::vector<std::string> words = words_of(reply.text);
        int count = 0;
        for (std::size_t i = 0; i < words.size(); ++i) {
            const bool latin =
                words[i] == "i" && i + 2 < words.size() && words[i + 1].empty() && words[i + 2] == "e";
            const bool found =
                std::find(first_person.begin(), first_person.end(), words[i]) != first_person.end();
            count += found && !latin ? 1 : 0;  // "i.e." is no "I"
        }
        return -count;
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
