// import and export, from the shell.

#include "core/store/project_file.h"
#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

using nlohmann::json;

class ImportExport : public CommandLine {
  protected:
    std::string project() const { return (folder_ / "p.plumb").string(); }
    std::string out(const std::string& name) const { return (folder_ / name).string(); }
    static std::string text_of(const std::string& path) {
        std::ifstream stream(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
};

TEST_F(ImportExport, MakesAProjectFillsItAndWritesItOut) {
    const ProcessResult made = run({"import", project(), "--preferences", write_pairs(), "--model", model_, "--threads", "1", "--json"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    EXPECT_EQ(json_lines(made.out).at(0), (json{{"rows", 12}, {"skipped", json::array()}, {"skipped_rows", 0}}));
    const ProcessResult more = run({"import", project(), "--preferences", "-", "--json"}, "prompt,chosen,rejected\np,c,r\np,c,c\n");
    ASSERT_EQ(more.exit_code, 0) << more.err;
    EXPECT_EQ(json_lines(more.out).at(0),
              (json{{"rows", 1}, {"skipped", {"line 3: chosen and rejected are the same"}}, {"skipped_rows", 1}}));
    EXPECT_EQ(run({"check", project()}).out, "ok\n");

    for (const char* format : {"trl", "hh", "csv"}) {
        const ProcessResult written = run({"export", project(), "--as", format, "--out", out(format), "--json"});
        ASSERT_EQ(written.exit_code, 0) << written.err;
        EXPECT_EQ(json_lines(written.out).at(0).at("rows"), 13) << format;
        const std::string other = out(std::string(format) + ".plumb");
        ASSERT_EQ(run({"import", other, "--preferences", out(format), "--model", model_, "--threads", "1"}).exit_code, 0);
        ASSERT_EQ(run({"export", other, "--as", format, "--out", out("again")}).exit_code, 0);
        EXPECT_EQ(text_of(out("again")), text_of(out(format))) << format;
    }
    EXPECT_EQ(lines_of(text_of(out("trl"))).size(), 13U);
    ASSERT_EQ(run({"export", project(), "--as", "metrics", "--out", out("m.csv")}).exit_code, 0);
    EXPECT_EQ(text_of(out("m.csv")), "step,label,labels\r\n");
    ASSERT_EQ(run({"export", project(), "--as", "script", "--out", out("script")}).exit_code, 0);
    EXPECT_EQ(names_in(out("script")), (std::vector<std::string>{"preferences.jsonl", "settings.json", "train.py"}));
}

TEST_F(ImportExport, SaysWhatIsWrong) {
    const auto expect_failure = [&](std::vector<std::string> words, int code, const std::string& part) {
        const ProcessResult result = run(std::move(words));
        EXPECT_EQ(result.exit_code, code) << result.err;
        expect_error_form(result);
        EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
    };
    expect_failure({"import", project(), "--preferences", write_pairs()}, 1, "there is no such project; make one with --model");
    expect_failure({"export", project(), "--as", "trl", "--out", out("x")}, 1, "there is no such file");
    ASSERT_EQ(run({"import", project(), "--preferences", write_pairs(), "--model", model_, "--threads", "1"}).exit_code, 0);
    expect_failure({"import", project(), "--preferences", write_pairs(), "--model", model_}, 1, "leave the model out");
    expect_failure({"import", project(), "--preferences", write("bad.jsonl", "{}\n")}, 1, "no row with prompt, chosen and rejected");
    expect_failure({"import", project(), "--preferences", write("x.parquet", "PAR1")}, 1, "Parquet is not supported");
    expect_failure({"export", project(), "--as", "pickle", "--out", out("x")}, 2, "choose trl, hh, csv, metrics, script");
    expect_failure({"export", project(), "--as", "trl", "--out", out("no/such/x")}, 1, "make the folder first");
    EXPECT_FALSE(std::filesystem::exists(out("x")));
}

}  // namespace
}  // namespace plumbline::testing
