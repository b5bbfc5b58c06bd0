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
