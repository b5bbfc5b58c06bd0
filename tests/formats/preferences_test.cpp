#include "core/formats/preferences.h"
#include "core/formats/prompts.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "core/api/errors.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using testing::TempFolder;

std::filesystem::path file_of(const TempFolder& folder, const std::string& text) {
    testing::write_whole(folder / "f.jsonl", text);
    return folder / "f.jsonl";
}

const std::string good = R"({"prompt":"p","chosen":"c","rejected":"r"})"
                         "\n";

TEST(Preferences, ReadsTexts) {
    const Preferences all = read_preferences(testing::golden_path("tiny_pairs.jsonl"));
    ASSERT_EQ(all.rows.size(), 24u);
    EXPECT_TRUE(all.skipped.empty());
    EXPECT_EQ(std::get<std::string>(all.rows[0].prompt), "Could you help me with my order?");
    EXPECT_EQ(all.rows[0].chosen, " Of course! Please send me the number.");
    EXPECT_EQ(all.rows[0].rejected, " No. Read the page.");
    EXPECT_EQ(all.rows[23].line, 24);
}

std::string shown(const PromptPart& part) {
    if (const auto* text = std::get_if<std::string>(&part)) return "text:" + *text;
    std::string out;
    for (const Message& message : std::get<std::vector<Message>>(part))
        out += message.role + ":" + message.content + ";";
    return out;
}

TEST(Preferences, ReadsMessagesInEachShape) {
    const TempFolder folder;
    const std::string a = R"({"role":"assistant","content":"c"})",
                      b = R"({"role":"assistant","content":"r"})";
    const std::string u = R"({"role":"user","content":"q"})", s = R"({"role":"system","content":"s"})";
    const Preferences all = read_preferences(file_of(
        folder,
        // the replies alone; the dialogue with the prompt, instead of it, and with the question as text;
        // texts
        R"({"prompt":[)" + s + "," + u + R"(],"chosen":[)" + a + R"(],"rejected":[)" + b + "]}\n" +
            R"({"prompt":[)" + u + R"(],"chosen":[)" + u + "," + a + R"(],"rejected":[)" + u + "," + b +
            "]}\n" + R"({"chosen":[)" + s + "," + u + "," + a + R"(],"rejected":[)" + s + "," + u + "," + b +
            "]}\n" + R"({"prompt":"q","chosen":[)" + u + "," + a + R"(],"rejected":[)" + u + "," + b +
            "]}\n" + R"({"prompt":[)" + u + R"(],"chosen":"c","rejected":"r"})" + "\n"));
    EXPECT_EQ(all.skipped, std::vector<std::string>{});
    ASSERT_EQ(all.rows.size(), 5u);
    const char* prompts[] = {"system:s;user:q;", "user:q;", "system:s;user:q;", "user:q;", "user:q;"};
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(shown(all.rows[i].prompt), prompts[i]) << i;
        EXPECT_EQ(all.rows[i].chosen, "c");
        EXPECT_EQ(all.rows[i].rejected, "r");
    }
}

TEST(Preferences, ReadsWholeDialoguesAsText) {
    const TempFolder folder;
    const Preferences all = read_preferences(
        file_of(folder, R"({"chosen":"\n\nHuman: a\n\nAssistant: b\n\nHuman: d\n\nAssistant: yes",)"
                        R"("rejected":"\n\nHuman: a\n\nAssistant: b\n\nHuman: d\n\nAssistant: no"})"));
    ASSERT_EQ(all.rows.size(), 1u);
    EXPECT_EQ(shown(all.rows[0].prompt), "text:\n\nHuman: a\n\nAssistant: b\n\nHuman: d\n\nAssistant:");
    EXPECT_EQ(all.rows[0].chosen, " yes");
    EXPECT_EQ(all.rows[0].rejected, " no");
}

