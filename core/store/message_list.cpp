#include "core/store/message_list.h"

#include <nlohmann/json.hpp>

#include "core/formats/messages.h"

namespace plumbline {

std::string message_list(const std::vector<Message>& messages) {
    if (messages.empty()) return "";
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const Message& message : messages) out.push_back({{"role", message.role}, {"content", message.content}});
    return out.dump();
}

std::optional<std::vector<Message>> messages_from(std::string_view text) {
    if (text.empty()) return std::vector<Message>();
    try {
        return messages_of(nlohmann::json::parse(text, nullptr, false), "earlier");
    } catch (const RowError&) {
        return std::nullopt;
    }
}

}  // namespace plumbline
