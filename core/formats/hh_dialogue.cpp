#include "core/formats/hh_dialogue.h"

#include <algorithm>

namespace plumbline {
namespace {

bool holds_mark(std::string_view text) {
    return text.find(hh_human) != std::string_view::npos || text.find(hh_assistant) != std::string_view::npos;
}

}  // namespace

std::optional<std::vector<Message>> hh_messages(std::string_view text) {
    if (!text.starts_with(hh_human) || !text.ends_with(hh_assistant)) return std::nullopt;
    std::vector<Message> out;
    while (text != hh_assistant) {
        const bool human = text.starts_with(hh_human);
        text.remove_prefix((human ? hh_human : hh_assistant).size());
        const std::size_t end = std::min(text.find(hh_human), text.find(hh_assistant));
        std::string_view content = text.substr(0, end);
        if (content.starts_with(' ')) content.remove_prefix(1);
        out.push_back({human ? "user" : "assistant", std::string(content)});
        text.remove_prefix(end);   // the text ends with a mark
    }
    return out;
}

std::optional<std::string> hh_text(const std::vector<Message>& messages) {
    std::string out;
    for (const Message& message : messages) {
        const bool human = message.role == "user";
        if ((!human && message.role != "assistant") || holds_mark(message.content)) return std::nullopt;
        out += human ? hh_human : hh_assistant;
        out += " " + message.content;
    }
    return out + std::string(hh_assistant);
}

}  // namespace plumbline
