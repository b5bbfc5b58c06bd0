// One test an outcome of bringing a file up to date.

#include <gtest/gtest.h>

#include <array>

#include "core/store/database.h"
#include "core/store/migrations.h"
#include "tests/store/sample_project.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

class Upgrading : public ::testing::Test {
  protected:
    std::int64_t version() { return db_.integer("test", "PRAGMA user_version"); }

    testing::TempFolder folder_;
    Database db_{folder_ / "test.plumb", Access::create, "test"};
};

TEST_F(Upgrading, CreatesAllTablesInAnEmptyFile) {
    const UpgradeResult result = upgrade(db_, "test");
    EXPECT_EQ(result.outcome, Upgrade::created);
    EXPECT_EQ(version(), static_cast<std::int64_t>(migrations().size()));
    EXPECT_EQ(db_.integer("test", "PRAGMA application_id"), project_application_id);
    EXPECT_EQ(db_.integer("test", "SELECT count(*) FROM labels"), 0);
}

TEST_F(Upgrading, LeavesACurrentFileAlone) {
    upgrade(db_, "test");
    const std::int64_t schema = db_.integer("test", "PRAGMA schema_version");
    EXPECT_EQ(upgrade(db_, "test").outcome, Upgrade::current);
    EXPECT_EQ(db_.integer("test", "PRAGMA schema_version"), schema);
}

TEST_F(Upgrading, BringsAnOlderFileUpToDateWithItsRows) {
    upgrade(db_, "test", migrations().first(1));
    db_.execute("test", "INSERT INTO prompts (text) VALUES ('Why?')");
    const std::array<const char*, 3> steps = {migrations()[0], "ALTER TABLE prompts ADD COLUMN tag TEXT",
                                              "UPDATE prompts SET tag = 'old'"};
    const UpgradeResult result = upgrade(db_, "test", steps);
    EXPECT_EQ(result.outcome, Upgrade::upgraded);
    EXPECT_EQ(result.from, 1);
    EXPECT_EQ(result.to, 3);
    EXPECT_EQ(version(), 3);
    EXPECT_EQ(db_.integer("test", "SELECT count(*) FROM prompts WHERE text = 'Why?' AND tag = 'old'"), 1);
}

TEST_F(Upgrading, CarriesTheStatesOfTheFirstVersionOver) {
    upgrade(db_, "test", migrations().first(1));
    db_.execute(
        "test",
        "INSERT INTO model VALUES (1, 'tiny', '/models/tiny.gguf', 'ab', 'llama', 1, 1, 1, 1, 1, 1, 1, "
        "'f32', "
        "'F32', 'chatml', 'none', 1);"
        "INSERT INTO checkpoints VALUES (3, 0, NULL, 'latest', 7, "
        "'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');"  // of "abc", FIPS 180-4
        "INSERT INTO states VALUES (3, CAST('abc' AS BLOB))");
    const auto file = ProjectFile::open(folder_ / "test.plumb");
    ASSERT_TRUE(file->latest());
    EXPECT_EQ(file->latest()->state, (std::vector{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}}));
    EXPECT_EQ(file->latest()->policy_steps, 7);
    EXPECT_EQ(db_.integer("test", "SELECT count(*) FROM sqlite_schema WHERE name = 'states'"), 0);
}

TEST_F(Upgrading, LeavesANewerFileAlone) {
    upgrade(db_, "test");
    db_.execute("test", "PRAGMA user_version = 7");
    const UpgradeResult result = upgrade(db_, "test");
    EXPECT_EQ(result.outcome, Upgrade::newer);
    EXPECT_EQ(result.from, 7);
    EXPECT_EQ(version(), 7);
}

TEST_F(Upgrading, LeavesAnotherProgramsDatabaseAlone) {
    db_.execute("test", "CREATE TABLE bookmarks (url TEXT)");
    EXPECT_EQ(upgrade(db_, "test").outcome, Upgrade::not_a_project);
    db_.execute("test", "PRAGMA application_id = 12345; PRAGMA user_version = 1");
    EXPECT_EQ(upgrade(db_, "test").outcome, Upgrade::not_a_project);
    EXPECT_EQ(db_.integer("test", "SELECT count(*) FROM sqlite_schema"), 1);
}

TEST_F(Upgrading, StopsAtTheLastStepThatSucceeded) {
    const std::array<const char*, 3> steps = {
        migrations()[0], "ALTER TABLE prompts ADD COLUMN tag TEXT",
        "CREATE TABLE extra (id INTEGER); ALTER TABLE no_such_table ADD COLUMN tag TEXT"};
    const UpgradeResult result = upgrade(db_, "test", steps);
    EXPECT_EQ(result.outcome, Upgrade::failed);
    EXPECT_EQ(result.from, 0);
    EXPECT_EQ(result.to, 2);
    EXPECT_TRUE(testing::contains(result.reason, "no_such_table")) << result.reason;
    EXPECT_EQ(version(), 2);
    EXPECT_EQ(db_.integer("test", "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"), 0)
        << "half of the failed step is left";
}

}  // namespace
}  // namespace plumbline
