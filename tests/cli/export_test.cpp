// export: models out.

#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

class Export : public CommandLine {};

TEST_F(Export, WritesAModelWithAnAdapter) {
    const std::string adapter = (folder_ / "adapter").string(), out = (folder_ / "merged.gguf").string();
    const ProcessResult trained = run({"train", "dpo", model_, "--data", write_pairs(), "--config", "steps=2", "--config",
                                       "weights=lora", "--out", adapter, "--quiet"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    const ProcessResult result =
        run({"export", model_, "--adapter", adapter, "--as", "gguf", "--type", "q8_0", "--out", out, "--json", "--quiet"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto rows = json_lines(result.out);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].at("format"), "gguf");
    EXPECT_EQ(rows[0].at("type"), "q8_0");
    EXPECT_EQ(rows[0].at("bytes"), std::filesystem::file_size(out));
    EXPECT_EQ(json_lines(run({"info", out, "--json"}).out).at(0).at("architecture"), "llama");

    const std::string folder = (folder_ / "folder").string();
    ASSERT_EQ(run({"export", model_, "--as", "safetensors", "--out", folder}).exit_code, 0);
    EXPECT_EQ(names_in(folder), (std::vector<std::string>{"config.json", "generation_config.json", "model.safetensors",
                                                          "tokenizer.json", "tokenizer_config.json"}));
    EXPECT_EQ(run({"tokenize", folder, "--text", "Is that the way?", "--json"}).out,
              run({"tokenize", model_, "--text", "Is that the way?", "--json"}).out);
}

TEST_F(Export, IsUsedInOneWay) {
    const std::string out = (folder_ / "out").string();
    EXPECT_EQ(run({"export", model_, "--as", "peft", "--out", out}).exit_code, 2);
    EXPECT_EQ(run({"export", model_, "--as", "onnx", "--out", out}).exit_code, 2);
    EXPECT_EQ(run({"export", model_, "--as", "gguf", "--type", "q4_k", "--out", out}).exit_code, 2);
    EXPECT_EQ(run({"export", "p.plumb", "--adapter", out, "--as", "gguf", "--out", out}).exit_code, 2);
    const ProcessResult missing = run({"export", "p.plumb", "--as", "gguf", "--out", out, "--quiet"});
    EXPECT_EQ(missing.exit_code, 1);
    expect_error_form(missing);
    EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace plumbline::testing
