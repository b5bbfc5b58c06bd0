// The tables of the direct preference losses.

#include "core/api/stage_field_building.h"

namespace plumbline {

using namespace fields_of;

namespace {

constexpr std::string_view weight_range = "0..100";

template <class Config>
Table<Config> table_with_beta(std::string_view range, std::string_view help) {
    auto out = stage_table<Config>();
    add(out, "beta", range, help, &Config::beta);
    return out;
}

template <class Config>
Table<Config> smoothed_table() {
    auto out = table_with_beta<Config>(weight_range, "KL weight");
    add(out, "label_smoothing", "0..0.49", "share of wrong labels assumed", &Config::label_smoothing);
    return out;
}

Table<KtoConfig> kto_table() {
    auto out = table_with_beta<KtoConfig>(weight_range, "KL weight");
    add(out, "desirable_weight", weight_range, "weight of desirable replies", &KtoConfig::desirable_weight);
    add(out, "undesirable_weight", weight_range, "weight of undesirable replies",
        &KtoConfig::undesirable_weight);
    return out;
}

Table<OrpoConfig> orpo_table() {
    auto out = stage_table<OrpoConfig>();
    add(out, "orpo_lambda", weight_range, "weight of the odds ratio beside the chosen reply's likelihood",
        &OrpoConfig::orpo_lambda);
    return out;
}

Table<SimpoConfig> simpo_table() {
    auto out = table_with_beta<SimpoConfig>(weight_range, "scale of the mean log-probabilities");
    add(out, "simpo_gamma", weight_range, "margin that the chosen reply must win by",
        &SimpoConfig::simpo_gamma);
    return out;
}

}  // namespace

template <>
const Table<DpoConfig>& fields<DpoConfig>() {
    static const auto table = table_with_beta<DpoConfig>(weight_range, "KL weight");
    return table;
}

template <>
const Table<CdpoConfig>& fields<CdpoConfig>() {
    static const auto table = smoothed_table<CdpoConfig>();
    return table;
}

template <>
const Table<RobustDpoConfig>& fields<RobustDpoConfig>() {
    static const auto table = smoothed_table<RobustDpoConfig>();
    return table;
}

template <>
const Table<IpoConfig>& fields<IpoConfig>() {
    static const auto table = table_with_beta<IpoConfig>(
        "1e-4..100", "tau: the log-ratio margin aimed at is 1/(2 beta), nats a token");
    return table;
}

template <>
const Table<HingeConfig>& fields<HingeConfig>() {
    static const auto table = table_with_beta<HingeConfig>(
        weight_range, "a pair teaches no more from a log-ratio margin of 1/beta on");
    return table;
}

template <>
const Table<KtoConfig>& fields<KtoConfig>() {
    static const auto table = kto_table();
    return table;
}

template <>
const Table<OrpoConfig>& fields<OrpoConfig>() {
    static const auto table = orpo_table();
    return table;
}

template <>
const Table<SimpoConfig>& fields<SimpoConfig>() {
    static const auto table = simpo_table();
    return table;
}

void validate(const DpoConfig& config) {
    check(fields<DpoConfig>(), config);
}
void validate(const CdpoConfig& config) {
    check(fields<CdpoConfig>(), config);
}
void validate(const RobustDpoConfig& config) {
    check(fields<RobustDpoConfig>(), config);
}
void validate(const IpoConfig& config) {
    check(fields<IpoConfig>(), config);
}
void validate(const HingeConfig& config) {
    check(fields<HingeConfig>(), config);
}
void validate(const OrpoConfig& config) {
    check(fields<OrpoConfig>(), config);
}
void validate(const SimpoConfig& config) {
    check(fields<SimpoConfig>(), config);
}

void validate(const KtoConfig& config) {
    check(fields<KtoConfig>(), config);
    if (config.desirable_weight == 0 && config.undesirable_weight == 0) {
        misfit("desirable_weight and undesirable_weight are both 0, so that nothing would be learned",
               "set one of them above 0");
    }
}

template void set_field(DpoConfig&, std::string_view, std::string_view);
template void set_field(CdpoConfig&, std::string_view, std::string_view);
template void set_field(RobustDpoConfig&, std::string_view, std::string_view);
template void set_field(IpoConfig&, std::string_view, std::string_view);
template void set_field(HingeConfig&, std::string_view, std::string_view);
template void set_field(KtoConfig&, std::string_view, std::string_view);
template void set_field(OrpoConfig&, std::string_view, std::string_view);
template void set_field(SimpoConfig&, std::string_view, std::string_view);

}  // namespace plumbline
