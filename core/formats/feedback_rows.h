#pragma once
// One row of what people said of replies, of the shapes that preferences.h lists.

#include <nlohmann/json_fwd.hpp>

#include "core/formats/preferences.h"

namespace plumbline {

/// Throws RowError.
FeedbackRow feedback_of(const nlohmann::json& row, int line);
/// The row's "prompt"; throws RowError.
PromptPart prompt_of(const nlohmann::json& row);

}  // namespace plumbline