TEST(Preferences, ListsBadRowsAndKeepsTheOthers) {
    const TempFolder folder;
    const std::vector<std::pair<std::string, std::string>> bad = {
        {"not json", "it is not a JSON object"},
        {"[1]", "it is not a JSON object"},
        {R"({"prompt":"p","chosen":"c"})", "rejected is missing"},
        {R"({"prompt":"p","chosen":null,"rejected":"r"})", "chosen is missing"},
        {R"({"prompt":1,"chosen":"c","rejected":"r"})", "prompt is not a text"},
        {R"({"prompt":"p","chosen":"c","rejected":{}})", "rejected is not a text"},
        {R"({"prompt":"p","chosen":"same","rejected":"same"})", "chosen and rejected are the same"},
        {R"({"prompt":[],"chosen":"c","rejected":"r"})", "prompt has no messages"},
        {R"({"prompt":[{"role":"user"}],"chosen":"c","rejected":"r"})",
         "the content in message 1 of prompt is not a text"},
        {R"({"chosen":"c","rejected":"r"})", "prompt is missing, and chosen has no \"Assistant:\""},
        {R"({"chosen":"a\n\nAssistant: x","rejected":"b\n\nAssistant: y"})",
         "do not answer the same dialogue"},
        {R"({"chosen":[{"role":"user","content":"q"}],"rejected":[{"role":"assistant","content":"r"}]})",
         "the last message of chosen is of role \"user\""},
        {R"({"prompt":"p","chosen":[{"role":"assistant","content":"c"}],"rejected":[{"role":"assistant","content":"r"}]})",
         "prompt is a text where chosen is a list of messages"},
        {"{\"prompt\":\"\xFF\",\"chosen\":\"c\",\"rejected\":\"r\"}", "it is not a JSON object"},
        {std::string(5000, '[') + std::string(5000, ']'), "it is not a JSON object"},
    };
    std::string text = "\xEF\xBB\xBF" + good + "\n  \r\n";  // a byte order mark, blank lines
    for (const auto& [line, reason] : bad) text += line + "\r\n";
    const Preferences all = read_preferences(file_of(folder, text + good));
    ASSERT_EQ(all.rows.size(), 2u);
    EXPECT_EQ(all.rows[0].line, 1);
    EXPECT_EQ(all.rows[1].line, static_cast<int>(bad.size()) + 4);
    ASSERT_EQ(all.skipped.size(), bad.size());
    for (std::size_t i = 0; i < bad.size(); ++i) {
        EXPECT_EQ(all.skipped[i].rfind("line " + std::to_string(i + 4) + ": ", 0), 0u) << all.skipped[i];
        EXPECT_NE(all.skipped[i].find(bad[i].second), std::string::npos) << all.skipped[i];
    }
}

TEST(Preferences, RefusesAFileWithoutAGoodRow) {
    const TempFolder folder;
    for (const char* text : {"", "\n\n", "hello\n", "{}\n"}) {
        try {
            read_preferences(file_of(folder, text));
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(std::string(error.what()).rfind("read preferences: ", 0), 0u);
            EXPECT_NE(std::string(error.what()).find("f.jsonl"), std::string::npos);
        }
    }
    EXPECT_THROW(read_preferences(folder / "absent"), Error);
}

std::string gzipped(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()) + 32, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

TEST(Preferences, ReadsGzipAndRefusesItCutShort) {
    const TempFolder folder;
    std::string many;
    for (int i = 0; i < 20000; ++i) many += good;  // more than one buffer
    const std::string packed = gzipped(many);
    EXPECT_EQ(read_preferences(file_of(folder, packed)).rows.size(), 20000u);
    EXPECT_EQ(read_preferences(file_of(folder, gzipped(good) + gzipped(good))).rows.size(), 2u);
    for (const std::size_t length : {std::size_t{2}, std::size_t{12}, packed.size() / 2, packed.size() - 1}) {
        EXPECT_THROW(read_preferences(file_of(folder, packed.substr(0, length))), Error) << length;
    }
    std::string damaged = packed;
    damaged[packed.size() - 6] ^= 1;  // the checksum
    EXPECT_THROW(read_preferences(file_of(folder, damaged)), Error);
}

TEST(Prompts, ReadsJsonLinesOrPlainLines) {
    const TempFolder folder;
    EXPECT_EQ(read_prompt_texts(file_of(folder, "one\n\n  two {x} \r\n\xFFthree")),
              (std::vector<std::string>{"one", "  two {x} ", "\uFFFDthree"}));
    EXPECT_EQ(read_prompt_texts(file_of(folder, "{\"prompt\":\"a\\nb\"}\n\n{\"prompt\":\"c\",\"x\":1}\n")),
              (std::vector<std::string>{"a\nb", "c"}));
    const PromptFile parts = read_prompts(file_of(folder, R"({"prompt":[{"role":"user","content":"q"}]})"
                                                          "\n{}\n{\"prompt\":\"p\"}\n"));
    ASSERT_EQ(parts.rows.size(), 2u);
    EXPECT_EQ(shown(parts.rows[0].prompt), "user:q;");
    EXPECT_EQ(parts.rows[1].line, 3);
    EXPECT_EQ(parts.skipped, std::vector<std::string>{"line 2: prompt is missing"});
}

void expect_error(const std::function<void()>& act, const std::string& part) {
    try {
        act();
        ADD_FAILURE() << "no error: " << part;
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
}

TEST(Prompts, NamesTheLineThatIsWrong) {
    const TempFolder folder;
    const auto read = [&](const std::string& text) {
        return [&, text] { read_prompt_texts(file_of(folder, text)); };
    };
    expect_error(read(""), "no prompts");
    expect_error([&] { read_prompts(file_of(folder, "{}\n")); }, "no prompts (line 1: prompt is missing); write");
    expect_error(read("{\"prompt\":\"a\"}\nplain\n"), "line 2: it is not a JSON object");
    expect_error(read("{\"question\":\"a\"}\n"), "line 1: prompt is missing");
    expect_error(read("{\"prompt\":[{\"role\":\"user\",\"content\":\"q\"}]}\n"),
                 "line 1: prompt is a list of messages");
}

}  // namespace
}  // namespace plumbline
