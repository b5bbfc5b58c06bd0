#include "core/text/reply_ends.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/formats/gguf.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace plumbline {
namespace {

using Ids = std::vector<int>;

const ChatTemplate no_template("");

ChatTemplate gemma() {
    return ChatTemplate(testing::read_whole(testing::golden_path("chat_templates/gemma2.jinja")), {"<bos>", "<eos>", ""});
}

TEST(ReplyEnds, AreTheTokenizersAndWhatTheTemplateWrites) {
    const auto tokenizer = Tokenizer::from_json(testing::golden_path("tokenizers/gemma"));
    const int turn = tokenizer->encode("<end_of_turn>", SpecialTokens::parse).at(0), eos = tokenizer->eos();
    ASSERT_NE(turn, eos);
    const ReplyEnds plain = reply_ends(*tokenizer, no_template), chat = reply_ends(*tokenizer, gemma());
    EXPECT_EQ(plain.ids, Ids{eos});
    EXPECT_EQ(plain.written, eos);
    EXPECT_EQ(chat.ids, (Ids{std::min(eos, turn), std::max(eos, turn)}));
    EXPECT_EQ(chat.written, turn);
    EXPECT_TRUE(chat.contains(turn) && chat.contains(eos));
    EXPECT_FALSE(chat.contains(tokenizer->bos()) || chat.contains(-1));
    // Text of the vocabulary behind a reply ends none.
    const ChatTemplate spoken("{% for m in messages %}{{ m.role }}: {{ m.content }} over\n{% endfor %}");
    EXPECT_EQ(reply_ends(*tokenizer, spoken).ids, Ids{eos});
}

TEST(ReplyEnds, GenerationConfigAddsItsList) {
    const testing::TempFolder folder;
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
        std::filesystem::copy_file(testing::golden_path(std::string("tokenizers/gemma/") + name), folder / name);
    }
    const int eos = Tokenizer::from_json(folder.path())->eos();
    const auto ends = [&](const std::string& list) {
        std::ofstream(folder / "generation_config.json") << "{\"eos_token_id\": " << list << "}";
        return reply_ends(*Tokenizer::from_json(folder.path()), no_template).ids;
    };
    EXPECT_EQ(ends("[9, 7, 7, -1, 99999999]"), (Ids{std::min(eos, 7), std::max(eos, 7), 9}));
    EXPECT_EQ(ends("8"), (Ids{std::min(eos, 8), std::max(eos, 8)}));
    EXPECT_EQ(ends("null"), Ids{eos});
}

TEST(ReplyEnds, GgufNamesTheEndOfATurn) {
    testing::GgufWriter writer;
    writer.add_text("tokenizer.ggml.model", "gpt2");
    writer.add_text("tokenizer.ggml.pre", "gpt-2");
    writer.add_texts("tokenizer.ggml.tokens", {"a", "<eos>", "<eot>"});
    writer.add_i32s("tokenizer.ggml.token_type", {1, 3, 3});
    writer.add_texts("tokenizer.ggml.merges", {});
    writer.add_u32("tokenizer.ggml.eos_token_id", 1);
    writer.add_u32("tokenizer.ggml.eot_token_id", 2);
    const testing::TempFolder folder;
    writer.write(folder / "model.gguf");
    const auto tokenizer = Tokenizer::from_gguf(GgufFile(folder / "model.gguf"));
    EXPECT_EQ(tokenizer->eos(), 1);
    EXPECT_EQ(reply_ends(*tokenizer, no_template).ids, (Ids{1, 2}));
}

}  // namespace
}  // namespace plumbline
