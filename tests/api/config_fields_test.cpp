#include "core/api/config_fields.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "core/api/errors.h"

namespace plumbline {
namespace {

template <class Config>
class EveryConfig : public ::testing::Test {};
using Configs = ::testing::Types<SftConfig, RewardConfig, DpoConfig, IpoConfig, CdpoConfig, RobustDpoConfig,
                                 HingeConfig, KtoConfig, OrpoConfig, SimpoConfig, PpoConfig, RlooConfig,
                                 GrpoConfig, ReinforceConfig, SessionConfig>;
TYPED_TEST_SUITE(EveryConfig, Configs);

TYPED_TEST(EveryConfig, DefaultsAreInRangeAndReadBack) {
    TypeParam config;
    EXPECT_NO_THROW(validate(config));
    std::set<std::string> keys;
    for (const FieldInfo& field : describe<TypeParam>()) {
        EXPECT_TRUE(keys.insert(field.key).second) << field.key << " stands twice";
        EXPECT_FALSE(field.help.empty()) << field.key;
        EXPECT_NO_THROW(set_field(config, field.key, field.value)) << field.key << " = " << field.value;
    }
    for (std::size_t i = 0; i < fields<TypeParam>().size(); ++i) {
        EXPECT_EQ(fields<TypeParam>()[i].get(config), describe<TypeParam>()[i].value);
    }
}

TYPED_TEST(EveryConfig, NumbersEndAtTheirBounds) {
    for (const Field<TypeParam>& field : fields<TypeParam>()) {
        const std::string range(field.range);
        const std::size_t dots = range.find("..");
        if (dots == std::string::npos) {
            continue;
        }
        TypeParam config;
        if constexpr (std::is_same_v<TypeParam, SessionConfig>) {
            config.sampling.candidates = field.key == "shown" ? 16 : config.sampling.candidates;   // enough to show
        }
        const std::string least = range.substr(0, dots);
        const std::string most = range.substr(dots + 2);
        EXPECT_TRUE(field.set(config, least)) << field.key;
        EXPECT_NO_THROW(validate(config)) << field.key;
        EXPECT_TRUE(field.set(config, most)) << field.key;
        EXPECT_NO_THROW(validate(config)) << field.key;
        EXPECT_FALSE(field.set(config, most + "1")) << field.key;
        const std::string below = least[0] == '-' ? least + "1" : "-1";
        EXPECT_FALSE(field.set(config, below)) << field.key << " = " << below;
        EXPECT_FALSE(field.set(config, "")) << field.key;
        EXPECT_FALSE(field.set(config, least + "x")) << field.key;
        EXPECT_FALSE(field.set(config, "nan")) << field.key;
        EXPECT_EQ(std::stod(field.get(config)), std::stod(most))
            << field.key << ": a refused value must not stay";
    }
}

TEST(SetField, ReachesTheMember) {
    SessionConfig session;
    set_field(session, "algorithm", "rloo");
    set_field(session, "pair_choice", "random");
    set_field(session, "lora_rank", "12");
    set_field(session, "ridge", "2.5");
    set_field(session, "kl_limit", "6");
    set_field(session, "blind", "false");
    set_field(session, "system_prompt", "Be brief.\nBe kind.");
    set_field(session, "seed", "18446744073709551615");
    EXPECT_EQ(session.live.algorithm, Algorithm::rloo);
    EXPECT_EQ(session.sampling.pair_choice, PairChoice::random);
    EXPECT_EQ(session.lora.lora_rank, 12);
    EXPECT_EQ(session.reward.ridge, 2.5);
    EXPECT_EQ(session.live.kl_limit, 6);
    EXPECT_FALSE(session.blind);
    EXPECT_EQ(session.system_prompt, "Be brief.\nBe kind.");
    EXPECT_EQ(session.seed, std::numeric_limits<std::uint64_t>::max());

    DpoConfig dpo;
    set_field(dpo, "schedule", "cosine");
    set_field(dpo, "lr", "3e-4");
    set_field(dpo, "shuffle", "false");
    EXPECT_EQ(dpo.schedule, Schedule::cosine);
    EXPECT_EQ(dpo.lr, 3e-4);
    EXPECT_FALSE(dpo.shuffle);
}

template <class Call>
std::string message_of(Call call) {
    try {
        call();
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no ConfigError";
}

TEST(SetField, SaysWhatIsRight) {
    DpoConfig dpo;
    EXPECT_EQ(message_of([&] { set_field(dpo, "lr", "20"); }), "settings: lr is '20'; use 0..10");
    EXPECT_EQ(message_of([&] { set_field(dpo, "schedule", "sine"); }),
              "settings: schedule is 'sine'; use constant|linear|cosine");
    EXPECT_EQ(message_of([&] { set_field(dpo, "batch_size", "1.5"); }),
              "settings: batch_size is '1.5'; use 1..1024");
    const std::string unknown = message_of([&] { set_field(dpo, "learning_rate", "1"); });
    EXPECT_EQ(unknown.rfind("settings: there is no key 'learning_rate'; use one of lr, batch_size,", 0), 0U)
        << unknown;
    EXPECT_NE(unknown.find("beta"), std::string::npos);
    EXPECT_LT(message_of([&] { set_field(dpo, "lr", std::string(100000, '9')); }).size(), 200U);
}

TEST(Validate, NamesTheFirstWrongField) {
    LoraConfig lora;
    lora.lora_rank = 0;
    EXPECT_EQ(message_of([&] { validate(lora); }), "settings: lora_rank is 0; use 1..256");

    SamplingConfig sampling;
    sampling.candidates = 1;
    EXPECT_EQ(message_of([&] { validate(sampling); }), "settings: candidates is 1; use 2..16");

    SessionConfig session;
    session.live.kl_limit = std::nan("");
    EXPECT_EQ(message_of([&] { validate(session); }), "settings: kl_limit is nan; use 0.1..1000");
    session = {};
    session.live.algorithm = static_cast<Algorithm>(14);
    EXPECT_EQ(message_of([&] { validate(session); }).rfind("settings: algorithm is 14; use dpo|cdpo|", 0), 0U);
    session = {};
    session.sampling.shown = 5;
    EXPECT_EQ(message_of([&] { validate(session); }),
              "settings: shown is 5 but candidates is 4; draw as many as are shown");
    session = {};
    session.system_prompt.assign(20001, 'a');
    EXPECT_EQ(message_of([&] { validate(session); }).rfind("settings: system_prompt is aaa", 0), 0U);
    session.system_prompt.pop_back();
    EXPECT_NO_THROW(validate(session));

    RlooConfig rloo;
    rloo.temperature = 0;
    EXPECT_EQ(message_of([&] { validate(rloo); }), "settings: temperature is 0; use 0.05..5");
}

TEST(Describe, WritesNumbersThatReadBackExactly) {
    DpoConfig dpo;
    for (const double lr : {1e-4, 0.1 + 0.2, 1e-12, 3.3333333333333335e-7, 0.0, 10.0}) {
        dpo.lr = lr;
        DpoConfig again;
        set_field(again, "lr", describe(dpo)[0].value);
        EXPECT_EQ(again.lr, lr) << describe(dpo)[0].value;
    }
    dpo.lr = 1e-4;
    EXPECT_EQ(describe(dpo)[0].value, "0.0001");
}

}  // namespace
}  // namespace plumbline
