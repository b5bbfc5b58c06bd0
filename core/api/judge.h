#pragma once
// A simulated person: compares replies by a rule, with optional noise. Pure: the same arguments give the
// same answer.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace plumbline {

enum class Choice { left, right, tie, skip };

/// Whether a choice says which reply is better.
constexpr bool is_preference(Choice choice) { return choice == Choice::left || choice == Choice::right; }

struct JudgeOptions {
    double noise = 0;          // probability that a choice is flipped, 0..0.5
    std::string keyword;       // for the judge `keyword`
    std::uint64_t seed = 0;
};

/// What a reply looks like to a judge.
struct JudgedReply {
    std::string text;
    int tokens = 0;
    bool ended = true;         // false: it hit the length cap
};

class Judge {
  public:
    virtual ~Judge() = default;
    /// How much of the property the reply has; more is better. `short` returns minus the words.
    virtual double score(const std::string& prompt, const JudgedReply& reply) const = 0;
    /// Whether the reply has the judged property; `reference_median` is the median score of the reference
    /// policy's replies, used by properties that are relative to it (short, long).
    virtual bool has_property(const std::string& prompt, const JudgedReply& reply, double reference_median) const = 0;
    /// The person's click, noise included; `click` numbers it for the noise's random draw.
    Choice choose(const std::string& prompt, const JudgedReply& left, const JudgedReply& right,
                  std::uint64_t click) const;

    JudgeOptions options;

  protected:
    /// Scores that differ by at most this share of the larger one count as equal: a tie.
    virtual double tie_share() const { return 0; }
};

/// Throws ConfigError with the list of names for an unknown one.
std::unique_ptr<Judge> make_judge(const std::string& name, const JudgeOptions& options);

}  // namespace plumbline
