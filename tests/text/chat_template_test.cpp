#include "core/text/chat_template.h"

#include <gtest/gtest.h>

#include "core/api/errors.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"
#include "tests/support/tiny_model.h"

namespace plumbline {
namespace {

std::vector<Message> messages_of(const nlohmann::json& rows) {
    std::vector<Message> out;
    for (const auto& row : rows) out.push_back({row["role"], row["content"]});
    return out;
}

std::string family(const std::string& name) {
    return testing::read_whole(testing::golden_path("chat_templates/" + name + ".jinja"));
}

const SpecialTexts tokens{"<s>", "</s>", ""};

TEST(ChatTemplate, RendersEveryFamilyAsTheReferenceDoes) {
    const auto golden = testing::golden_json("chat_templates.json");
    int rows = 0, refused = 0;
    for (const auto& one : golden["families"]) {
        const std::string name = one["name"];
        const ChatTemplate chat(family(name), tokens);
        EXPECT_FALSE(chat.is_plain()) << name << ": " << chat.note();
        for (const auto& row : one["rows"]) {
            const std::vector<Message> messages = messages_of(row["messages"]);
            if (row.contains("text")) {
                EXPECT_EQ(chat.render(messages), row["text"].get<std::string>()) << name;
                ++rows;
            } else if (messages.front().role != "system") {
                EXPECT_THROW(chat.render(messages), Error) << name;
                ++refused;
            }
        }
    }
    EXPECT_EQ(rows, 124);
    EXPECT_EQ(refused, 10);
}

TEST(ChatTemplate, KnowsFamiliesByTheirMarks) {
    const std::pair<const char*, const char*> names[] = {
        {"qwen2_5", "chatml"},     {"qwen3", "chatml"},   {"smollm3", "chatml"},         {"llama3", "llama-3"},
        {"llama3_1", "llama-3"},   {"gemma2", "gemma"},   {"gemma3", "gemma"},           {"mistral_v1", "mistral"},
        {"mistral_v3", "mistral"}, {"llama2", "mistral"}, {"mistral_tekken", "mistral"}, {"phi3", "phi-3"},
        {"zephyr", "zephyr"},      {"olmo2", "zephyr"}};
    for (const auto& [file, name] : names) EXPECT_EQ(ChatTemplate(family(file), tokens).name(), name) << file;
    EXPECT_EQ(ChatTemplate("{% for m in messages %}{{ m.content ~ loop.index }}{% endfor %}").name(), "jinja");
}

TEST(ChatTemplate, KnowsWhatStandsBehindAReply) {
    const std::pair<const char*, const char*> ends[] = {
        {"qwen2_5", "<|im_end|>"}, {"qwen3", "<|im_end|>"},    {"smollm3", "<|im_end|>"},    {"llama3", "<|eot_id|>"},
        {"llama3_1", "<|eot_id|>"}, {"gemma2", "<end_of_turn>"}, {"gemma3", "<end_of_turn>"}, {"mistral_v1", "</s>"},
        {"mistral_v3", "</s>"},     {"llama2", "</s>"},          {"mistral_tekken", "</s>"},  {"phi3", "<|end|>"},
        {"zephyr", "</s>"},         {"olmo2", "</s>"}};
    for (const auto& [file, end] : ends) {
        const std::string after = ChatTemplate(family(file), tokens).after_reply();
        EXPECT_TRUE(after.starts_with(end)) << file << ": " << after;
    }
    // Here nothing ends a reply: what follows opens another.
    const char* unmarked = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>";
    EXPECT_EQ(ChatTemplate(unmarked).after_reply(), "");
    EXPECT_EQ(ChatTemplate("").after_reply(), "");
}

TEST(ChatTemplate, RendersChatMlAsTheReferenceDoes) {
    const auto golden = testing::golden_json("chat_template.json");
    int templates = 0;
    for (const auto& one : golden["templates"]) {
        const ChatTemplate chat(one["template"].get<std::string>());
        EXPECT_EQ(chat.name(), "chatml");
        EXPECT_EQ(chat.note(), "") << one["name"];
        for (const auto& row : one["rows"]) {
            EXPECT_EQ(chat.render(messages_of(row["messages"])), row["text"].get<std::string>()) << one["name"];
        }
        ++templates;
    }
    EXPECT_EQ(templates, 6);
}

TEST(ChatTemplate, RendersTheTinyModelsTemplate) {
    const ChatTemplate chat(testing::tiny_chat_template());
    EXPECT_EQ(chat.note(), "");
    EXPECT_EQ(chat.render({{"user", "Hi"}}), "<|im_start|>system\n" + std::string(testing::tiny_system_text) +
                                                 "<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, RendersMarkedTurnsAsTheReferenceDoes) {
    const auto golden = testing::golden_json("turns_template.json");
    int rows = 0;
    for (const auto& one : golden["templates"]) {
        const ChatTemplate chat(one["template"].get<std::string>());
        EXPECT_EQ(chat.name(), "turns");
        EXPECT_EQ(chat.note(), "The chat template leaves the system message out: the model does not read it.");
        for (const auto& row : one["rows"]) {
            EXPECT_EQ(chat.render(messages_of(row["messages"])), row["text"].get<std::string>());
            ++rows;
        }
    }
    EXPECT_EQ(rows, 8);
}

TEST(ChatTemplate, PutsARefusedSystemMessageInFrontOfTheUsers) {
    for (const char* name : {"gemma2", "mistral_v1"}) {
        const ChatTemplate chat(family(name), tokens);
        EXPECT_NE(chat.note().find("no system message"), std::string::npos) << name;
        EXPECT_EQ(chat.render({{"system", "Be brief."}, {"user", "Hi"}, {"assistant", "Yo"}, {"user", "So?"}}),
                  chat.render({{"user", "Be brief.\n\nHi"}, {"assistant", "Yo"}, {"user", "So?"}}))
            << name;
        EXPECT_EQ(chat.render({{"system", "Be brief."}}), chat.render({{"user", "Be brief.\n\n"}})) << name;
    }
    EXPECT_EQ(ChatTemplate(family("gemma3"), tokens).note(), "");
}

TEST(ChatTemplate, SaysThatASystemMessageIsLeftOut) {
    const ChatTemplate silent(
        "{% for m in messages %}{% if m.role != 'system' %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}");
    EXPECT_EQ(silent.note(), "The chat template leaves the system message out: the model does not read it.");
    EXPECT_EQ(silent.render({{"system", "Be brief."}, {"user", "Hi"}}), "<user>Hi");   // as the reference does
    const ChatTemplate whole("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}");
    EXPECT_EQ(whole.note(), "");
}

TEST(ChatTemplate, SaysThatItDoesNotThinkAloudAndWhichDateItGives) {
    const auto says = [](const char* name, const char* what) {
        return ChatTemplate(family(name), tokens).note().find(what) != std::string::npos;
    };
    EXPECT_TRUE(says("qwen3", "enable_thinking is false"));
    EXPECT_TRUE(says("smollm3", "enable_thinking is false"));
    EXPECT_FALSE(says("qwen2_5", "enable_thinking"));
    EXPECT_TRUE(says("smollm3", "26 July 2024"));
    EXPECT_TRUE(says("llama3_1", "26 July 2024"));
    EXPECT_FALSE(says("llama3", "26 July 2024"));
}

TEST(ChatTemplate, FallsBackToPlainTextAndSaysWhy) {
    const auto plain = [](const char* jinja, const char* why) {
        const ChatTemplate chat(jinja);
        EXPECT_TRUE(chat.is_plain()) << jinja;
        EXPECT_EQ(chat.name(), "none") << jinja;
        EXPECT_NE(chat.note().find(why), std::string::npos) << chat.note();
        EXPECT_NE(chat.note().find("plain text"), std::string::npos) << chat.note();
        EXPECT_EQ(chat.render({{"system", "s"}, {"user", "Hi"}}), "s\nHi\n");
    };
    plain("", "no chat template");
    plain("\n{% if x", "line 2: a tag is not closed");
    plain("{% for m in messages %}{{ m.content | rot13 }}{% endfor %}", "the filter 'rot13' is not supported");
    plain("{{ raise_exception('not today') }}", "the template says: not today");
    plain("Hello!", "leaves out what the user writes");
    plain("{{ messages[0].content + bos_token }}", "'bos_token' is undefined");
}

TEST(ChatTemplate, SurvivesAnyCutOfATemplate) {
    const std::string known = family("qwen3");
    for (std::size_t length = 0; length < known.size(); ++length) {
        const ChatTemplate chat(known.substr(0, length), tokens);
        EXPECT_EQ(chat.is_plain(), chat.name() == "none") << length;
        EXPECT_TRUE(!chat.is_plain() || !chat.note().empty()) << length;
        EXPECT_NE(chat.render({{"user", "Hello"}}).find("Hello"), std::string::npos) << length;
    }
}

}   // namespace
}   // namespace plumbline
