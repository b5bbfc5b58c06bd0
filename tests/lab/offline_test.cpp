// One-shot work: replies, log-probabilities, rewards.

#include <cmath>
#include <map>

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Offline : public Lab {
  protected:
    static GenerateRequest request(int n = 3) {
        GenerateRequest out;
        out.prompt = "Why the";
        out.n = n;
        out.seed = 4;
        out.sampling.max_new_tokens = 10;
        out.sampling.top_p = 1;
        out.sampling.temperature = 1;
        return out;
    }
    static std::vector<GenerateResult> generated(const GenerateRequest& request,
                                                 const std::string& adapter = "") {
        return generate(TinyModel::path(), adapter, request, one_thread(), {}, {});
    }
    static std::vector<LogprobsResult> scored(const std::vector<ScoreRequest>& requests,
                                              const std::string& adapter = "") {
        return logprobs(TinyModel::path(), adapter, requests, one_thread(), {});
    }
};

std::string texts(const std::vector<GenerateResult>& results) {
    std::string out;
    for (const GenerateResult& result : results) {
        out += result.text + "\n";
    }
    return out;
}

TEST_F(Offline, GenerateStreamsWhatItReturns) {
    std::map<int, std::string> streamed;
    const auto results = generate(TinyModel::path(), "", request(), one_thread(), {},
                                  [&](int sample, const std::string& part) { streamed[sample] += part; });
    ASSERT_EQ(results.size(), 3U);
    for (int i = 0; i < 3; ++i) {
        const GenerateResult& result = results[i];
        EXPECT_EQ(result.sample, i);
        EXPECT_EQ(streamed[i], result.text);
        EXPECT_EQ(result.ids.size(), result.logprobs.size());
        if (result.finish == Finish::length) {
            EXPECT_EQ(result.ids.size(), 10U);
        } else {
            EXPECT_EQ(result.ids.back(), 2) << "EOS is one of its tokens";
        }
        for (const double l : result.logprobs) {
            EXPECT_LT(l, 0);
        }
    }
}

TEST_F(Offline, GenerateIsAFunctionOfItsSeed) {
    const std::string first = texts(generated(request()));
    EXPECT_EQ(texts(generated(request())), first);
    EXPECT_TRUE(first.starts_with(texts(generated(request(2))))) << "whatever is drawn beside it";
    GenerateRequest other = request();
    other.seed = 5;
    EXPECT_NE(texts(generated(other)), first);
    other = request();
    other.chat = true;
    const std::string chat = texts(generated(other));
    EXPECT_NE(chat, first) << "through the template";
    other.system_prompt = "Be kind";
    EXPECT_NE(texts(generated(other)), chat);
    GenerateRequest greedy = request(2);
    greedy.sampling.temperature = 0;
    const auto same = generated(greedy);
    EXPECT_EQ(same[0].text, same[1].text);
}

TEST_F(Offline, LogprobsAreThoseOfSampling) {
    const auto results = generated(request());
    std::vector<ScoreRequest> requests;
    for (const GenerateResult& result : results) {
        requests.push_back({std::string("Why the"), result.ids});
    }
    const auto scores = scored(requests);
    ASSERT_EQ(scores.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(scores[i].ids, results[i].ids);
        double sum = 0, worst = 0;
        for (std::size_t t = 0; t < results[i].logprobs.size(); ++t) {
            worst = std::max(worst, std::abs(scores[i].logprobs[t] - results[i].logprobs[t]));
            sum += scores[i].logprobs[t];
        }
        EXPECT_LT(worst, 1e-5);
        EXPECT_NEAR(scores[i].sum, sum, 1e-9);
    }
    // The twin: at another temperature the same tolerance is passed by far.
    GenerateRequest warm = request();
    warm.sampling.temperature = 1.001;
    const auto warmer = generated(warm);
    const auto plain = scored({{std::string("Why the"), warmer[0].ids}});
    double worst = 0;
    for (std::size_t t = 0; t < warmer[0].logprobs.size(); ++t) {
        worst = std::max(worst, std::abs(plain[0].logprobs[t] - warmer[0].logprobs[t]));
    }
    EXPECT_GT(worst, 1e-5);
}

