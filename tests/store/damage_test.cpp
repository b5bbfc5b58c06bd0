// A damaged file is an Error or a list of problems, never a crash.

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "core/api/offline.h"
#include "core/store/project_file.h"
#include "tests/store/sample_project.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::error_of;

class Damage : public ::testing::Test {
  protected:
    void SetUp() override {
        std::ifstream in(path_, std::ios::binary);
        whole_.assign(std::istreambuf_iterator<char>(in), {});
        ASSERT_GT(whole_.size(), 30000U);
    }
    void write(const std::string& bytes) const {
        std::ofstream(path_, std::ios::binary | std::ios::trunc)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    /// Whether the check or the opening says that something is wrong. Reads all that can be read.
    bool is_noticed() const {
        bool noticed = !error_of([&] { noticed_problems_ = find_problems(path_); }).empty();
        noticed |= !noticed_problems_.empty();
        noticed |= !error_of([&] {
                        const auto file = ProjectFile::open(path_);
                        file->model();
                        file->config();
                        file->prompts();
                        file->labels();
                        file->events();
                        file->metrics();
                        file->unlabelled_generations();
                        file->latest();
                        file->undo_state(3);
                    }).empty();
        return noticed;
    }

    testing::TempFolder folder_;
    fs::path path_ = testing::filled_project(folder_.path());
    std::string whole_;
    mutable std::vector<std::string> noticed_problems_;
};

TEST_F(Damage, NoneIsSeenInASoundFile) {
    EXPECT_FALSE(is_noticed());
}

TEST_F(Damage, OfTheHeaderIsSeen) {
    for (std::size_t at = 0; at < 16; ++at) {
        std::string bytes = whole_;
        bytes[at] = static_cast<char>(bytes[at] ^ 0x5a);
        write(bytes);
        EXPECT_TRUE(is_noticed()) << "byte " << at;
    }
}

TEST_F(Damage, OfAPageHeaderIsSeen) {
    for (std::size_t page = 4096; page < whole_.size(); page += 4096) {
        std::string bytes = whole_;
        bytes.replace(page, 8, std::string(8, '\xff'));
        write(bytes);
        EXPECT_TRUE(is_noticed()) << "page " << page / 4096 + 1;
    }
}

TEST_F(Damage, AnywhereIsNeverACrash) {
    int noticed = 0;
    int tried = 0;
    for (std::size_t at = 16; at + 24 < whole_.size(); at += 997) {
        std::string bytes = whole_;
        for (std::size_t i = 0; i < 24; ++i) {
            bytes[at + i] = static_cast<char>(bytes[at + i] ^ 0xa5);
        }
        write(bytes);
        noticed += is_noticed() ? 1 : 0;
        ++tried;
    }
    EXPECT_GT(tried, 30);
    EXPECT_GT(noticed, tried / 10) << "most of a page is free space, but not all";
}

TEST_F(Damage, ByTruncationIsSeen) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{15}, std::size_t{99}, std::size_t{512},
                                   std::size_t{4095}, std::size_t{4096}, std::size_t{5000}, std::size_t{8192},
                                   whole_.size() / 2, whole_.size() - 4096, whole_.size() - 1}) {
        write(whole_.substr(0, size));
        EXPECT_TRUE(is_noticed()) << size << " of " << whole_.size() << " bytes";
    }
}

TEST_F(Damage, OfAStateIsSeenByItsHash) {
    const std::size_t at = whole_.find(std::string(2000, '\x09'));
    ASSERT_NE(at, std::string::npos);
    std::string bytes = whole_;
    bytes[at + 1000] = 8;
    write(bytes);
    EXPECT_TRUE(is_noticed());
    ASSERT_EQ(noticed_problems_.size(), 1U);
    EXPECT_TRUE(contains(noticed_problems_[0], "checkpoint 'latest' has the hash"));
}

TEST_F(Damage, OfAnIndexOfStatePartsDoesNotHoldUpTheOpening) {
    // The index lists parts that the table lacks: those of another table, as unused ones that cannot be removed.
    testing::run_sql(path_,
                     "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM "
                     "sqlite_schema WHERE name = 'sqlite_autoindex_candidates_1') "
                     "WHERE name = 'sqlite_autoindex_state_parts_1'");
    EXPECT_EQ(ProjectFile::open(path_)->labels().size(), 4U);
    EXPECT_TRUE(is_noticed());
}

