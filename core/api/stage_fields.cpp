// The tables of supervised fine-tuning and of the reward model.

#include "core/api/stage_field_building.h"

namespace plumbline {

using namespace fields_of;

namespace {

Table<RewardConfig> reward_table() {
    auto out = stage_table<RewardConfig>();
    using R = RewardConfig;
    add(out, "center", "0..1", "weight of the penalty on the sum of a pair's rewards, squared", &R::center);
    add(out, "use_margins", "true|false",
        "a row's \"margin\" is the least difference of rewards that it asks for", &R::use_margins);
    add(out, "tie_threshold", "1..1000", "Rao-Kupper's theta on rows that are ties", &R::tie_threshold);
    add(out, "normalise", "0..4096",
        "samples of the model whose rewards get mean 0 and deviation 1 after training; 0: as trained",
        &R::normalise);
    add(out, "normalise_tokens", "1..4096", "longest of those samples, tokens", &R::normalise_tokens);
    return out;
}

}  // namespace

template <>
const Table<SftConfig>& fields<SftConfig>() {
    static const auto table = stage_table<SftConfig>();
    return table;
}

template <>
const Table<RewardConfig>& fields<RewardConfig>() {
    static const auto table = reward_table();
    return table;
}

void validate(const SftConfig& config) {
    check(fields<SftConfig>(), config);
}
void validate(const RewardConfig& config) {
    check(fields<RewardConfig>(), config);
}

template void set_field(SftConfig&, std::string_view, std::string_view);
template void set_field(RewardConfig&, std::string_view, std::string_view);

}  // namespace plumbline
