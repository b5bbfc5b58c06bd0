#pragma once
// A simulated person: compares replies by a rule, with the faults of people where wanted. Pure: the same arguments
// give the same answer.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/api/labels.h"

namespace plumbline {

/// A person's faults. Each is drawn by seed and click, apart from the others; all are off by default.
struct JudgeOptions {
    double noise = 0;           // probability that a preference (not a tie) is turned round, 0..0.5
    double tie_share = 0;       // felt scores that differ by at most this share of the larger one tie, 0..1
    double position_bias = 0;   // probability of answering `left` without reading, 0..1
    double length_bias = 0;     // points that each word adds to the felt score, -1000..1000
    double intransitivity = 0;  // share of pairs, the same ones at every click, judged by a taste that goes
                                // round in circles: a over b, b over c, c over a; 0..1
    std::string keyword;        // for the judge `keyword`
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
    /// The score as this person feels it: with the length bias.
    double felt_score(const std::string& prompt, const JudgedReply& reply) const;
    /// The person's click, faults included; `click` numbers it for the random draws. left, right or tie.
    Choice choose(const std::string& prompt, const JudgedReply& left, const JudgedReply& right,
                  std::uint64_t click) const;
    /// Indices of the replies, best first: each in turn is moved before those that it beats, by comparisons with
    /// the faults of choose(), a tie leaving the order shown. Of two replies it says what choose() says.
    std::vector<int> rank(const std::string& prompt, std::span<const JudgedReply> replies, std::uint64_t click) const;
    /// 1: the reply has the property; -1: it has not. Noise turns it round; the other faults are about comparing.
    int thumbs(const std::string& prompt, const JudgedReply& reply, double reference_median, std::uint64_t click) const;
    /// How much better the better one is: the difference of the felt scores as a share of the larger one, below
    /// 1/3 slight, from 2/3 on much.
    Strength strength(const std::string& prompt, const JudgedReply& left, const JudgedReply& right) const;

    JudgeOptions options;

  protected:
    /// The tie_share that comes with the rule; the larger of it and the option counts.
    virtual double tie_share() const { return 0; }

  private:
    Choice compare(const std::string& prompt, const JudgedReply& left, const JudgedReply& right, std::uint64_t click,
                   std::uint64_t comparison) const;
};

/// `name` is one of catalog_judges(), or `rule:` and a sum of rules as in catalog_rules(), without `model` and
/// `likelihood`. Throws ConfigError with the list of names for an unknown one, and for options out of range.
std::unique_ptr<Judge> make_judge(const std::string& name, const JudgeOptions& options);

}  // namespace plumbline
