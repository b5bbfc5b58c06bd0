// logprobs and generate.

#include <cmath>

#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

using nlohmann::json;

class Scores : public CommandLine {
  protected:
    json logprobs_of(const json& request, const std::string& adapter = {}) const {
        std::vector<std::string> words = {"logprobs", model_, "--threads", "1", "--json", "--jsonl", "-"};
        if (!adapter.empty()) {
            words.insert(words.end(), {"--adapter", adapter});
        }
        const ProcessResult result = run(words, request.dump() + "\n");
        EXPECT_EQ(result.exit_code, 0) << result.err;
        const auto rows = json_lines(result.out);
        return rows.size() == 1 ? rows[0] : json();
    }
    std::vector<json> generate(std::vector<std::string> more) const {
        std::vector<std::string> words = {"generate",         model_, "--prompt", "Hello",
                                          "--max-new-tokens", "12",   "--json"};
        words.insert(words.end(), more.begin(), more.end());
        const ProcessResult result = run(words);
        EXPECT_EQ(result.exit_code, 0) << result.err;
        return json_lines(result.out);
    }
};

/// Largest difference of two equally long lists of numbers; infinite when they are not.
double distance(const json& a, const json& b) {
    if (a.size() != b.size() || a.empty()) {
        return INFINITY;
    }
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        most = std::max(most, std::abs(a[i].get<double>() - b[i].get<double>()));
    }
    return most;
}

TEST_F(Scores, AChatTemplateOfAFileReplacesTheModels) {
    const json messages = {{"messages", {{{"role", "user"}, {"content", "Hi"}}}}, {"response", " Hello"}};
    const json text = {{"prompt", "<Hi>"}, {"response", " Hello"}};
    const std::string file = write("own.jinja", "{% for m in messages %}<{{ m.content }}>{% endfor %}\n");
    const auto sum_of = [&](const json& request, const std::vector<std::string>& more) {
        std::vector<std::string> words = {"logprobs", model_, "--threads", "1", "--json", "--jsonl", "-"};
        words.insert(words.end(), more.begin(), more.end());
        return json_lines(run(words, request.dump() + "\n").out).at(0).at("sum").get<double>();
    };
    EXPECT_EQ(sum_of(messages, {"--chat-template", file}), sum_of(text, {}));
    EXPECT_NE(sum_of(messages, {}), sum_of(text, {}));
    const std::string cut = write("cut.jinja", "{% if");
    const ProcessResult damaged = run({"generate", model_, "--prompt", "a", "--chat", "--chat-template", cut});
    EXPECT_EQ(damaged.exit_code, 1);
    EXPECT_NE(damaged.err.find("line 1"), std::string::npos) << damaged.err;
    EXPECT_EQ(run({"generate", model_, "--prompt", "a", "--chat-template", "missing.jinja"}).exit_code, 1);
}

TEST_F(Scores, LogprobsAreOfTheResponseAndAddUp) {
    const std::string file =
        write("requests.jsonl", R"({"prompt":"One two","response":" three four"})"
                                "\n"
                                R"({"messages":[{"role":"user","content":"Hi"}],"response":"Hello"})"
                                "\n"
                                R"({"prompt_ids":[1,70,71],"response_ids":[72,73,2]})"
                                "\n");
    const ProcessResult result = run({"logprobs", model_, "--jsonl", file, "--json"});
    const auto rows = json_lines(result.out);
    ASSERT_EQ(rows.size(), 3U) << result.err;
    for (const json& row : rows) {
        ASSERT_EQ(row.at("ids").size(), row.at("logprobs").size());
        double sum = 0;
        for (const json& l : row.at("logprobs")) {
            EXPECT_LT(l.get<double>(), 0);
            sum += l.get<double>();
        }
        EXPECT_EQ(row.at("sum").get<double>(), sum);
    }
    EXPECT_EQ(rows[2].at("ids"), json({72, 73, 2}));
    const auto ids =
        json_lines(run({"tokenize", model_, "--json", "--text", " three four"}).out)[0].at("ids");
    EXPECT_EQ(rows[0].at("ids"), ids);
    EXPECT_EQ(lines_of(run({"logprobs", model_, "--jsonl", file, "--quiet"}).out).size(), 4U)
        << "a header and three rows";
}

TEST_F(Scores, AllNextTokensTogetherHaveProbabilityOne) {
    std::string requests;
    const int vocabulary = static_cast<int>(tiny_tokens().size());
    for (int id = 0; id < vocabulary; ++id) {
        requests += json{{"prompt_ids", {1, 70, 71}}, {"response_ids", {id}}}.dump() + "\n";
    }
    const auto rows =
        json_lines(run({"logprobs", model_, "--jsonl", "-", "--threads", "1", "--json"}, requests).out);
    ASSERT_EQ(static_cast<int>(rows.size()), vocabulary);
    double total = 0;
    for (const json& row : rows) {
        total += std::exp(row.at("sum").get<double>());
    }
    constexpr double tolerance = 1e-4;
    EXPECT_NEAR(total, 1, tolerance);
    EXPECT_GT(std::abs(total - 2 * tolerance - 1), tolerance) << "a total that is off would be seen";
}