/// The problems after SQL that the store itself would never run.
class Contradiction : public Damage {
  protected:
    std::string problem_after(const std::string& sql) {
        write(whole_);
        testing::run_sql(
            path_, "DROP TRIGGER labels_stay; DROP TRIGGER labels_last; DROP TRIGGER events_last; " + sql);
        std::string out;
        for (const std::string& problem : find_problems(path_)) {
            out += problem + "\n";
        }
        return out;
    }
};

TEST_F(Contradiction, NoneInASoundFile) {
    EXPECT_EQ(problem_after(""), "");
}

TEST_F(Contradiction, InPairsIsNamed) {
    EXPECT_EQ(problem_after("UPDATE generations SET left_id = 1 WHERE id = 2"),
              "pair 2 shows reply 1, which is not one of its own\n");
    EXPECT_EQ(problem_after("UPDATE generations SET left_id = right_id WHERE id = 3"),
              "pair 3 shows reply 9 on both sides\n");
    EXPECT_TRUE(contains(problem_after("UPDATE generations SET left_id = 999 WHERE id = 2"),
                         "pair 2 shows reply 999"));
    EXPECT_EQ(problem_after("UPDATE candidates SET logprobs = zeroblob(4) WHERE id = 5"),
              "reply 5 has 20 bytes of tokens, 4, 20 and 20 of log-probabilities\n");
    EXPECT_EQ(problem_after("UPDATE candidates SET features = x'00' WHERE id = 5"),
              "reply 5 has 1 bytes of features\n");
}

TEST_F(Contradiction, InLabelsIsNamed) {
    EXPECT_TRUE(contains(problem_after("UPDATE labels SET generation_id = 99 WHERE id = 1"),
                         "label 1 belongs to pair 99, which is not there"));
    EXPECT_EQ(problem_after("UPDATE labels SET generation_id = 2 WHERE id = 4"),
              "label 4 takes back 3, which is no label of the same pair\n");
    EXPECT_TRUE(
        contains(problem_after("INSERT INTO labels VALUES (9, 3, 'left', 'clear', '', 0, 'person', 4)"),
                 "label 9 takes back 4, which is no label"));
}

TEST_F(Contradiction, InEventsIsNamed) {
    EXPECT_EQ(problem_after("DELETE FROM events WHERE seq = 2"),
              "event 3 follows event 1: some are missing\n");
    EXPECT_EQ(problem_after("DELETE FROM events WHERE seq = 1"),
              "event 2 follows event 0: some are missing\n");
    EXPECT_EQ(problem_after("INSERT INTO events VALUES (4, 'label', '{', '')"), "event 4 is not JSON\n");
    EXPECT_TRUE(contains(problem_after("DELETE FROM events WHERE seq = 3"),
                         "checkpoint 'latest' belongs to event 3, which is not there"));
}

TEST_F(Contradiction, InStatesAndSettingsIsNamed) {
    EXPECT_EQ(
        problem_after(
            "INSERT INTO checkpoints SELECT 99, event_seq, NULL, name, policy_steps, hash FROM checkpoints "
            "WHERE "
            "before_label IS NULL; INSERT INTO state_parts (checkpoint_id, number, part) SELECT 99, number, "
            "part "
            "FROM state_parts AS p JOIN checkpoints AS c ON c.id = p.checkpoint_id WHERE before_label IS "
            "NULL"),
        "there are 2 latest checkpoints\n");
    EXPECT_TRUE(contains(problem_after("DELETE FROM state_parts"), "checkpoint 'latest' has the hash"));
    EXPECT_TRUE(contains(problem_after("UPDATE config SET value = '0' WHERE key = 'lora_rank'"),
                         "lora_rank is '0'; use 1..256"));
    EXPECT_TRUE(contains(problem_after("DELETE FROM model"), "does not say which model"));
    EXPECT_EQ(problem_after("PRAGMA user_version = 77"), "file version 77; this program checks version 3\n");
    EXPECT_EQ(problem_after("PRAGMA application_id = 5"),
              "not a Plumbline project: the application id is 5\n");
}

TEST(CheckProject, AnswersForTheCommandLine) {
    const testing::TempFolder folder;
    const fs::path path = testing::filled_project(folder.path());
    EXPECT_TRUE(check_project(path).ok);
    testing::run_sql(path, "PRAGMA application_id = 5");
    const CheckResult result = check_project(path);
    EXPECT_FALSE(result.ok);
    EXPECT_EQ(result.problems.size(), 1U);
    EXPECT_TRUE(contains(error_of([&] { check_project(folder / "none.plumb"); }), "there is no such file"));
}

}  // namespace
}  // namespace plumbline
