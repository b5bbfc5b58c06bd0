#include "core/formats/demonstrations.h"

#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/formats/messages.h"
#include "core/formats/data_rows.h"

namespace plumbline {
namespace {

using nlohmann::json;

/// Takes the reply, the last message, off a dialogue.
std::string take_reply(std::vector<Message>& dialogue, const std::string& field) {
    if (dialogue.back().role != "assistant") {
        throw RowError("the last message of " + field + " is of role \"" + dialogue.back().role +
                       "\", not \"assistant\"");
    }
    std::string reply = dialogue.back().content;
    dialogue.pop_back();
    return reply;
}

DemonstrationRow demonstration_of(const json& row) {
    DemonstrationRow out;
    if (row.contains("messages")) {
        std::vector<Message> dialogue = messages_of(row["messages"], "messages");
        out.reply = take_reply(dialogue, "messages");
        if (dialogue.empty()) throw RowError("messages has nothing before the reply");
        out.prompt = dialogue;
        return out;
    }
    const json& prompt = member(row, "prompt");
    out.prompt =
        prompt.is_array() ? PromptPart(messages_of(prompt, "prompt")) : PromptPart(text_of(prompt, "prompt"));
    const char* field = row.contains("response") ? "response" : "completion";
    const json& reply = member(row, field);
    if (reply.is_array()) {
        std::vector<Message> messages = messages_of(reply, field);
        out.reply = take_reply(messages, field);
        if (!messages.empty()) throw RowError(std::string(field) + " has more than one message");
    } else {
        out.reply = text_of(reply, field);
    }
    return out;
}

}  // namespace

Demonstrations read_demonstrations(const std::filesystem::path& file) {
    const std::string operation = "read demonstrations";
    Demonstrations out;
    for_each_row(
        file, operation,
        [&](const DataRow& row) {
            out.rows.push_back(demonstration_of(row.value));
            out.rows.back().line = row.line;
        },
        [&](int line, const std::string& fault) {
            out.skipped.push_back("line " + std::to_string(line) + ": " + fault);
        });
    if (out.rows.empty()) {
        throw Error(operation, file.string() + ": no row with prompt and completion" +
                                   (out.skipped.empty() ? std::string() : " (" + out.skipped.front() + ")") +
                                   "; write one JSON object a line");
    }
    return out;
}

}  // namespace plumbline
