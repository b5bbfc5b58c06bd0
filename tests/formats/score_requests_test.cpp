#include <gtest/gtest.h>

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

class RequestFile : public ::testing::Test {
  protected:
    std::filesystem::path file_of(const std::string& text) {
        testing::write_whole(folder_ / "f.jsonl", text);
        return folder_ / "f.jsonl";
    }
    void expect_error(const std::string& text, const std::string& part) {
        try {
            read_score_requests(file_of(text));
            ADD_FAILURE() << "accepted: " << text;
        } catch (const Error& error) {
            const std::string what = error.what();
            EXPECT_EQ(what.rfind("read requests: ", 0), 0u) << what;
            EXPECT_NE(what.find(part), std::string::npos) << what;
        }
    }
    void expect_fault(const std::string& text, int line, const std::string& part) {
        const auto requests = read_score_requests(file_of(text));
        const ScoreRequest& last = requests.back();
        EXPECT_EQ(last.line, line) << text;
        EXPECT_NE(last.fault.find(part), std::string::npos) << "'" << last.fault << "' of " << text;
        for (std::size_t i = 0; i + 1 < requests.size(); ++i) EXPECT_EQ(requests[i].fault, "");
    }
    testing::TempFolder folder_;
};

TEST_F(RequestFile, HasTextsMessagesOrIds) {
    const auto requests =
        read_score_requests(file_of(R"({"prompt":"p","response":"r"})"
                                    "\n"
                                    R"({"messages":[{"role":"user","content":"q"}],"response":"r"})"
                                    "\n\n"
                                    R"({"prompt_ids":[1,2],"response_ids":[3]})"
                                    "\n"
                                    R"({"prompt":"","response_ids":[]})"
                                    "\n"));
    ASSERT_EQ(requests.size(), 4u);
    EXPECT_EQ(std::get<std::string>(requests[0].prompt), "p");
    EXPECT_EQ(std::get<std::string>(requests[0].response), "r");
    EXPECT_EQ(std::get<std::vector<Message>>(requests[1].prompt).at(0).content, "q");
    EXPECT_EQ(std::get<std::vector<int>>(requests[2].prompt), (std::vector<int>{1, 2}));
    EXPECT_EQ(std::get<std::vector<int>>(requests[2].response), (std::vector<int>{3}));
    EXPECT_EQ(std::get<std::string>(requests[3].prompt), "");
    EXPECT_TRUE(std::get<std::vector<int>>(requests[3].response).empty());
    EXPECT_EQ(requests[3].line, 5);
}

TEST_F(RequestFile, KeepsTheLinesThatAreWrongWithTheirFault) {
    const std::string good = R"({"prompt":"p","response":"r"})"
                             "\n";
    expect_fault(good + "x\n", 2, "it is not a JSON object");
    expect_fault(good + "\n{\"prompt\":\"p\"}\n", 3, "it needs one of response and response_ids, not 0");
    expect_fault(R"({"response":"r"})", 1, "one of prompt, messages and prompt_ids, not 0");
    expect_fault(R"({"prompt":"p","prompt_ids":[1],"response":"r"})", 1, "not 2");
    expect_fault(R"({"prompt":1,"response":"r"})", 1, "prompt is not a text");
    expect_fault(R"({"messages":"q","response":"r"})", 1, "messages is not a list of messages");
    expect_fault(R"({"messages":[{"role":"","content":"q"}],"response":"r"})", 1,
                 "the role in message 1 of messages is empty");
    for (const char* id : {"-1", "2147483648", "1.5", "\"1\"", "null", "1e300", "18446744073709551615"}) {
        expect_fault("{\"prompt_ids\":[1," + std::string(id) + "],\"response\":\"r\"}", 1, "prompt_ids holds ");
    }
    expect_error("", "no rows");
}

TEST_F(RequestFile, HasTexts) {
    EXPECT_EQ(read_texts(file_of("{\"text\":\"a\\u0000b\"}\n{\"text\":\"\"}\n")),
              (std::vector<std::string>{std::string("a\0b", 3), ""}));
    EXPECT_THROW(read_texts(file_of("{\"text\":1}\n")), Error);
    EXPECT_THROW(read_texts(file_of("{}\n")), Error);
    EXPECT_THROW(read_texts(folder_ / "absent"), Error);
}

}  // namespace
}  // namespace plumbline
