// A chat template of a person's own, and where BOS stands.

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

const std::string own_template =
    "{% for m in messages %}{{ m.role ~ ': ' ~ m.content ~ '\n' }}{% endfor %}{{ 'assistant:' }}";

class OwnTemplate : public Lab {};

TEST_F(OwnTemplate, ReplacesTheModels) {
    const auto model = TinyModel::opened();
    const auto own = model->with_chat_template(own_template);
    EXPECT_EQ(own->info().chat_template, "turns");
    EXPECT_EQ(own->tokenizer().decode(own->chat_prompt("Be kind", "Why?")), "system: Be kind\nuser: Why?\nassistant:");
    EXPECT_EQ(model->info().chat_template, "chatml") << "the model itself stays";
    EXPECT_EQ(&own->decoder(), &model->decoder()) << "no second copy of the weights";
}

TEST_F(OwnTemplate, ThatDoesNotWorkIsRefusedWithItsLine) {
    expect_error_form(error_from([] { TinyModel::opened()->with_chat_template("a\n{% if x"); }), "line 2");
    SessionConfig config = small_config();
    config.chat_template = "{{ messages[0].contents }}";
    expect_error_form(error_from([&] { LabSession(project(), config); }), "leaves out what the user writes");
    EXPECT_FALSE(std::filesystem::exists(project()));
}

TEST_F(OwnTemplate, IsKeptByTheProjectAndReplayed) {
    SessionConfig config = small_config();
    config.chat_template = own_template;
    {
        LabSession session(project(), config);
        session.click({Choice::left, Choice::right});
    }
    {
        LabSession session(project());
        EXPECT_EQ(session->config().chat_template, own_template);
        session.click({Choice::left});
        SessionConfig other = config;
        other.chat_template.clear();
        expect_error_form(error_from([&] { session->change_config(other); }), "chat template is fixed");
    }
    EXPECT_EQ(ProjectFile::open(project())->model().chat_template, "turns");
    const ReplayChecked replay = replayed(project());
    EXPECT_TRUE(replay.equal) << replay.first_difference;

    // The twin: with the model's own template the same clicks give other weights.
    LabSession twin(project("twin"), small_config());
    twin.click({Choice::left, Choice::right, Choice::left});
    EXPECT_NE(twin->weights_hash(), LabSession(project())->weights_hash());
}

TEST_F(OwnTemplate, IsUsedByOneShotWork) {
    EngineOptions own = one_thread();
    own.chat_template = own_template;
    const std::vector<ScoreRequest> messages = {{std::vector<Message>{{"user", "Why?"}}, std::string(" So")}};
    const std::vector<ScoreRequest> text = {{std::string("user: Why?\nassistant:"), std::string(" So")}};
    const double sum = logprobs(TinyModel::path(), "", messages, own, {})[0].sum;
    EXPECT_EQ(sum, logprobs(TinyModel::path(), "", text, own, {})[0].sum);
    EXPECT_NE(sum, logprobs(TinyModel::path(), "", messages, one_thread(), {})[0].sum);
}

TEST_F(OwnTemplate, WritesBosOnceAndPlainTextGetsIt) {
    const std::string flag = "tokenizer.ggml.add_bos_token";
    std::string bytes = tiny_model(5).bytes();
    bytes[bytes.find(flag) + flag.size() + 4] = 1;   // behind the key stands the value's type
    const std::string path = (folder_ / "bos.gguf").string();
    write_whole(path, bytes);
    const auto model = LanguageModel::open(path, Precision::f32, {}, {});
    const int bos = model->tokenizer().bos();
    const std::string bos_text(model->tokenizer().bytes_of(bos));
    ASSERT_TRUE(model->tokenizer().adds_bos());
    const auto count = [&](const std::vector<int>& ids) { return std::count(ids.begin(), ids.end(), bos); };

    EXPECT_EQ(count(model->plain_prompt("Hi")), 1);
    EXPECT_EQ(model->plain_prompt(bos_text + "Hi"), model->plain_prompt("Hi")) << "not a second one";
    const auto writes = model->with_chat_template("{{ bos_token }}" + own_template);
    EXPECT_EQ(count(writes->chat_prompt("", "Hi")), 1);
    EXPECT_EQ(writes->chat_prompt("", "Hi").front(), bos);
    const auto leaves = model->with_chat_template(own_template);
    EXPECT_EQ(count(leaves->chat_prompt("", "Hi")), 0) << "a template says all that stands in front";
}

}  // namespace
}  // namespace plumbline::testing
