// What goes wrong is told with what to do, and leaves files and session as they were.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/lab/lab.h"
#include "tests/store/failing_disk.h"

namespace plumbline::testing {
namespace {

namespace fs = std::filesystem;

class Errors : public Lab {
  protected:
    std::vector<std::string> files() const {
        std::vector<std::string> out;
        for (const auto& entry : fs::directory_iterator(folder_.path())) {
            out.push_back(entry.path().filename().string());
        }
        std::sort(out.begin(), out.end());
        return out;
    }
    /// A project with two votes, closed, on a model of its own.
    void make_project() {
        fs::copy_file(TinyModel::path(), model_);
        EngineDriver driver(one_thread());
        NewSession start = new_session();
        start.model = model_.string();
        driver.after(start);
        driver.vote(Choice::left);
        driver.vote(Choice::right);
    }
    std::string failure_of_opening(const std::string& where = "") const {
        EngineDriver driver(one_thread());
        const std::string message = driver.failure_of(OpenSession{project(), where});
        EXPECT_EQ(driver.snapshot().activity, message.empty() ? Activity::idle : Activity::no_session);
        return message;
    }
    const fs::path model_ = folder_ / "model.gguf";
};

TEST_F(Errors, AnUnknownDeviceOrTypeIsAConfigError) {
    const auto with = [](const char* device, const char* dtype) {
        EngineOptions options = one_thread();
        options.device = device;
        options.dtype = dtype;
        return error_from([&] { Engine engine(options); });
    };
    EXPECT_EQ(with("cpu", "f32"), "");
    EXPECT_EQ(with("auto", "bf16"), "");
    EXPECT_EQ(with("tpu", "f32"), "settings: device 'tpu' is not known; choose auto, cpu, cuda or cuda:N");
    expect_error_form(with("cuda:3", "f32"), "device 'cuda:3' is not available");
    EXPECT_EQ(with("cpu", "int4"), "settings: dtype 'int4' is not known; choose f32 or bf16");
    EngineOptions options = one_thread();
    options.dtype = "int4";
    EXPECT_THROW(Engine{options}, ConfigError);
}

TEST_F(Errors, AModelThatIsNotThere) {
    EngineDriver driver(one_thread());
    NewSession start = new_session();
    start.model = (folder_ / "none.gguf").string();
    expect_error_form(driver.failure_of(start),
                      "open model: there is no model or file '" + start.model + "'");
    start.model = folder_.path().string();
    EXPECT_NE(driver.failure_of(start), "") << "a folder without a model";
    EXPECT_TRUE(files().empty()) << "no project is left behind";
}

TEST_F(Errors, AModelThatIsDamagedOrNotSupported) {
    EngineDriver driver(one_thread());
    NewSession start = new_session();
    start.model = model_.string();
    write_whole(model_, "not a model");
    EXPECT_NE(driver.failure_of(start).find("model.gguf"), std::string::npos);

    GgufWriter other;
    other.add_text("general.architecture", "mamba");
    other.write(model_);
    expect_error_form(driver.failure_of(start), "general.architecture 'mamba' is not supported");

    std::string cut = read_whole(TinyModel::path());
    write_whole(model_, cut.substr(0, cut.size() / 2));
    EXPECT_NE(driver.failure_of(start).find("model.gguf"), std::string::npos);
    EXPECT_EQ(files(), std::vector<std::string>{"model.gguf"});
    EXPECT_EQ(driver.snapshot().activity, Activity::no_session);
}

TEST_F(Errors, AProjectWhoseModelIsMissingOrChangedByOneByte) {
    make_project();
    const fs::path away = folder_ / "away.gguf";
    fs::rename(model_, away);
    expect_error_form(failure_of_opening(), "open project: its model " + model_.string() + " is missing");
    EXPECT_EQ(failure_of_opening(away.string()), "") << "where it was moved";
    EXPECT_EQ(failure_of_opening(), "") << "the project knows its new place";

    std::string bytes = read_whole(away);
    bytes[bytes.size() - 1] ^= 1;
    write_whole(away, bytes);
    expect_error_form(failure_of_opening(),
                      "open project: its model " + away.string() + " has changed (SHA-256 ");
    EXPECT_EQ(find_problems(project()), std::vector<std::string>());
    bytes[bytes.size() - 1] ^= 1;
    write_whole(away, bytes);
    EXPECT_EQ(failure_of_opening(), "");
}

TEST_F(Errors, AModelThatChangesWhileTheProgramRunsIsReadAgain) {
    make_project();
    const std::string whole = read_whole(model_);
    EngineDriver driver(one_thread());
    driver.after(OpenSession{project(), ""});
    driver.after(CloseSession{});
    std::string bytes = whole;
    bytes[bytes.size() - 1] ^= 1;
    write_whole(model_, bytes);
    fs::last_write_time(model_, fs::last_write_time(model_) + std::chrono::seconds(1));
    expect_error_form(driver.failure_of(OpenSession{project(), ""}), "has changed (SHA-256 ");
    expect_error_form(driver.failure_of(OpenSession{project(), ""}), "has changed (SHA-256 ");
    write_whole(model_, whole);
    fs::last_write_time(model_, fs::last_write_time(model_) + std::chrono::seconds(2));
    EXPECT_EQ(driver.failure_of(OpenSession{project(), ""}), "");
}

TEST_F(Errors, AModelPathIsKeptWhole) {
    const fs::path before = fs::current_path();
    fs::copy_file(TinyModel::path(), model_);
    NewSession start = new_session();
    start.model = "model.gguf";
    {
        fs::current_path(folder_.path());
        EngineDriver driver(one_thread());
        EXPECT_EQ(all_of<SessionOpened>(driver.after(start)).at(0).model.path,
                  fs::absolute("model.gguf").string());
        fs::current_path(before);
    }
    EXPECT_EQ(failure_of_opening(), "") << "from another folder";
}

TEST_F(Errors, AProjectOfANewerVersion) {
    make_project();
    run_sql(project(), "PRAGMA user_version = 999");
    expect_error_form(failure_of_opening(), "it was written by a newer Plumbline (file version 999");
}

TEST_F(Errors, AProjectThatIsOpenTwice) {
    make_project();
    EngineDriver first(one_thread());
    first.after(OpenSession{project(), ""});
    expect_error_form(failure_of_opening(), "open project: " + project() + " is open in another window");
    EXPECT_EQ(all_of<ClickDone>(first.vote(Choice::left)).size(), 1U) << "the first one is not disturbed";
    EXPECT_NE(error_from([&] { replayed(project()); }).find("is open in another window"), std::string::npos);
    first.after(CloseSession{});
    EXPECT_EQ(failure_of_opening(), "");
}

TEST_F(Errors, AProjectThatIsThereAlready) {
    make_project();
    const auto before = fs::file_size(project());
    EngineDriver driver(one_thread());
    expect_error_form(driver.failure_of(new_session()),
                      "create project: " + project() + ": there is a file of that name");
    EXPECT_EQ(fs::file_size(project()), before);
}

TEST_F(Errors, AFolderThatIsReadOnly) {
    const std::string model = TinyModel::path();
    fs::permissions(fs::path(model).parent_path(), fs::perms::all);
    fs::permissions(folder_.path(), fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                                        fs::perms::others_exec);
    if (geteuid() != 0) {
        EngineDriver driver(one_thread());
        expect_error_form(driver.failure_of(new_session()), "its folder is read-only");
    } else {  // root writes everywhere: the engine runs as nobody, in a process of its own
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        const pid_t child = fork();
        if (child == 0) {
            std::string text = "no rights were given up";
            if (setgid(65534) == 0 && setuid(65534) == 0) {
                EngineDriver driver(one_thread());
                text = driver.failure_of(new_session());
            }
            _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
        }
        close(ends[1]);
        std::string text(2000, '\0');
        const ssize_t size = read(ends[0], text.data(), text.size());
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        close(ends[0]);
        waitpid(child, nullptr, 0);
        expect_error_form(text, "its folder is read-only");
    }
    fs::permissions(folder_.path(), fs::perms::owner_all);
}

TEST_F(Errors, PromptsThatCannotBeUsedMakeNoProject) {
    EngineDriver driver(one_thread());
    expect_error_form(driver.failure_of(new_session(small_config(), {"Why?", std::string(400, 'x')})),
                      "exceeds the model's context of 256");
    expect_error_form(driver.failure_of(new_session(small_config(), {"Why?", " \t\n"})), "a prompt is empty");
    SessionConfig config = small_config();
    config.sampling.max_new_tokens = 4000;
    expect_error_form(driver.failure_of(new_session(config)), "exceeds the model's context of 256");
    config = small_config();
    config.lora.lora_first_block = 9;
    EXPECT_NE(driver.failure_of(new_session(config)), "") << "the model has four blocks";
    config = small_config();
    config.live.kl_limit = -1;
    expect_error_form(driver.failure_of(new_session(config)), "kl_limit");
    EXPECT_TRUE(files().empty()) << "not even half a project";
    EXPECT_EQ(all_of<PairReady>(driver.after(new_session())).size(), 1U);
}

TEST_F(Errors, AFailedStartLeavesTheOpenSession) {
    make_project();
    EngineDriver driver(one_thread());
    driver.after(OpenSession{project(), ""});
    const Pair shown = driver.shown();
    const std::uint64_t run = driver.snapshot().run;
    NewSession other = new_session(small_config(), {std::string(400, 'x')});
    other.project_path = project("other");
    EXPECT_NE(driver.failure_of(other), "");
    EXPECT_NE(driver.failure_of(new_session()), "") << "the file exists";
    EXPECT_NE(driver.failure_of(OpenSession{project("none"), ""}), "");
    const auto events = driver.vote(Choice::left);
    ASSERT_EQ(all_of<LabelRecorded>(events).size(), 1U);
    EXPECT_EQ(all_of<LabelRecorded>(events)[0].pair_id, shown.id);
    for (const Event& event : events) {
        EXPECT_EQ(event.run, run) << name_of(event);
    }
}

TEST_F(Errors, CommandsWithoutASession) {
    EngineDriver driver(one_thread());
    for (const Command& command :
         std::vector<Command>{SaveCopy{project("copy")}, AddPrompts{{"a"}, false}, RemovePrompt{1},
                              GoToPrompt{1}, SampleAgain{}, Vote{1, Choice::left}, Undo{},
                              ChangeConfig{small_config()}, Evaluate{"e", {"a"}, 1, 0}}) {
        expect_error_form(driver.failure_of(command), "no session is open");
    }
    EXPECT_EQ(all_of<SessionClosed>(driver.after(CloseSession{})).size(), 1U);
    EXPECT_TRUE(files().empty());
}

TEST_F(Errors, RowsThatDoNotFitAreNotComputedWith) {
    make_project();
    const std::string whole = read_whole(project());
    const auto damaged = [&](const std::string& sql) {
        write_whole(project(), whole);
        run_sql(project(), "DROP TRIGGER labels_stay; " + sql);
        return failure_of_opening();
    };
    // Floats and integers of four bytes; 0000c07f is not a number, ffffff7f a token far outside.
    expect_error_form(damaged("UPDATE candidates SET features = substr(features, 1, 12) WHERE id = 2"),
                      "reply 2 has 3 features, the model 32");
    expect_error_form(
        damaged("UPDATE candidates SET features = CAST(x'0000c07f' || substr(features, 5) AS BLOB) "
                "WHERE id = 2"),
        "reply 2 has a feature that is not a finite number");
    expect_error_form(damaged("UPDATE candidates SET logprobs = substr(logprobs, 5) WHERE id = 3"),
                      "reply 3 has 8 tokens but 7 log-probabilities");
    expect_error_form(damaged("UPDATE candidates SET reference_logprobs = CAST(x'0000c07f' || "
                              "substr(logprobs, 5) AS BLOB) WHERE id = 1"),
                      "reply 1 has a log-probability that is not a finite number");
    expect_error_form(
        damaged("UPDATE candidates SET ids = CAST(x'ffffff7f' || substr(ids, 5) AS BLOB) WHERE id = 1"),
        "reply 1 has the token 2147483647, not one of the model's 303");
    expect_error_form(
        damaged("UPDATE candidates SET ids = CAST(x'ffffffff' || substr(ids, 5) AS BLOB) WHERE id = 1"),
        "reply 1 has the token -1");
    expect_error_form(damaged("UPDATE generations SET prompt_id = 77 WHERE id = 1"),
                      "pair 1 belongs to prompt 77");
    expect_error_form(damaged("UPDATE generations SET left_id = 500 WHERE id = 1"), "pair 1 shows reply 500");
    expect_error_form(damaged("UPDATE labels SET generation_id = 88 WHERE id = 1"),
                      "label 1 belongs to pair 88");
    expect_error_form(damaged("UPDATE state_parts SET part = substr(part, 1, 100)"), "the file is damaged");
    expect_error_form(damaged("DELETE FROM checkpoints"), "it holds no checkpoint");
    write_whole(project(), whole);
    EXPECT_EQ(failure_of_opening(), "");
}

TEST_F(Errors, AFullDiskLosesNothing) {
    const FailingDisk disk;
    EngineDriver driver(one_thread(false));
    driver.after(new_session());
    driver.vote(Choice::left);
    const Pair shown = driver.shown();

    FailingDisk::writes_left = 0;
    expect_error_form(driver.failure_of(Vote{shown.id, Choice::right}), "the disk is full");
    EXPECT_EQ(driver.snapshot().labels, 1) << "what is not on the disk does not count";
    expect_error_form(driver.failure_of(Undo{}), "the disk is full");
    expect_error_form(driver.failure_of(AddPrompts{{"Who?"}, true}), "the disk is full");
    expect_error_form(driver.failure_of(RemovePrompt{3}), "the disk is full");
    expect_error_form(driver.failure_of(GoToPrompt{3}), "the disk is full");
    expect_error_form(driver.failure_of(SampleAgain{}), "the disk is full");
    SessionConfig config = small_config();
    config.blind = false;
    expect_error_form(driver.failure_of(ChangeConfig{config}), "the disk is full");

    FailingDisk::writes_left = FailingDisk::unlimited;
    EXPECT_EQ(driver.shown().id, shown.id);
    EXPECT_EQ(all_of<ClickDone>(driver.after(Vote{shown.id, Choice::right})).size(), 1U)
        << "the same vote again";
    EXPECT_EQ(driver.shown().prompt, "And then?") << "no prompt was passed over";

    // Room for the label, not for what is learned from it.
    driver.when<RewardFitted>([] { FailingDisk::writes_left = 0; });
    const auto events = driver.vote(Choice::left);
    std::string message;
    for (const JobEnded& ended : all_of<JobEnded>(events)) {
        message = ended.end == JobEnd::failed && ended.job.starts_with("Learning") ? ended.message : message;
    }
    expect_error_form(message, "the disk is full");
    EXPECT_TRUE(driver.snapshot().training_paused);
    EXPECT_EQ(driver.snapshot().pending_clicks, 1);
    EXPECT_EQ(driver.snapshot().policy_steps, 2);
    FailingDisk::writes_left = FailingDisk::unlimited;
    EXPECT_EQ(all_of<ClickDone>(driver.after(PauseTraining{false})).size(), 1U);
    driver.after(SampleAgain{});
    driver.vote(Choice::left);
    driver.after(CloseSession{});
    EXPECT_EQ(find_problems(project()), std::vector<std::string>());
    const ReplayChecked checked = replayed(project());
    EXPECT_TRUE(checked.equal) << checked.first_difference;
}

TEST_F(Errors, AFullDiskAtTheStartLeavesNoProject) {
    for (const int writes : {0, 3, 12}) {
        const FailingDisk disk;
        EngineDriver driver(one_thread(false));
        FailingDisk::writes_left = writes;
        expect_error_form(driver.failure_of(new_session()), "the disk is full");
        FailingDisk::writes_left = FailingDisk::unlimited;
        EXPECT_TRUE(files().empty()) << writes << " writes: " << files().front();
    }
}

}  // namespace
}  // namespace plumbline::testing
