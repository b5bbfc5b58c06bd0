// short, long: words of the reply. Nobody counts words: lengths within a tenth of each other are a tie.

#include "core/judges/rules.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

class LengthJudge final : public Judge {
  public:
    explicit LengthJudge(int sign) : sign_(sign) {}

    double score(const std::string&, const JudgedReply& reply) const override {
        return sign_ * count_words(reply.text);
    }
    bool has_property(const std::string& prompt, const JudgedReply& reply,
                      double reference_median) const override {
        return score(prompt, reply) > reference_median;
    }

  protected:
    double tie_share() const override { return 0.1; }

  private:
    int sign_;
};

}  // namespace

std::unique_ptr<Judge> make_short_judge() {
    return std::make_unique<LengthJudge>(-1);
}

std::unique_ptr<Judge> make_long_judge() {
    return std::make_unique<LengthJudge>(1);
}

}  // namespace plumbline
