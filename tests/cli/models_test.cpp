// models, info, tokenize.

#include <algorithm>

#include <optional>
#include <thread>

#include "core/api/own_models.h"
#include "core/store/file_lock.h"
#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

class Models : public CommandLine {};

TEST_F(Models, ListsWhatIsInstalledAndWhatCanBe) {
    std::filesystem::create_directories(folder_ / "data" / "models");
    std::filesystem::copy(model_, folder_ / "data" / "models" / "Mine.gguf");
    const ProcessResult result = run({"models", "--json"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    const auto rows = json_lines(result.out);
    ASSERT_GE(rows.size(), 10U);
    EXPECT_EQ(rows[0].at("name"), "smollm2-135m-instruct");
    EXPECT_EQ(rows[0].at("installed"), false);
    EXPECT_EQ(rows[0].at("parameters"), 134515008);
    EXPECT_EQ(rows[0].at("licence"), "Apache-2.0");
    EXPECT_EQ(rows[1].at("name"), "courtesy");
    EXPECT_EQ(rows[1].at("installed"), true) << "it comes with the program";
    EXPECT_EQ(rows[1].at("source"), "bundled");
    EXPECT_EQ(rows[1].at("fits_f32"), "yes");
    EXPECT_EQ(rows[2].at("name"), "mine");
    EXPECT_EQ(rows[2].at("installed"), true);
    EXPECT_EQ(rows[2].at("path"), (folder_ / "data" / "models" / "Mine.gguf").string());
    EXPECT_EQ(rows[2].at("size_bytes"), std::filesystem::file_size(model_));
    EXPECT_EQ(rows[2].at("family"), "llama");
    EXPECT_EQ(rows[3].at("source"), "known");
    EXPECT_EQ(rows[3].at("installed"), false);
    EXPECT_NE(rows[3].at("how_to_get"), "");

    EXPECT_EQ(run({"info", "mine", "--json"}).exit_code, 0) << "a listed name is a MODEL";
    const auto courtesy = json_lines(run({"info", "courtesy", "--json"}).out);
    ASSERT_EQ(courtesy.size(), 1U);
    EXPECT_EQ(courtesy[0].at("parameters"), rows[1].at("parameters"));
    EXPECT_EQ(courtesy[0].at("template"), "turns");
}

TEST_F(Models, TheTableFitsATerminal) {
    std::filesystem::create_directories(folder_ / "data" / "models");
    write("data/models/broken.gguf", "not a model");
    const ProcessResult people = run({"models"});
    EXPECT_EQ(people.exit_code, 0);
    EXPECT_NE(people.out.find("smollm2-135m-instruct: not installed: Run "), std::string::npos) << people.out;
    EXPECT_NE(people.out.find("\nbroken: open model: "), std::string::npos) << people.out;
    EXPECT_NE(people.out.find((folder_ / "data" / "models").string()), std::string::npos) << "where they go";
    EXPECT_NE(people.out.find("Qwen/Qwen2.5-0.5B-Instruct"), std::string::npos);
    for (const std::string& line : lines_of(people.out)) {
        if (line.find(folder_.path().string()) == std::string::npos) {
            EXPECT_LE(line.size(), 100U) << line;
        }
    }
}

TEST_F(Models, AnotherProgramsEntryIsNotLost) {
    std::filesystem::create_directories(folder_ / "data");
    const std::filesystem::path list = folder_ / "data" / "models.json";
    std::optional<FileLock> other(std::in_place, list, "test");
    ChildProcess child(setup({"models", "--add", model_, "--json"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(600));   // it has read the list by now, or waits
    write_own_models(list, {{"elsewhere", folder_ / "elsewhere.gguf"}});
    other.reset();
    const ProcessResult added = child.wait();
    EXPECT_EQ(added.exit_code, 0) << added.err;
    std::vector<std::string> names;
    for (const OwnModel& model : read_own_models(list)) {
        names.push_back(model.name);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"elsewhere", "tiny"}));
    EXPECT_FALSE(std::filesystem::exists(list.string() + "-lock"));
}

TEST_F(Models, OnesOwnAreAddedAndRemoved) {
    const ProcessResult added = run({"models", "--add", model_, "--json"});
    EXPECT_EQ(added.exit_code, 0) << added.err;
    EXPECT_EQ(json_lines(added.out).at(0).at("added"), "tiny");
    EXPECT_EQ(run({"info", "tiny"}).exit_code, 0);
    EXPECT_EQ(json_lines(run({"models", "--json"}).out)[2].at("source"), "own");
    EXPECT_EQ(run({"models", "--remove", "tiny"}).out, "removed tiny from the list; its file stays\n");
    EXPECT_TRUE(std::filesystem::exists(model_));
    EXPECT_EQ(run({"info", "tiny"}).exit_code, 1);

    const ProcessResult unknown = run({"models", "--remove", "tiny"});
    EXPECT_EQ(unknown.exit_code, 1);
    expect_error_form(unknown);
    const ProcessResult nothing = run({"models", "--add", (folder_ / "none.gguf").string()});
    EXPECT_EQ(nothing.exit_code, 1);
    EXPECT_NE(nothing.err.find("there is no such file"), std::string::npos) << nothing.err;
    expect_error_form(nothing);
}

TEST_F(Models, InfoGivesTheFilesSizes) {
    const auto rows = json_lines(run({"info", model_, "--json"}).out);
    ASSERT_EQ(rows.size(), 1U);
    const nlohmann::json& info = rows[0];
    const TinySizes sizes;
    EXPECT_EQ(info.at("architecture"), "llama");
    EXPECT_EQ(info.at("layers"), sizes.blocks);
    EXPECT_EQ(info.at("hidden"), sizes.hidden);
    EXPECT_EQ(info.at("heads"), sizes.heads);
    EXPECT_EQ(info.at("kv_heads"), sizes.kv_heads);
    EXPECT_EQ(info.at("context"), sizes.context);
    EXPECT_EQ(info.at("vocab"), static_cast<int>(tiny_tokens().size()));
    EXPECT_EQ(info.at("template"), "chatml");
    EXPECT_EQ(info.at("dtype"), "f32");
    // Tied embeddings; per block q, o: h x h; k, v: h x kv; gate, up, down: h x ffn; two norms; a last norm.
    const int h = sizes.hidden, kv = sizes.kv_heads * sizes.head_dim;
    const int block = 2 * h * h + 2 * h * kv + 3 * h * sizes.ffn + 2 * h;
    EXPECT_EQ(info.at("parameters"), static_cast<int>(tiny_tokens().size()) * h + sizes.blocks * block + h);

    EXPECT_EQ(json_lines(run({"info", model_, "--json", "--dtype", "bf16"}).out)[0].at("dtype"), "bf16");
    const auto of_template = [&](const std::string& text) {
        return json_lines(run({"info", model_, "--json", "--chat-template", write("own.jinja", text)}).out).at(0);
    };
    EXPECT_EQ(of_template("[INST]{{ messages[-1].content }}").at("template"), "mistral");
    const nlohmann::json cut = of_template("{% if");
    EXPECT_EQ(cut.at("template"), "none");
    EXPECT_NE(cut.at("template_note").get<std::string>().find("cannot be used: "), std::string::npos) << cut;
    EXPECT_NE(run({"info", model_}).out.find("256 tokens"), std::string::npos);
}

TEST_F(Models, TokenizeGoesThereAndBack) {
    const std::vector<std::string> texts = {"Hello there", "Grüße, 日本 🙂", "two\nlines\tand a tab",
                                            "[brackets]", "-n"};
    std::vector<std::string> words = {"tokenize", model_, "--json"};
    std::string file;
    for (const std::string& text : texts) {
        words.insert(words.end(), {"--text", text});
        file += nlohmann::json{{"text", text}}.dump() + "\n";
    }
    const ProcessResult result = run(words);
    const auto rows = json_lines(result.out);
    ASSERT_EQ(rows.size(), texts.size()) << result.err;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        EXPECT_EQ(rows[i].at("text"), texts[i]);
        EXPECT_FALSE(rows[i].at("ids").empty());
    }
    EXPECT_NE(rows[0].at("ids"), rows[1].at("ids"));

    const std::string path = write("texts.jsonl", file);
    EXPECT_EQ(run({"tokenize", model_, "--json", "--jsonl", path}).out, result.out) << "from a file";
    EXPECT_EQ(run({"tokenize", model_, "--json", "--jsonl", "-"}, file).out, result.out)
        << "from standard input";
}

TEST_F(Models, TokenizeKnowsTheSpecialTokens) {
    const auto rows =
        json_lines(run({"tokenize", model_, "--json", "--text", "<|im_start|>a<|im_end|>"}).out);
    ASSERT_EQ(rows.size(), 1U);
    const auto ids = rows[0].at("ids").get<std::vector<int>>();
    ASSERT_EQ(ids.size(), 3U);
    EXPECT_EQ(ids.front(), 1);
    EXPECT_EQ(ids.back(), 2);
}

TEST_F(Models, ABadLineOfStandardInputIsNamed) {
    const ProcessResult result =
        run({"tokenize", model_, "--jsonl", "-"}, "{\"text\":\"a\"}\n{\"words\":\"b\"}\n");
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.err.find("standard input: line 2: "), std::string::npos) << result.err;
    expect_error_form(result);
}

}  // namespace
}  // namespace plumbline::testing
