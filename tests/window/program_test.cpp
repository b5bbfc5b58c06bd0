// The program as it is started: its command line, its window, its end.

#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace plumbline::testing {
namespace {

ProcessSetup program(const TempFolder& folder, std::vector<std::string> arguments) {
    ProcessSetup setup;
    setup.command = {PLUMBLINE_PROGRAM};
    setup.command.insert(setup.command.end(), arguments.begin(), arguments.end());
    setup.environment = {"QT_QPA_PLATFORM=offscreen", "PLUMBLINE_DATA_DIR=" + folder.path().string(),
                         "XDG_CONFIG_HOME=" + folder.path().string(),
                         "XDG_RUNTIME_DIR=" + folder.path().string(), "TMPDIR=" + folder.path().string()};
    return setup;
}

ProcessResult run(const TempFolder& folder, std::vector<std::string> arguments) {
    return ChildProcess(program(folder, std::move(arguments))).wait();
}

TEST(Program, TellsItsVersion) {
    const TempFolder folder;
    const ProcessResult result = run(folder, {"--version"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.out, "plumbline " PLUMBLINE_VERSION "\n");
}

TEST(Program, HelpNamesEveryOption) {
    const TempFolder folder;
    const ProcessResult result = run(folder, {"--help"});
    EXPECT_EQ(result.exit_code, 0);
    for (const char* option : {"PROJECT", "--model", "--theme", "--threads", "--device", "--dtype", "--demo",
                               "--clicks", "--out", "--version"}) {
        EXPECT_NE(result.out.find(option), std::string::npos) << option;
    }
}

TEST(Program, WrongOptionsAreUsageErrors) {
    const TempFolder folder;
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--no-such-option"},
                                                      {"--theme", "purple"},
                                                      {"--dtype", "int3"},
                                                      {"--clicks", "0"},
                                                      {"a.plumb", "b.plumb"}}) {
        EXPECT_EQ(run(folder, arguments).exit_code, 2) << arguments[0];
    }
}

TEST(Program, ADeviceThatIsNotThereIsAnError) {
    const TempFolder folder;
    const ProcessResult result = run(folder, {"--device", "abacus"});
    EXPECT_NE(result.exit_code, 0);
    EXPECT_EQ(result.err.find("error: "), result.err.find("error"));
    EXPECT_NE(result.err.find("abacus"), std::string::npos) << result.err;
}

TEST(Program, CtrlCEndsIt) {
    const TempFolder folder;
    ChildProcess child(program(folder, {}));
    ASSERT_TRUE(child.handles(SIGINT));
    child.send(SIGINT);
    EXPECT_EQ(child.wait().exit_code, 130);
}

TEST(Program, TheDemoSaysThatItsModelIsMissing) {
    const TempFolder folder;
    const ProcessResult result = run(folder, {"--demo", "--out", (folder / "demo").string()});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.err.find("smollm2-135m-instruct"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("packaging/run.sh"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace plumbline::testing
