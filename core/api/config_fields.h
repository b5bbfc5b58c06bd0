#pragma once
// The settings as a table: one line a field with key, unit, range and help. Serves `--config key=value`,
// `train STAGE --help`, validate(), the project file and the window's editors.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/stage_configs.h"

namespace plumbline {

struct FieldInfo {
    std::string key;
    std::string help;      // one sentence, with the unit
    std::string range;     // "0..10", "constant|linear|cosine", "true|false"
    std::string value;     // the struct's present value as text (its default for a fresh struct)
};

/// One field of Config bound to its member.
template <class Config>
struct Field {
    std::string_view key;
    std::string_view help;
    std::string_view range;
    std::function<std::string(const Config&)> get;
    std::function<bool(Config&, std::string_view)> set;  // false: not a value of the range; nothing changed
    std::function<bool(const Config&)> in_range;
};

/// The fields of SessionConfig and of each stage's struct.
template <class Config>
const std::vector<Field<Config>>& fields();

template <> const std::vector<Field<SessionConfig>>& fields<SessionConfig>();
template <> const std::vector<Field<SftConfig>>& fields<SftConfig>();
template <> const std::vector<Field<RewardConfig>>& fields<RewardConfig>();
template <> const std::vector<Field<DpoConfig>>& fields<DpoConfig>();
template <> const std::vector<Field<CdpoConfig>>& fields<CdpoConfig>();
template <> const std::vector<Field<RobustDpoConfig>>& fields<RobustDpoConfig>();
template <> const std::vector<Field<IpoConfig>>& fields<IpoConfig>();
template <> const std::vector<Field<HingeConfig>>& fields<HingeConfig>();
template <> const std::vector<Field<KtoConfig>>& fields<KtoConfig>();
template <> const std::vector<Field<OrpoConfig>>& fields<OrpoConfig>();
template <> const std::vector<Field<SimpoConfig>>& fields<SimpoConfig>();
template <> const std::vector<Field<ReinforceConfig>>& fields<ReinforceConfig>();
template <> const std::vector<Field<RlooConfig>>& fields<RlooConfig>();
template <> const std::vector<Field<GrpoConfig>>& fields<GrpoConfig>();
template <> const std::vector<Field<PpoConfig>>& fields<PpoConfig>();

/// What a help text lists, in the struct's order.
template <class Config>
std::vector<FieldInfo> describe(const Config& config = {}) {
    std::vector<FieldInfo> out;
    for (const Field<Config>& f : fields<Config>()) {
        out.push_back({std::string(f.key), std::string(f.help), std::string(f.range), f.get(config)});
    }
    return out;
}

/// Sets `key` from text. Throws ConfigError that lists the right keys, or the field's range.
template <class Config>
void set_field(Config& config, std::string_view key, std::string_view value);

extern template void set_field(SessionConfig&, std::string_view, std::string_view);
extern template void set_field(SftConfig&, std::string_view, std::string_view);
extern template void set_field(RewardConfig&, std::string_view, std::string_view);
extern template void set_field(DpoConfig&, std::string_view, std::string_view);
extern template void set_field(CdpoConfig&, std::string_view, std::string_view);
extern template void set_field(RobustDpoConfig&, std::string_view, std::string_view);
extern template void set_field(IpoConfig&, std::string_view, std::string_view);
extern template void set_field(HingeConfig&, std::string_view, std::string_view);
extern template void set_field(KtoConfig&, std::string_view, std::string_view);
extern template void set_field(OrpoConfig&, std::string_view, std::string_view);
extern template void set_field(SimpoConfig&, std::string_view, std::string_view);
extern template void set_field(ReinforceConfig&, std::string_view, std::string_view);
extern template void set_field(RlooConfig&, std::string_view, std::string_view);
extern template void set_field(GrpoConfig&, std::string_view, std::string_view);
extern template void set_field(PpoConfig&, std::string_view, std::string_view);

}  // namespace plumbline
