// Chat templates as the window looks at them.

#include "core/api/chat_templates.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/api/errors.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace plumbline::testing {
namespace {

class ChatTemplates : public ::testing::Test {
  protected:
    ModelTemplate tiny() const { return read_model_template(write_tiny_model(folder_.path(), 5).string()); }
    const TempFolder folder_;
    const std::vector<Message> question = {{"system", "Be brief."}, {"user", "Why?"}};
};

TEST_F(ChatTemplates, AModelsOwnIsReadWithItsTokens) {
    const ModelTemplate model = tiny();
    EXPECT_EQ(model.jinja, tiny_chat_template());
    EXPECT_EQ(model.bos, "<|im_start|>");
    EXPECT_EQ(model.eos, "<|im_end|>");
    EXPECT_NE(std::ranges::find(model.special_tokens, "<|im_end|>"), model.special_tokens.end());
    EXPECT_EQ(std::ranges::find(model.special_tokens, "a"), model.special_tokens.end());
    EXPECT_THROW(read_model_template((folder_ / "absent.gguf").string()), Error);
}

TEST_F(ChatTemplates, WriteADialogue) {
    const ModelTemplate model = tiny();
    const WrittenDialogue own = write_dialogue(model.jinja, model, question);
    EXPECT_EQ(own.text,
              "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n");
    EXPECT_EQ(own.name, "chatml");
    EXPECT_FALSE(writes_plain_text(own.name));
    EXPECT_EQ(own.failure, "");
    EXPECT_EQ(write_dialogue("{{ bos_token }}{{ messages[-1].content }}", model, question).text, "<|im_start|>Why?");
}

TEST_F(ChatTemplates, ThatDoNotWorkSayWhyAndWhere) {
    const ModelTemplate model = tiny();
    const WrittenDialogue broken = write_dialogue("{{ messages }}\n\n{% for m in %}", model, question);
    EXPECT_EQ(broken.line, 3);
    EXPECT_TRUE(broken.failure.starts_with("cannot be used: line 3: ")) << broken.failure;
    EXPECT_TRUE(writes_plain_text(broken.name));
    EXPECT_EQ(broken.text, "Be brief.\nWhy?\n");
    const WrittenDialogue deaf = write_dialogue("Hello", model, question);
    EXPECT_EQ(deaf.failure, "leaves out what the user writes");
    EXPECT_EQ(deaf.line, 0);
    const WrittenDialogue none = write_dialogue("", model, question);
    EXPECT_EQ(none.failure, "") << "having none is no failure";
    EXPECT_NE(none.note.find("plain text"), std::string::npos);
    const WrittenDialogue picky = write_dialogue(
        "{% if messages[-1].content == 'Why?' %}{{ raise_exception('never why') }}{% endif %}"
        "{{ messages[-1].content }}",
        model, question);
    EXPECT_NE(picky.failure.find("never why"), std::string::npos) << picky.failure;
    EXPECT_EQ(picky.name, "jinja");
}

}  // namespace
}  // namespace plumbline::testing
