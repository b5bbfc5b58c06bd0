// A project whose model has other tokens or another template than its replies were made with does not go on.

#include "tests/lab/lab.h"
#include "tests/support/golden_file.h"

namespace plumbline::testing {
namespace {

namespace fs = std::filesystem;

const std::string usual = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>";

class SameModel : public Lab {
  protected:
    SameModel() {
        fs::copy(golden_path("families/qwen2"), model_, fs::copy_options::recursive);
        write_whole(chat_template_, usual);
        EngineDriver driver(one_thread());
        NewSession start = new_session(small_config(), {"the hat"});
        start.model = model_.string();
        EXPECT_EQ(driver.failure_of(start), "");
        driver.vote(Choice::left);
    }
    std::string failure_of_opening() const {
        EngineDriver driver(one_thread());
        return driver.failure_of(OpenSession{project(), ""});
    }
    const fs::path model_ = folder_ / "model", chat_template_ = model_ / "chat_template.jinja";
};

TEST_F(SameModel, HasTheTemplateThatTheRepliesAnswerTo) {
    EXPECT_EQ(failure_of_opening(), "");
    write_whole(chat_template_, "{% for m in messages %}\n[{{ m.role }}]{{ m.content }}{% endfor %}<assistant>");
    const std::string other = "its model " + model_.string() + " has another chat template";
    expect_error_form(failure_of_opening(), "open project: " + other);
    expect_error_form(error_from([&] { replayed(project()); }), "replay: " + other);
    EXPECT_EQ(find_problems(project()), std::vector<std::string>());
    write_whole(chat_template_, "{# the same in other words #}" + usual);
    EXPECT_EQ(failure_of_opening(), "") << "dialogues are what counts";
    EXPECT_TRUE(replayed(project()).equal);
}

TEST_F(SameModel, HasTheTokensOfTheReplies) {
    const std::string before = read_whole(model_ / "tokenizer.json");
    std::string after = before;
    const std::string two = R"("A":35,"B":36)";
    ASSERT_NE(after.find(two), std::string::npos);
    after.replace(after.find(two), two.size(), R"("A":36,"B":35)");
    write_whole(model_ / "tokenizer.json", after);
    expect_error_form(failure_of_opening(), "has other tokens than the project's replies");
    write_whole(model_ / "tokenizer.json", before);
    EXPECT_EQ(failure_of_opening(), "");
}

TEST_F(SameModel, IsReadAgainWhenAFileOfItsFolderChanges) {
    EngineDriver driver(one_thread());
    EXPECT_EQ(driver.failure_of(OpenSession{project(), ""}), "");
    driver.after(CloseSession{});
    write_whole(chat_template_, "other {{ messages[-1].content }}");
    fs::last_write_time(chat_template_, fs::last_write_time(chat_template_) + std::chrono::seconds(1));
    expect_error_form(driver.failure_of(OpenSession{project(), ""}), "has another chat template");
}

TEST_F(SameModel, MayHaveAnyTemplateBesideASessionsOwn) {
    SessionConfig config = small_config();
    config.chat_template = usual;
    NewSession start = new_session(config, {"the hat"});
    start.model = model_.string();
    start.project_path = project("own");
    {
        EngineDriver driver(one_thread());
        EXPECT_EQ(driver.failure_of(start), "");
    }
    write_whole(chat_template_, "other {{ messages[-1].content }}");
    EngineDriver driver(one_thread());
    EXPECT_EQ(driver.failure_of(OpenSession{project("own"), ""}), "");
}

}  // namespace
}  // namespace plumbline::testing
