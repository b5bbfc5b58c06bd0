#include "core/text/chat_template.h"

#include <array>
#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/text/jinja/jinja_template.h"
#include "core/text/tokenizer.h"

namespace plumbline {
namespace {

using std::chrono::year_month_day;

constexpr year_month_day another_day{std::chrono::year{2023}, std::chrono::May, std::chrono::day{7}};

const Message probe_system{"system", "Answer probe three."}, probe_user{"user", "Is this probe one?"},
    probe_reply{"assistant", "That is probe two."};

struct Family {
    std::string_view mark, name;
};
constexpr std::array<Family, 10> families = {{{"<|im_start|>", "chatml"},
                                              {"<|start_header_id|>", "llama-3"},
                                              {"<start_of_turn>", "gemma"},
                                              {"[INST]", "mistral"},
                                              {"<|end|>\n<|assistant|>", "phi-3"},
                                              {"<|assistant|>", "zephyr"},
                                              {"<|start_of_role|>", "granite"},
                                              {"<|START_OF_TURN_TOKEN|>", "cohere"},
                                              {"<|start|>assistant", "harmony"},
                                              {"### Response", "alpaca"}}};

/// Each message has text of its own before and after it, whatever stands around.
bool has_turns(std::string_view one, std::string_view three) {
    const std::string_view user = probe_user.content, reply = probe_reply.content;
    const std::size_t first = one.find(user), second = three.find(reply);
    if (first == std::string_view::npos || second == std::string_view::npos) return false;
    const std::size_t third = three.find(user, second);
    return third != std::string_view::npos && three.starts_with(one.substr(0, first + user.size())) &&
           three.ends_with(one) && third >= first && three.substr(third) == one.substr(first);
}

/// What stands behind the reply that a dialogue ends with. Of a template that opens a reply always, as behind the user's
/// message `one`, nothing is known.
std::string after_reply_in(std::string_view two, std::string_view one) {
    const std::size_t reply = two.find(probe_reply.content);
    if (reply == std::string_view::npos) return "";
    const std::string_view after = two.substr(reply + probe_reply.content.size());
    if (one.ends_with(after)) return "";
    return std::string(after.substr(std::min(after.find_first_not_of(" \t\r\n"), after.size())));
}

/// A system message's text in front of the first user message's.
std::vector<Message> without_system(const std::vector<Message>& messages) {
    std::vector<Message> out;
    std::string pending;
    for (const Message& message : messages) {
        if (message.role == "system") {
            pending += message.content + "\n\n";
        } else {
            out.push_back(message);
            if (message.role == "user") out.back().content = std::exchange(pending, "") + message.content;
        }
    }
    if (!pending.empty()) out.push_back({"user", pending});
    return out;
}

}   // namespace

SpecialTexts special_texts_of(const Tokenizer& tokenizer) {
    const auto text = [&](int id) { return id < 0 ? std::string() : std::string(tokenizer.bytes_of(id)); };
    return {text(tokenizer.bos()), text(tokenizer.eos()), text(tokenizer.pad())};
}

ChatTemplate::ChatTemplate(std::string_view jinja, SpecialTexts specials) : specials_(std::move(specials)) {
    if (jinja.empty()) {
        note_ = "The model has no chat template; messages are joined as plain text.";
        return;
    }
    try {
        template_ = std::make_shared<const jinja::JinjaTemplate>(jinja);
        probe();
    } catch (const jinja::TemplateError& error) {
        fall_back(std::string("cannot be used: ") + error.what(), error.line());
    }
}

void ChatTemplate::fall_back(const std::string& why, int line) {
    template_.reset();
    name_ = "none";
    after_reply_.clear();
    failure_ = why;
    failure_line_ = line;
    note_ = "The chat template " + why + "; messages are joined as plain text.";
}

/// Learns from small dialogues what the template does.
void ChatTemplate::probe() {
    const std::string one = rendered({probe_user}, {});
    if (one.find(probe_user.content) == std::string::npos) {
        fall_back("leaves out what the user writes");
        return;
    }
    const std::string three = try_rendering({probe_user, probe_reply, probe_user}, {}).value_or("");
    name_ = has_turns(one, three) ? "turns" : "jinja";
    const std::string two = try_rendering({probe_user, probe_reply}, {.opens_reply = false}).value_or("");
    after_reply_ = after_reply_in(two, one);
    for (const Family& family : families) {
        if (one.find(family.mark) != std::string::npos) {
            name_ = family.name;
            break;
        }
    }
    const auto add_note = [&](std::string_view sentence) {
        note_ += (note_.empty() ? "" : " ") + std::string(sentence);
    };
    const std::optional<std::string> with_system = try_rendering({probe_system, probe_user}, {});
    takes_system_ = with_system.has_value();
    if (!takes_system_) {
        add_note("The chat template takes no system message: its text stands in front of the first user message.");
    } else if (with_system->find(probe_system.content) == std::string::npos) {
        add_note("The chat template leaves the system message out: the model does not read it.");
    }
    if (rendered({probe_user}, {.thinks = true}) != one) {
        add_note("The model is asked to reply without thinking aloud first (enable_thinking is false).");
    }
    if (rendered({probe_user}, {.today = another_day}) != one) {
        add_note("The chat template writes the date: always 26 July 2024, so that a prompt stays the same.");
    }
}

std::string ChatTemplate::rendered(const std::vector<Message>& messages, const Setting& setting) const {
    nlohmann::ordered_json variables = {{"messages", nlohmann::ordered_json::array()},
                                        {"tools", nullptr},
                                        {"documents", nullptr},
                                        {"add_generation_prompt", setting.opens_reply},
                                        {"enable_thinking", setting.thinks}};
    for (const Message& message : messages) {
        variables["messages"].push_back({{"role", message.role}, {"content", message.content}});
    }
    const auto name = [&](const char* token, const std::string& text) {
        if (!text.empty()) variables[token] = text;
    };
    name("bos_token", specials_.bos);
    name("eos_token", specials_.eos);
    name("pad_token", specials_.pad);
    return template_->render(variables, setting.today);
}

std::optional<std::string> ChatTemplate::try_rendering(const std::vector<Message>& messages,
                                                       const Setting& setting) const {
    try {
        return rendered(messages, setting);
    } catch (const jinja::TemplateError&) {
        return std::nullopt;
    }
}

std::string ChatTemplate::render(const std::vector<Message>& messages) const {
    if (is_plain()) {
        std::string out;
        for (const Message& message : messages) out += message.content + '\n';
        return out;
    }
    try {
        return rendered(takes_system_ ? messages : without_system(messages), {});
    } catch (const jinja::TemplateError& error) {
        throw Error("render messages", "the chat template refuses these " + std::to_string(messages.size()) +
                                           " messages: " + error.what() + "; change the messages or edit the template");
    }
}

ChatTemplate chat_template_of(const std::string& jinja, const Tokenizer& tokenizer) {
    return ChatTemplate(jinja, special_texts_of(tokenizer));
}

}   // namespace plumbline
