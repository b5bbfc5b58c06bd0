#include "core/text/chat_template.h"

#include <algorithm>
#include <array>

#include "core/text/jinja_outline.h"

namespace plumbline {
namespace {

constexpr std::string_view system_begin = "<|im_start|>system\n", turn_end = "<|im_end|>\n";
constexpr std::string_view reply_begin = "<|im_start|>assistant\n";

/// The text between `<|im_start|>system` and `<|im_end|>` when `output` is such a turn of literals.
std::optional<std::string> system_text(std::string_view output) {
    if (!output.starts_with(system_begin) || !output.ends_with(turn_end)) return std::nullopt;
    output.remove_prefix(system_begin.size());
    if (output.size() < turn_end.size()) return std::nullopt;
    output.remove_suffix(turn_end.size());
    const bool literal = output.find(role_mark) == std::string_view::npos &&
                         output.find(content_mark) == std::string_view::npos &&
                         output.find("<|im_") == std::string_view::npos;
    return literal ? std::optional<std::string>(output) : std::nullopt;
}

struct ChatMl {
    std::optional<std::string> default_system;
};

std::optional<ChatMl> recognise(std::string_view jinja) {
    const auto outline = outline_of(jinja);
    if (!outline) return std::nullopt;
    const std::string turn =
        std::string("<|im_start|>") + role_mark + '\n' + content_mark + std::string(turn_end);
    const std::vector<OutlineNode> turns = {
        {true, "for message in messages"}, {false, turn}, {true, "endfor"}};
    const std::vector<OutlineNode> reply = {
        {true, "if add_generation_prompt"}, {false, std::string(reply_begin)}, {true, "endif"}};

    std::vector<OutlineNode> nodes = *outline;
    ChatMl out;
    static constexpr std::array first_is_not_system = {
        "if loop.first and messages[0]['role'] != 'system'",
        "if loop.first and message['role'] != 'system'",
        "if messages[0]['role'] != 'system' and loop.first",
    };
    if (nodes.size() > 3 && nodes[1].is_statement && !nodes[2].is_statement &&
        std::find(first_is_not_system.begin(), first_is_not_system.end(), nodes[1].text) !=
            first_is_not_system.end() &&
        nodes[3] == OutlineNode{true, "endif"}) {
        out.default_system = system_text(nodes[2].text);
        if (!out.default_system) return std::nullopt;
        nodes.erase(nodes.begin() + 1, nodes.begin() + 4);
    }
    std::vector<OutlineNode> expected = turns;
    expected.insert(expected.end(), reply.begin(), reply.end());
    return nodes == expected ? std::optional(out) : std::nullopt;
}

std::string turn_of(std::string_view role, std::string_view content) {
    std::string out = "<|im_start|>";
    out.append(role).append("\n").append(content).append(turn_end);
    return out;
}

/// The two literals around a message's content; nothing for an output of another form.
std::optional<std::pair<std::string, std::string>> around_content(const OutlineNode& node) {
    const std::size_t content = node.text.find(content_mark);
    if (node.is_statement || content == std::string::npos ||
        node.text.find(content_mark, content + 1) != std::string::npos ||
        node.text.find(role_mark) != std::string::npos) {
        return std::nullopt;
    }
    return std::pair(node.text.substr(0, content), node.text.substr(content + 1));
}

std::optional<ChatTemplate::Turns> recognise_turns(std::string_view jinja) {
    const auto outline = outline_of(jinja);
    if (!outline || outline->size() != 10) return std::nullopt;
    const std::vector<OutlineNode>& nodes = *outline;
    const auto user = around_content(nodes[2]), reply = around_content(nodes[4]);
    if (!user || !reply) return std::nullopt;
    const std::vector<OutlineNode> expected = {{true, "for message in messages"},
                                               {true, "if message['role'] == 'user'"},
                                               nodes[2],
                                               {true, "elif message['role'] == 'assistant'"},
                                               nodes[4],
                                               {true, "endif"},
                                               {true, "endfor"},
                                               {true, "if add_generation_prompt"},
                                               {false, reply->first},
                                               {true, "endif"}};
    if (nodes != expected) return std::nullopt;
    return ChatTemplate::Turns{user->first, user->second, reply->first, reply->second};
}

}  // namespace

ChatTemplate::ChatTemplate(std::string_view jinja) {
    if (jinja.empty()) {
        note_ = "The model has no chat template; messages are joined as plain text.";
        return;
    }
    if (auto exact = recognise(jinja)) {
        name_ = "chatml";
        default_system_ = std::move(exact->default_system);
        return;
    }
    if ((turns_ = recognise_turns(jinja))) {
        name_ = "turns";
        return;
    }
    const bool has_marks = jinja.find("<|im_start|>") != std::string_view::npos &&
                           jinja.find("<|im_end|>") != std::string_view::npos;
    if (!has_marks) {
        note_ = "The model's chat template is of an unknown family; messages are joined as plain text.";
        return;
    }
    name_ = "chatml";
    for (const std::string& literal : literals_of(jinja)) {
        if (!default_system_) default_system_ = system_text(literal);
    }
    note_ = "The model's chat template does more than ChatML; messages are rendered as plain ChatML.";
}

std::string ChatTemplate::render(const std::vector<Message>& messages) const {
    std::string out;
    if (name_ == "none") {
        for (const Message& message : messages) out += message.content + '\n';
        return out;
    }
    if (turns_) {
        for (const Message& message : messages) {
            if (message.role == "user") out += turns_->before_user + message.content + turns_->after_user;
            if (message.role == "assistant")
                out += turns_->before_reply + message.content + turns_->after_reply;
        }
        return out + turns_->before_reply;
    }
    if (default_system_ && !messages.empty() && messages.front().role != "system") {
        out += turn_of("system", *default_system_);
    }
    for (const Message& message : messages) out += turn_of(message.role, message.content);
    out += reply_begin;
    return out;
}

}  // namespace plumbline