TEST_F(Offline, RequestsAsTextMessagesAndIdsAgree) {
    const auto ids = tokenize(TinyModel::path(), {"Why the", " answer"});
    const auto by_text = scored({{std::string("Why the"), std::string(" answer")}});
    const auto by_ids = scored({{ids[0].ids, ids[1].ids}});
    EXPECT_EQ(by_text[0].ids, ids[1].ids);
    EXPECT_EQ(by_text[0].sum, by_ids[0].sum);
    const auto by_messages =
        scored({{std::vector<Message>{{"system", "Hi"}, {"user", "Why"}}, std::string("So")}});
    const auto rendered = tokenize(
        TinyModel::path(),
        {"<|im_start|>system\nHi<|im_end|>\n<|im_start|>user\nWhy<|im_end|>\n<|im_start|>assistant\n", "So"});
    EXPECT_EQ(by_messages[0].sum, scored({{rendered[0].ids, rendered[1].ids}})[0].sum);
}

TEST_F(Offline, WrongRequestsSaySo) {
    const auto generating = [](const std::function<void(GenerateRequest&)>& change) {
        GenerateRequest wrong = request();
        change(wrong);
        return error_from([&] { generated(wrong); });
    };
    expect_error_form(generating([](GenerateRequest& r) { r.n = 0; }), "generate: n 0 is out of range");
    expect_error_form(generating([](GenerateRequest& r) { r.n = 257; }), "generate: n 257 is out of range");
    expect_error_form(generating([](GenerateRequest& r) { r.sampling.temperature = -1; }), "temperature");
    expect_error_form(generating([](GenerateRequest& r) { r.sampling.max_new_tokens = 0; }),
                      "max_new_tokens");
    expect_error_form(generating([](GenerateRequest& r) { r.prompt = ""; }), "the prompt is empty");
    expect_error_form(generating([](GenerateRequest& r) { r.prompt = std::string(400, 'x'); }),
                      "exceeds the model's context of 256");
    EXPECT_NE(error_from([] { generated(request(), "/no/such/adapter"); }).find("/no/such/adapter"),
              std::string::npos);

    const auto scoring = [](const ScoreRequest& wrong) { return error_from([&] { scored({wrong}); }); };
    expect_error_form(scoring({std::vector<int>{1, 303}, std::vector<int>{5}}),
                      "token 303 is not below the vocabulary's 303");
    expect_error_form(scoring({std::vector<int>{1}, std::vector<int>{-1}}), "token -1");
    expect_error_form(scoring({std::vector<int>{1}, std::vector<int>{}}), "the reply is empty");
    expect_error_form(scoring({std::string("Why"), std::string()}), "the reply is empty");
    expect_error_form(scoring({std::vector<int>(200, 50), std::vector<int>(57, 50)}),
                      "over the limit of 256");
    EXPECT_NE(scoring({std::vector<int>{}, std::vector<int>{5}}), "") << "nothing predicts the first token";
    EngineOptions options = one_thread();
    options.device = "tpu";
    EXPECT_THROW(generate(TinyModel::path(), "", request(), options, {}, {}), ConfigError);
}

TEST_F(Offline, AStopEndsItAtTheNextToken) {
    GenerateRequest longer = request();
    longer.sampling.max_new_tokens = 200;
    std::stop_source stop;
    int parts = 0;
    EXPECT_THROW(generate(TinyModel::path(), "", longer, one_thread(), {stop.get_token(), {}},
                          [&](int, const std::string&) {
                              ++parts;
                              stop.request_stop();
                          }),
                 Stopped);
    EXPECT_LE(parts, 3) << "the tokens of one step";
    EXPECT_THROW(logprobs(TinyModel::path(), "", {{std::string("a"), std::string("b")}}, one_thread(),
                          {stop.get_token(), {}}),
                 Stopped);
}

}  // namespace
}  // namespace plumbline::testing
