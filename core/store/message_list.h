#pragma once
// Messages as the project file keeps them: a JSON list, or nothing for none.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

std::string message_list(const std::vector<Message>& messages);
/// nullopt: not such a list.
std::optional<std::vector<Message>> messages_from(std::string_view text);

}  // namespace plumbline
