#include "ui/window/usual_settings.h"

#include <algorithm>

#include "core/api/catalog.h"
#include "core/api/config_fields.h"
#include "core/api/errors.h"
#include "core/api/recommended.h"

namespace plumbline::ui {

namespace {

/// Parameters of a model of the catalogue, by name or path; nothing for a file that is not in it.
std::optional<std::int64_t> known_parameters(const std::string& model) {
    try {
        for (const CatalogModel& entry : list_models()) {
            if ((entry.name == model || entry.path.string() == model) && entry.parameters > 0) {
                return entry.parameters;
            }
        }
    } catch (const Error&) {
        // No data folder, hence no catalogue: the size is read with the model.
    }
    return std::nullopt;
}

bool same(const SessionConfig& a, const SessionConfig& b) {
    const auto& table = fields<SessionConfig>();
    return std::all_of(table.begin(), table.end(),
                       [&](const Field<SessionConfig>& f) { return f.get(a) == f.get(b); });
}

/// `live` alone.
SessionConfig only(const LiveConfig& live) {
    SessionConfig config;
    config.live = live;
    return config;
}

}  // namespace

SessionConfig usual_settings(const std::string& model) {
    SessionConfig config;
    if (model == "courtesy") {
        config.system_prompt.clear();  // it has read nothing but customers' questions
    }
    if (const auto parameters = known_parameters(model)) {
        recommend(config, *parameters);
    }
    return config;
}

std::optional<SessionConfig> fitted_settings(const NewSession& begun, std::int64_t parameters) {
    if (known_parameters(begun.model) || !same(only(begun.config.live), {})) {
        return std::nullopt;
    }
    SessionConfig fitted = begun.config;
    recommend(fitted, parameters);
    return same(fitted, begun.config) ? std::nullopt : std::optional(fitted);
}

}  // namespace plumbline::ui