TEST_F(Scores, WrongRequestsAreExitOneWithTheLine) {
    for (const char* line :
         {R"({"prompt":"a"})", R"({"prompt":1,"response":"b"})", "nonsense",
          R"({"prompt_ids":[1],"response_ids":[1000000]})", R"({"prompt":"a","response":""})"}) {
        const ProcessResult result =
            run({"logprobs", model_, "--jsonl", "-", "--json"}, std::string(line) + "\n");
        EXPECT_EQ(result.exit_code, 1) << line;
        EXPECT_EQ(result.out, "") << line;
        expect_error_form(result);
    }
}

TEST_F(Scores, BadRowsAreNamedWithTheirLineAndTheOthersScored) {
    const std::string alternate =
        write("alternate.jinja", "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
                                 "{{ raise_exception('roles must alternate') }}{% endif %}"
                                 "<{{ m.content }}>{% endfor %}");
    const std::string good = R"({"messages":[{"role":"user","content":"Hi"}],"response":"Hello"})";
    const std::string refused =
        R"({"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}],"response":"c"})";
    const std::string file = write("rows.jsonl", good + "\n\nnonsense\n" + refused + "\n" + good + "\n");
    const ProcessResult result = run({"logprobs", model_, "--jsonl", file, "--json", "--chat-template", alternate});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const auto rows = json_lines(result.out);
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[0], rows[3]);
    EXPECT_EQ(rows[1], (json{{"line", 3}, {"skipped", "it is not a JSON object (character 2 cannot be read)"}}));
    EXPECT_EQ(rows[2].at("line"), 4);
    EXPECT_NE(rows[2].at("skipped").get<std::string>().find("roles must alternate"), std::string::npos) << rows[2];
    EXPECT_NE(result.err.find("skipped: line 3: it is not"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("skipped 2 rows of 4"), std::string::npos) << result.err;
}

TEST_F(Scores, GenerateRepeatsForASeedAndDiffersForAnother) {
    const auto first = generate({"-n", "3", "--seed", "7"});
    ASSERT_EQ(first.size(), 3U);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(first[i].at("sample"), i);
        EXPECT_EQ(first[i].at("ids").size(), first[i].at("logprobs").size());
        EXPECT_LE(first[i].at("ids").size(), 12U);
        const std::string finish = first[i].at("finish");
        EXPECT_EQ(finish == "length", first[i].at("ids").size() == 12 && first[i].at("ids").back() != 2)
            << finish;
    }
    EXPECT_NE(first[0].at("ids"), first[1].at("ids"));
    EXPECT_EQ(generate({"-n", "3", "--seed", "7"}), first);
    EXPECT_NE(generate({"-n", "3", "--seed", "8"}), first);
    // A sample does not depend on how many are drawn beside it.
    EXPECT_EQ(generate({"-n", "1", "--seed", "7"})[0].at("ids"), first[0].at("ids"));
}

TEST_F(Scores, GreedyNeedsNoSeed) {
    const auto first = generate({"--temperature", "0", "--seed", "1"});
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(generate({"--temperature", "0", "--seed", "2"}), first);
    EXPECT_EQ(generate({"--top-k", "1", "--seed", "3"})[0].at("ids"), first[0].at("ids"));
}

TEST_F(Scores, SamplesAreScoredAsTheyWereDrawn) {
    const auto reply = generate({"--temperature", "1", "--top-p", "1", "--seed", "3"})[0];
    const auto ids = json_lines(run({"tokenize", model_, "--json", "--text", "Hello"}).out)[0].at("ids");
    const json scored = logprobs_of({{"prompt", "Hello"}, {"response_ids", reply.at("ids")}});
    constexpr double tolerance = 1e-3;
    EXPECT_LE(distance(scored.at("logprobs"), reply.at("logprobs")), tolerance);
    json off = reply.at("logprobs");
    off[0] = off[0].get<double>() + 2.1 * tolerance;
    EXPECT_GT(distance(scored.at("logprobs"), off), tolerance)
        << "a log-probability that is off would be seen";
}

TEST_F(Scores, ChatPutsThePromptIntoTheTemplate) {
    const auto plain = generate({"--temperature", "0"});
    const auto chat = generate({"--temperature", "0", "--chat"});
    const auto system = generate({"--temperature", "0", "--chat", "--system", "Talk like a sailor"});
    EXPECT_NE(plain, chat);
    EXPECT_NE(chat, system);
}

TEST_F(Scores, TextForPeopleHasNoControlCharacters) {
    // Random weights write random bytes: the untamed text would reach the terminal.
    const ProcessResult result = run({"generate", model_, "--prompt", "a", "-n", "16", "--temperature", "5",
                                      "--max-new-tokens", "60", "--quiet"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("\xEF\xBF\xBD"), std::string::npos) << "there was nothing to replace";
    for (const char c : result.out) {
        const auto byte = static_cast<unsigned char>(c);
        EXPECT_TRUE(byte >= 0x20 || c == '\n' || c == '\t') << static_cast<int>(byte);
        EXPECT_NE(byte, 0x7F);
    }
    const json as_text = result.out;
    EXPECT_NO_THROW(as_text.dump()) << "not UTF-8";
}

TEST_F(Scores, AFullDiskIsAnError) {
    ProcessSetup child = setup({"generate", model_, "--prompt", "a", "--json", "--quiet"});
    child.out_path = "/dev/full";
    const ProcessResult result = ChildProcess(child).wait();
    EXPECT_EQ(result.exit_code, 1);
    expect_error_form(result);
}

}  // namespace
}  // namespace plumbline::testing
