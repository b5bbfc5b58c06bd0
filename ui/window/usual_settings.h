#pragma once
// What a new session with a model begins with.

#include <cstdint>
#include <optional>
#include <string>

#include "core/api/commands.h"

namespace plumbline::ui {

/// The defaults, with the instruction that the model was made for and, where the catalogue knows its size,
/// the measured training settings for that size.
SessionConfig usual_settings(const std::string& model);

/// The measured training settings of a session that began with the defaults, as its model came from a file of
/// unknown size; nothing for another session, and where the defaults are right.
std::optional<SessionConfig> fitted_settings(const NewSession& begun, std::int64_t parameters);

}  // namespace plumbline::ui
