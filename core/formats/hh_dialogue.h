#pragma once
// Dialogues as the HH-RLHF set writes them: "\n\nHuman: …\n\nAssistant: …".

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

inline constexpr std::string_view hh_human = "\n\nHuman:", hh_assistant = "\n\nAssistant:";

/// The messages of a dialogue that begins with a human's and waits for the assistant's reply; nullopt: no such text.
std::optional<std::vector<Message>> hh_messages(std::string_view text);
/// The same as text, ready for the reply; nullopt where a message holds one of the marks, or is neither a user's nor an
/// assistant's.
std::optional<std::string> hh_text(const std::vector<Message>& messages);

}  // namespace plumbline
