#pragma once
// JSON from outside.

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace plumbline {

/// One JSON object. Throws RowError for anything else: what is not UTF-8, nested deeply, or has a key twice.
nlohmann::json object_of(std::string_view text);

}  // namespace plumbline
