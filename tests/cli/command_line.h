#pragma once
// plumbline-cli as a child process, with a data folder of its own and the tiny model.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace plumbline::testing {

class CommandLine : public ::testing::Test {
  protected:
    void SetUp() override { model_ = write_tiny_model(folder_.path(), 5).string(); }

    /// The child as it will be started. Its threads wait asleep: tests that
    /// run side by side would take each other's processors otherwise.
    ProcessSetup setup(std::vector<std::string> arguments) const {
        ProcessSetup out;
        out.command = {PLUMBLINE_CLI};
        out.command.insert(out.command.end(), arguments.begin(), arguments.end());
        out.environment = {"PLUMBLINE_DATA_DIR=" + (folder_ / "data").string(), "TERM=xterm",
                           "OMP_WAIT_POLICY=passive", "TMPDIR=" + temporary().string()};
        return out;
    }
    ProcessResult run(std::vector<std::string> arguments, const std::string& input = {}) const {
        ProcessSetup child = setup(std::move(arguments));
        child.input = input;
        return ChildProcess(child).wait();
    }

    /// Where the program may keep temporary files.
    std::filesystem::path temporary() const {
        std::filesystem::create_directories(folder_ / "tmp");
        return folder_ / "tmp";
    }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return (folder_ / name).string();
    }
    /// Twelve pairs: what is chosen is short, what is rejected is long.
    std::string write_pairs() const {
        std::string text;
        for (int i = 0; i < 12; ++i) {
            text += nlohmann::json{{"prompt", "Question " + std::to_string(i) + "?"},
                                   {"chosen", "Yes " + std::to_string(i)},
                                   {"rejected", "That is a long story, number " + std::to_string(i)}}
                        .dump() +
                    "\n";
        }
        return write("pairs.jsonl", text);
    }
    /// Names in `folder`, sorted.
    static std::vector<std::string> names_in(const std::filesystem::path& folder) {
        std::vector<std::string> out;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            out.push_back(entry.path().filename().string());
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    const TempFolder folder_;
    std::string model_;
};

inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        out.push_back(line);
    }
    return out;
}

/// Every line of `out` as a JSON object; anything else on it is a failure.
inline std::vector<nlohmann::json> json_lines(const std::string& out) {
    std::vector<nlohmann::json> rows;
    for (const std::string& line : lines_of(out)) {
        rows.push_back(nlohmann::json::parse(line, nullptr, false));
        EXPECT_TRUE(rows.back().is_object()) << "not a JSON object: " << line;
    }
    EXPECT_TRUE(out.empty() || out.back() == '\n') << "the last line is cut";
    return rows;
}

/// `error: <operation>: <what>; <what to do>` on one line, apart from progress.
inline void expect_error_form(const ProcessResult& result) {
    std::vector<std::string> errors;
    for (const std::string& line : lines_of(result.err)) {
        if (!line.starts_with("progress: ")) {
            errors.push_back(line);
        }
    }
    ASSERT_EQ(errors.size(), 1U) << result.err;
    EXPECT_TRUE(errors[0].starts_with("error: ")) << errors[0];
    const std::size_t operation = errors[0].find(": ", 7);
    EXPECT_NE(operation, std::string::npos) << errors[0];
    EXPECT_NE(errors[0].find("; ", operation), std::string::npos) << errors[0];
}

}  // namespace plumbline::testing
