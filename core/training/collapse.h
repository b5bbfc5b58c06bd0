#pragma once
// Whether a policy still writes as it did: the signs of collapse, in numbers and in words. Pure; no tensors.

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace plumbline {

/// A reply as it was drawn.
struct DrawnReply {
    std::span<const int> ids;         // EOS included when it ended so
    std::span<const float> logprobs;  // of the ids when drawn, nats; as many as ids
    bool ended = true;                // false: it hit the length cap
};

struct ReplyStatistics {
    int replies = 0;
    double entropy = 0;  // mean -logprob over all tokens, nats: what the sampler's entropy is on average
    double repetition =
        0;  // of all runs of three tokens within a reply, the share that the same reply had before
    double length = 0;    // tokens a reply
    double eos_rate = 0;  // share of the replies that ended
};

/// Of no replies: zeros. Replies of zero tokens count in length and eos_rate. Throws Error when logprobs and
/// ids differ in number.
ReplyStatistics reply_statistics(std::span<const DrawnReply> replies);

/// How far the latest replies may go from the first ones. A value of 0 switches its check off.
struct CollapseLimits {
    double entropy_share = 0.1;    // entropy may fall to this share of the first, 0..1
    double repetition_rise = 0.3;  // repetition may rise by this, 0..1
    double length_factor = 5;      // length may grow or shrink by this factor, 0 or 1..100
    double eos_fall = 0.7;         // eos_rate may fall by this, 0..1
    int fewest_first = 4, fewest_now = 8;   // below so many replies nothing is said
};

/// Throws ConfigError naming the field, the value and its range.
void validate(const CollapseLimits& limits);

/// What a person should know when the latest replies have collapsed: what was measured, the limit and what to
/// do, in one sentence for each sign. Nothing while all is well.
std::optional<std::string> collapse(const ReplyStatistics& first, const ReplyStatistics& now,
                                    const CollapseLimits& limits);

/// Groups of replies to one prompt whose rewards are all the same, so that no reply is better than the group.
/// rewards: group after group, `group_size` each; throws Error when they do not fill their groups.
struct EqualGroups {
    int equal = 0, groups = 0;
    double share() const {
        return groups == 0 ? 0 : static_cast<double>(equal) / groups;
    }  // frac_reward_zero_std
};
EqualGroups equal_groups(std::span<const double> rewards, int group_size);

/// In words, when there are any: that they teach nothing, and what to do.
std::optional<std::string> explain(const EqualGroups& groups);

}  // namespace plumbline
