#include "core/training/collapse.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <sstream>

#include "core/api/errors.h"

namespace plumbline {
namespace {

std::string figure(double value) {
    std::ostringstream out;
    out.precision(3);
    out << value;
    return out.str();
}

std::string percent(double share) {
    return std::to_string(std::lround(100 * share)) + "%";
}

void require(const char* name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
        throw ConfigError("collapse limits", std::string(name) + " is " + figure(value) + "; use " +
                                                 figure(least) + ".." + figure(most));
    }
}

}  // namespace

ReplyStatistics reply_statistics(std::span<const DrawnReply> replies) {
    ReplyStatistics out;
    double surprise = 0;
    std::size_t tokens = 0, runs = 0, repeated = 0;
    int ended = 0;
    for (const DrawnReply& reply : replies) {
        if (reply.ids.size() != reply.logprobs.size()) {
            throw Error("measure replies", "a reply has " + std::to_string(reply.ids.size()) +
                                               " tokens and " + std::to_string(reply.logprobs.size()) +
                                               " log-probabilities; the file is damaged");
        }
        ++out.replies;
        ended += reply.ended ? 1 : 0;
        tokens += reply.ids.size();
        for (const float logprob : reply.logprobs) {
            surprise -= logprob;
        }
        std::set<std::array<int, 3>> seen;
        for (std::size_t i = 0; i + 2 < reply.ids.size(); ++i) {
            ++runs;
            repeated += seen.insert({reply.ids[i], reply.ids[i + 1], reply.ids[i + 2]}).second ? 0 : 1;
        }
    }
    if (out.replies > 0) {
        out.length = static_cast<double>(tokens) / out.replies;
        out.eos_rate = static_cast<double>(ended) / out.replies;
    }
    out.entropy = tokens == 0 ? 0 : surprise / static_cast<double>(tokens);
    out.repetition = runs == 0 ? 0 : static_cast<double>(repeated) / static_cast<double>(runs);
    return out;
}

void validate(const CollapseLimits& limits) {
    require("entropy_share", limits.entropy_share, 0, 1);
    require("repetition_rise", limits.repetition_rise, 0, 1);
    if (limits.length_factor != 0) {
        require("length_factor", limits.length_factor, 1, 100);
    }
    require("eos_fall", limits.eos_fall, 0, 1);
    require("fewest_first", limits.fewest_first, 1, 1000000);
    require("fewest_now", limits.fewest_now, 1, 1000000);
}

std::optional<std::string> collapse(const ReplyStatistics& first, const ReplyStatistics& now,
                                    const CollapseLimits& limits) {
    if (first.replies < limits.fewest_first || now.replies < limits.fewest_now) {
        return std::nullopt;
    }
    std::vector<std::string> signs;
    if (limits.entropy_share > 0 && now.entropy < limits.entropy_share * first.entropy) {
        signs.push_back("the replies are all but fixed: their entropy is " + figure(now.entropy) +
                        " nats a token, at first " + figure(first.entropy) + ", limit " +
                        figure(limits.entropy_share * first.entropy));
    }
    if (limits.repetition_rise > 0 && now.repetition > first.repetition + limits.repetition_rise) {
        signs.push_back("the replies repeat themselves: " + percent(now.repetition) +
                        " of their runs of three tokens came before in the same reply, at first " +
                        percent(first.repetition) + ", limit " +
                        percent(first.repetition + limits.repetition_rise));
    }
    if (limits.length_factor > 0 && now.length * limits.length_factor < first.length) {
        signs.push_back("the replies have almost gone: " + figure(now.length) + " tokens each, at first " +
                        figure(first.length) + ", limit " + figure(first.length / limits.length_factor));
    }
    if (limits.length_factor > 0 && now.length > first.length * limits.length_factor) {
        signs.push_back("the replies have grown out of bounds: " + figure(now.length) +
                        " tokens each, at first " + figure(first.length) + ", limit " +
                        figure(first.length * limits.length_factor));
    }
    if (limits.eos_fall > 0 && now.eos_rate < first.eos_rate - limits.eos_fall) {
        signs.push_back("the replies no longer end: " + percent(now.eos_rate) +
                        " of them end before the length cap, at first " + percent(first.eos_rate) +
                        ", limit " + percent(first.eos_rate - limits.eos_fall));
    }
    if (signs.empty()) {
        return std::nullopt;
    }
    std::string text = "the policy has collapsed: ";
    for (std::size_t i = 0; i < signs.size(); ++i) {
        text += (i == 0 ? "" : ", and ") + signs[i];
    }
    return text + "; undo the last votes, or train on with a lower rate or a higher KL weight";
}

EqualGroups equal_groups(std::span<const double> rewards, int group_size) {
    if (group_size < 1 || rewards.size() % static_cast<std::size_t>(group_size) != 0) {
        throw Error("compare rewards", std::to_string(rewards.size()) + " rewards do not fill groups of " +
                                           std::to_string(group_size) + "; choose another group_size");
    }
    // The score of one text may differ by rounding between batches.
    constexpr double same = 1e-6;
    EqualGroups out;
    for (std::size_t begin = 0; begin < rewards.size(); begin += static_cast<std::size_t>(group_size)) {
        const auto group = rewards.subspan(begin, static_cast<std::size_t>(group_size));
        const auto [low, high] = std::minmax_element(group.begin(), group.end());
        ++out.groups;
        out.equal += *high - *low <= same * std::max({1.0, std::abs(*low), std::abs(*high)}) ? 1 : 0;
    }
    return out;
}

std::optional<std::string> explain(const EqualGroups& groups) {
    if (groups.equal == 0) {
        return std::nullopt;
    }
    const std::string which =
        groups.equal == groups.groups
            ? (groups.groups == 1 ? "the only group" : "all " + std::to_string(groups.groups) + " groups")
            : std::to_string(groups.equal) + " of " + std::to_string(groups.groups) + " groups";
    return "the replies of " + which +
           " got equal rewards, and teach nothing: none is better than its group; raise the temperature or "
           "the "
           "group_size, or use a reward that tells such replies apart";
}

}  // namespace plumbline
