#pragma once
// The types that weights are written in.

#include <string>

#include "core/api/export_model.h"
#include "core/formats/gguf.h"

namespace plumbline {

/// As people choose it: "q8_0".
std::string name_in_options(GgufType type);
/// One of weight_types(format), or its usual one when `name` is empty; throws ConfigError for another. F32 for PEFT.
GgufType weight_type_named(ModelFormat format, const std::string& name);

}  // namespace plumbline
