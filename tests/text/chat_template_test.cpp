#include "core/text/chat_template.h"

#include <gtest/gtest.h>

#include "tests/support/golden_file.h"
#include "tests/support/tiny_model.h"

namespace plumbline {
namespace {

std::vector<Message> messages_of(const nlohmann::json& rows) {
    std::vector<Message> out;
    for (const auto& row : rows) out.push_back({row["role"], row["content"]});
    return out;
}

TEST(ChatTemplate, RendersAsTheReferenceDoes) {
    const auto golden = testing::golden_json("chat_template.json");
    int templates = 0;
    for (const auto& family : golden["templates"]) {
        const ChatTemplate chat(family["template"].get<std::string>());
        EXPECT_EQ(chat.name(), "chatml");
        // Qwen's does more (a condition inside the loop): rendered all the same, but said.
        EXPECT_EQ(chat.note().empty(), family["name"] != "qwen") << family["name"] << ": " << chat.note();
        for (const auto& row : family["rows"]) {
            EXPECT_EQ(chat.render(messages_of(row["messages"])), row["text"].get<std::string>())
                << family["name"];
        }
        ++templates;
    }
    EXPECT_EQ(templates, 6);
}

TEST(ChatTemplate, RendersTheTinyModelsTemplate) {
    const ChatTemplate chat(testing::tiny_chat_template());
    EXPECT_EQ(chat.note(), "");
    EXPECT_EQ(chat.render({{"user", "Hi"}}),
              "<|im_start|>system\n" + std::string(testing::tiny_system_text) +
                  "<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, RendersMarkedTurnsAsTheReferenceDoes) {
    const auto golden = testing::golden_json("turns_template.json");
    int rows = 0;
    for (const auto& family : golden["templates"]) {
        const ChatTemplate chat(family["template"].get<std::string>());
        EXPECT_EQ(chat.name(), "turns");
        EXPECT_EQ(chat.note(), "");
        for (const auto& row : family["rows"]) {
            EXPECT_EQ(chat.render(messages_of(row["messages"])), row["text"].get<std::string>());
            ++rows;
        }
    }
    EXPECT_EQ(rows, 8);
}

TEST(ChatTemplate, DoesNotTakeNearlyMarkedTurnsForThem) {
    const std::string known = testing::golden_json("turns_template.json")["templates"][0]["template"];
    const std::pair<const char*, const char*> changes[] = {
        {"== 'user'", "!= 'user'"},        {"== 'assistant'", "== 'tool'"},
        {"{{ '<bot>' }}", "{{ '<x>' }}"},  {"'<user>' + ", "message['role'] + "},
        {"in messages", "in messages[1:]"}, {"{% if add_generation_prompt %}", "{% if true %}"},
    };
    for (const auto& [from, to] : changes) {
        std::string text = known;
        text.replace(text.find(from), std::string(from).size(), to);
        EXPECT_EQ(ChatTemplate(text).name(), "none") << text;
    }
    EXPECT_EQ(ChatTemplate(known).name(), "turns");
}

TEST(ChatTemplate, SaysWhatItDoesNotUnderstand) {
    const ChatTemplate none("");
    EXPECT_EQ(none.name(), "none");
    EXPECT_NE(none.note(), "");
    EXPECT_EQ(none.render({{"system", "s"}, {"user", "Hi"}}), "s\nHi\n");

    const ChatTemplate other("{% for m in messages %}[INST] {{ m['content'] }} [/INST]{% endfor %}");
    EXPECT_EQ(other.name(), "none");
    EXPECT_NE(other.note(), "");
    EXPECT_EQ(other.render({{"user", "Hi"}}), "Hi\n");
}

// Small changes to a known template that change what it writes must not pass as the known one.
TEST(ChatTemplate, IsNotFooledByNearlyTheSame) {
    const std::string known = testing::tiny_chat_template();
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string text = known;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    ASSERT_EQ(ChatTemplate(known).note(), "");
    for (const std::string& text :
         {changed("message['content']", "message['content'] | trim"),
          changed("message['content']", "message['name']"),
          changed("'\n' + message['content']", "' ' + message['content']"),
          changed("!= 'system'", "== 'system'"), changed("{% for", "{{ bos_token }}{% for"),
          changed("<|im_start|>assistant\n", "<|im_start|>assistant"),
          changed("in messages", "in messages[1:]"),
          changed("if add_generation_prompt", "if not add_generation_prompt"), known + "x",
          known.substr(0, known.size() - 5), changed("'<|im_end|>' + ", "")}) {
        EXPECT_NE(ChatTemplate(text).note(), "") << text;
    }
}

TEST(ChatTemplate, SurvivesAnyCutOfATemplate) {
    const std::string known = testing::golden_json("chat_template.json")["templates"][3]["template"];
    for (std::size_t length = 0; length < known.size(); ++length) {
        const ChatTemplate chat(known.substr(0, length));
        EXPECT_TRUE(length + 1 >= known.size() || !chat.note().empty()) << length;
    }
}

}  // namespace
}  // namespace plumbline
