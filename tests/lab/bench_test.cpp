// What a measurement counts, what of its settings the foretold memory knows, and what is refused.

#include <cmath>
#include <string>
#include <vector>

#include "core/lab/memory_check.h"
#include "tests/lab/tiny_lab.h"

namespace plumbline::testing {
namespace {

BenchConfig small() {
    BenchConfig config;
    config.repeats = 1;
    config.candidates = 2;
    config.max_new_tokens = 3;
    config.pairs = 1;
    config.pair_tokens = 7;
    return config;
}

BenchResult run(BenchWhat what, const BenchConfig& config, std::int64_t memory_limit = 0) {
    EngineOptions options = one_thread();
    options.memory_limit = memory_limit;
    return bench(what, TinyModel::path(), config, options, {});
}

/// Of the one measured step.
double tokens(const BenchResult& result) {
    return std::round(result.tokens_per_s * result.step_median);
}

TEST(Bench, CountsTheRepliesThatItWasAskedFor) {
    for (const BenchWhat what : {BenchWhat::sample, BenchWhat::rloo}) {
        BenchConfig config = small();
        config.candidates = 3;
        config.max_new_tokens = 5;
        EXPECT_EQ(tokens(run(what, config)), 3 * 5);
    }
    BenchConfig one = small();
    one.candidates = 1;
    EXPECT_EQ(tokens(run(BenchWhat::sample, one)), 3);
}

TEST(Bench, CountsBothRepliesOfEveryPair) {
    BenchConfig config = small();
    config.pairs = 3;
    config.pair_tokens = 11;
    for (const BenchWhat what :
         {BenchWhat::reward, BenchWhat::dpo, BenchWhat::simpo, BenchWhat::kto, BenchWhat::sft}) {
        EXPECT_EQ(tokens(run(what, config)), 3 * 2 * 11) << static_cast<int>(what);
    }
    config.pair_tokens = 2;  // the least: a token of prompt, a token of reply
    EXPECT_EQ(tokens(run(BenchWhat::dpo, config)), 3 * 2 * 2);
}

TEST(Bench, MeasuresRowsOfTheWholeContextAndNoLonger) {
    const TinySizes sizes;
    BenchConfig config = small();
    config.prompt_tokens = sizes.context - config.max_new_tokens;
    EXPECT_EQ(tokens(run(BenchWhat::sample, config)), 2 * 3);
    config.pair_tokens = sizes.context;
    EXPECT_EQ(tokens(run(BenchWhat::dpo, config)), 2 * sizes.context);
    EXPECT_EQ(tokens(run(BenchWhat::logprobs, config)), sizes.context - 1) << "512 tokens where they fit";

    config.prompt_tokens += 1;
    config.pair_tokens += 1;
    for (const BenchWhat what : {BenchWhat::sample, BenchWhat::rloo, BenchWhat::dpo}) {
        try {
            run(what, config);
            FAIL() << "it was let through";
        } catch (const Error& error) {
            EXPECT_STREQ(error.what(),
                         "bench: rows of 257 tokens exceed the model's context of 256; choose shorter "
                         "prompts, replies or pairs");
        }
    }
}

TEST(Bench, NamesTheSettingThatIsOutOfRange) {
    struct Range {
        const char* name;
        int BenchConfig::*field;
        int least, most;
    };
    const std::vector<Range> ranges = {{"repeats", &BenchConfig::repeats, 1, 1000},
                                       {"candidates", &BenchConfig::candidates, 1, 256},
                                       {"max_new_tokens", &BenchConfig::max_new_tokens, 1, 4096},
                                       {"prompt_tokens", &BenchConfig::prompt_tokens, 1, 65536},
                                       {"pairs", &BenchConfig::pairs, 1, 256},
                                       {"pair_tokens", &BenchConfig::pair_tokens, 2, 65536},
                                       {"lora_rank", &BenchConfig::lora_rank, 1, 256}};
    const auto expect_refused = [](const Range& range, int value, int least, BenchWhat what) {
        BenchConfig config;
        config.*range.field = value;
        try {
            validate(config, what);
            ADD_FAILURE() << range.name << " of " << value << " was let through";
        } catch (const ConfigError& error) {
            EXPECT_EQ(error.what(), std::string("bench: ") + range.name + " is " + std::to_string(value) +
                                        "; choose " + std::to_string(least) + ".." +
                                        std::to_string(range.most));
        }
    };
    for (const Range& range : ranges) {
        for (const int value : {range.least, range.most}) {
            BenchConfig config;
            config.*range.field = value;
            EXPECT_NO_THROW(validate(config, BenchWhat::sample)) << range.name << ' ' << value;
        }
        expect_refused(range, range.least - 1, range.least, BenchWhat::sample);
        expect_refused(range, range.most + 1, range.least, BenchWhat::sample);
    }
    expect_refused(ranges[1], 1, 2, BenchWhat::rloo);  // it compares replies with each other
}

/// The figure of the refusal, MB.
int refused_with(BenchWhat what, const BenchConfig& config) {
    try {
        run(what, config, 1'000'000);
    } catch (const Error& error) {
        const std::string text = error.what(), before = "bench: this needs about ";
        if (text.starts_with(before)) {
            return std::stoi(text.substr(before.size()));
        }
        ADD_FAILURE() << text;
    }
    return 0;
}

TEST(Bench, ForetellsMoreForALargerWork) {
    const auto expect_grows = [](BenchWhat what, int BenchConfig::*field, int larger) {
        BenchConfig config = small();
        const int usual = refused_with(what, config);
        EXPECT_GT(usual, 0);
        config.*field = larger;
        EXPECT_GT(refused_with(what, config), usual) << larger;
    };
    expect_grows(BenchWhat::sample, &BenchConfig::candidates, 256);
    expect_grows(BenchWhat::rloo, &BenchConfig::prompt_tokens, 200);
    expect_grows(BenchWhat::rloo, &BenchConfig::max_new_tokens, 200);
    expect_grows(BenchWhat::dpo, &BenchConfig::pair_tokens, 200);
    for (const BenchWhat what : {BenchWhat::reward, BenchWhat::dpo, BenchWhat::grpo}) {
        expect_grows(what, &BenchConfig::lora_rank, 256);
    }
}

TEST(Bench, ReportsTheForecastThatItWasLetThroughWith) {
    BenchConfig config = small();
    config.lora_rank = 256;
    const double megabytes = run(BenchWhat::dpo, config).forecast_mb * (1 << 20) / 1e6;
    EXPECT_EQ(std::lround(megabytes), refused_with(BenchWhat::dpo, config));
}

}  // namespace
}  // namespace plumbline::testing
