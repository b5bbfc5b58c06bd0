// The program as it is started: its command line, its window, its end.

#include <gtest/gtest.h>

#include <QImage>
#include <csignal>
#include <filesystem>
#include <set>

#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

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

TEST(Program, TheDemoClicksMeasuresAndPaints) {
    const TempFolder folder;
    const auto model = write_tiny_model(folder.path(), 3);
    const auto out = folder / "demo";
    // Replies of random weights differ in their length at least.
    const ProcessResult result = run(folder, {"--demo", "--model", model.string(), "--judge", "short",
                                              "--clicks", "2", "--threads", "1", "--out", out.string()});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    for (const char* part : {"before  short in ", "click  1 of 2: ", "click  2 of 2: ", "after   short in ",
                             " of 60 ", "nats a reply"}) {
        EXPECT_NE(result.out.find(part), std::string::npos) << part << " is not in " << result.out;
    }
    for (const char* picture : {"window.png", "plots.png"}) {
        ASSERT_TRUE(std::filesystem::exists(out / picture)) << picture;
        const QImage image(QString::fromStdString((out / picture).string()));
        EXPECT_GE(image.width(), 600) << picture;
        std::set<QRgb> colors;
        for (int y = 0; y < image.height(); ++y) {
            for (int x = 0; x < image.width(); ++x) {
                colors.insert(image.pixel(x, y));
            }
        }
        EXPECT_GT(colors.size(), 100u) << picture;  // text and curves, with their edges
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "sessions"));  // the user's sessions are not touched
}

TEST(Program, AnUnknownJudgeIsAUsageError) {
    const TempFolder folder;
    const ProcessResult result =
        run(folder, {"--demo", "--judge", "grumpy", "--out", (folder / "demo").string()});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_NE(result.err.find("polite"), std::string::npos) << result.err;  // the names that there are
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
