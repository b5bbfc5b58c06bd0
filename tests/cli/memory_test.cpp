// What `info` foretells of memory against what `bench` measures of it.

#include <cmath>

#include "tests/cli/command_line.h"
#include "tests/support/golden_file.h"

namespace plumbline::testing {
namespace {

class Memory : public CommandLine {
  protected:
    /// Measured over foretold.
    double ratio(const std::string& model, const std::string& what, const std::string& dtype) const {
        const auto info = json_lines(run({"info", model, "--dtype", dtype, "--json"}).out);
        const ProcessResult bench = run({"bench", what, model, "--dtype", dtype, "--repeats", "1",
                                         "--threads", "2", "--json", "--quiet"});
        EXPECT_EQ(bench.exit_code, 0) << bench.err;
        const double measured = json_lines(bench.out).at(0).at("rss_mb").get<double>() * (1 << 20);
        return measured / info.at(0).at("peak_bytes").at(what).get<double>();
    }
    void expect_foretold(const std::string& model, const std::string& what, const std::string& dtype) const {
        const double found = ratio(model, what, dtype);
        EXPECT_NEAR(found, 1, 0.15) << what << " in " << dtype;
        EXPECT_GT(std::abs(found / 1.35 - 1), 0.15) << "a figure a third larger would be wrong";
    }
};

TEST_F(Memory, OfATinyModelIsForetold) {
    for (const char* what : {"sample", "reward", "dpo", "rloo"}) {
        expect_foretold("courtesy", what, "f32");
    }
}

// Other settings than the usual ones reach both the work and its forecast.
TEST_F(Memory, IsForetoldForTheSizesAskedFor) {
    const auto figures = [&](const std::string& rank, const std::string& tokens) {
        const ProcessResult bench = run({"bench", "dpo", "courtesy", "--lora-rank", rank, "--pair-tokens",
                                         tokens, "--repeats", "1", "--threads", "2", "--json", "--quiet"});
        EXPECT_EQ(bench.exit_code, 0) << bench.err;
        const auto row = json_lines(bench.out).at(0);
        return std::pair(row.at("rss_mb").get<double>(), row.at("forecast_mb").get<double>());
    };
    const auto [least, least_foretold] = figures("1", "8");
    const auto [most, most_foretold] = figures("256", "256");
    EXPECT_NEAR(most / most_foretold, 1, 0.15);
    EXPECT_GT(std::abs(most / (1.35 * most_foretold) - 1), 0.15) << "a figure a third larger would be wrong";
    EXPECT_GT(most_foretold - least_foretold, 20);
    EXPECT_GT(most - least, (most_foretold - least_foretold) / 2) << "MiB that the larger work holds";
}

TEST_F(Memory, OfSmolLm2IsForetold) {
    const auto path = installed_smollm2();
    if (!path) {
        GTEST_SKIP() << "SmolLM2 is not installed";
    }
    expect_foretold(path->string(), "dpo", "f32");
    for (const char* what : {"sample", "dpo", "rloo"}) {
        expect_foretold(path->string(), what, "bf16");
    }
}

}  // namespace
}  // namespace plumbline::testing
