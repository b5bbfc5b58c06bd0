// States of the weights in a project file: the latest, those of undo, and how they are written.

#include "core/formats/sha256.h"
#include "tests/store/project.h"

namespace plumbline {
namespace {

using testing::contains;
using testing::error_of;
using testing::Project;

TEST_F(Project, KeepsOneLatestStateAndTheLastUndoStates) {
    EXPECT_EQ(file_->latest(), std::nullopt);
    const std::int64_t event = file_->add_event({0, "label", "{}", ""});
    std::vector<std::int64_t> labels;
    for (int i = 0; i < 6; ++i) {
        labels.push_back(file_->add_label(testing::label_of(add_pair(), Choice::left)));
        StoredCheckpoint undo = testing::state_of(event, 10, static_cast<unsigned char>(i));
        undo.before_label = labels.back();
        undo.name = "before label " + std::to_string(labels.back());
        file_->save_undo(undo, 3);
        file_->save_latest(testing::state_of(event, 10, static_cast<unsigned char>(100 + i)));
    }
    reopen();
    for (int i = 0; i < 6; ++i) {
        const auto undo = file_->undo_state(labels[static_cast<std::size_t>(i)]);
        EXPECT_EQ(undo.has_value(), i >= 3) << i;
        if (undo) {
            EXPECT_EQ(undo->state, std::vector<std::byte>(10, static_cast<std::byte>(i)));
            EXPECT_EQ(undo->before_label, labels[static_cast<std::size_t>(i)]);
        }
    }
    const auto latest = file_->latest();
    ASSERT_TRUE(latest);
    EXPECT_EQ(latest->state, std::vector<std::byte>(10, std::byte{105}));
    EXPECT_EQ(latest->name, "latest");
    EXPECT_EQ(latest->event_seq, event);
    EXPECT_EQ(latest->policy_steps, 7);
    EXPECT_EQ(latest->before_label, 0);
    EXPECT_EQ(latest->hash, sha256(latest->state));
    EXPECT_TRUE(find_problems(path_).empty());

    StoredCheckpoint again = testing::state_of(event, 4, 55);
    again.before_label = labels.back();
    file_->save_undo(again, 3);
    EXPECT_EQ(file_->undo_state(labels.back())->state.size(), 4U) << "one state a label";
    EXPECT_TRUE(file_->undo_state(labels[3]));
}

TEST_F(Project, AdvancesAndGoesBackOneLabelAtATime) {
    const std::int64_t event = file_->add_event({0, "start", "{}", ""});
    file_->save_latest(testing::state_of(event, 10, 100));
    std::vector<std::int64_t> labels;
    for (unsigned char i = 1; i <= 5; ++i) {
        labels.push_back(file_->add_label(testing::label_of(add_pair(), Choice::left)));
        file_->advance(testing::state_of(event, 10, static_cast<unsigned char>(100 + i)), labels.back(), 3);
    }
    reopen();
    const auto fill = [](const std::optional<StoredCheckpoint>& state) {
        return state ? std::to_integer<int>(state->state.at(0)) : -1;
    };
    EXPECT_EQ(fill(file_->latest()), 105);
    EXPECT_EQ(fill(file_->undo_state(labels[4])), 104) << "the state before the last label";
    EXPECT_EQ(fill(file_->undo_state(labels[2])), 102);
    EXPECT_EQ(fill(file_->undo_state(labels[1])), -1) << "only three are kept";

    EXPECT_EQ(fill(file_->go_back(labels[4])), 104);
    EXPECT_EQ(fill(file_->go_back(labels[4])), -1) << "it is the latest now";
    EXPECT_EQ(fill(file_->go_back(labels[3])), 103);
    reopen();
    EXPECT_EQ(fill(file_->latest()), 103);
    EXPECT_EQ(file_->latest()->before_label, 0);
    EXPECT_EQ(fill(file_->undo_state(labels[2])), 102);
    EXPECT_EQ(find_problems(path_), std::vector<std::string>());
    file_.reset();
    file_ = ProjectFile::open(path_);
    file_.reset();
    EXPECT_EQ(testing::count_rows(path_, "state_parts"), 2)
        << "states of pruned checkpoints stay in the file";
}

TEST_F(Project, WritesAStateInPartsWithWritesBetween) {
    const std::int64_t event = file_->add_event({0, "start", "{}", ""});
    file_->save_latest(testing::state_of(event, 10, 100));
    const StoredGeneration pair = add_pair();
    const std::int64_t label = file_->add_label(testing::label_of(pair, Choice::left));
    StoredCheckpoint next = testing::state_of(event, 3'000'000, 1);
    for (std::size_t i = 0; i < next.state.size(); ++i) {
        next.state[i] = static_cast<std::byte>(i * i / 1000);  // no two parts alike
    }
    const std::vector<std::byte> state = next.state;
    int calls = 0;
    file_->stage(next, [&] {
        ++calls;
        file_->add_event({0, "label", "{}", ""});
        EXPECT_EQ(file_->latest()->state.size(), 10U) << "half a state is read";
    });
    EXPECT_GE(calls, 3) << "a person waits for the whole state";
    EXPECT_EQ(file_->last_event(), 1 + calls);
    EXPECT_EQ(next.hash, sha256(state));
    next.event_seq = file_->last_event();
    file_->advance(next, label, 3);
    reopen();
    EXPECT_EQ(file_->latest()->state, state);
    EXPECT_EQ(file_->undo_state(label)->state.size(), 10U);
    EXPECT_EQ(find_problems(path_), std::vector<std::string>());
}

TEST_F(Project, ForgetsAStateThatNoCheckpointTook) {
    file_->save_latest(testing::state_of(0, 10, 100));
    StoredCheckpoint lost = testing::state_of(0, 3'000'000, 1), removed = lost;
    file_->stage(lost, [] {});
    EXPECT_EQ(find_problems(path_), std::vector<std::string>())
        << "a program that is killed here leaves a sound file";
    reopen();
    file_->stage(removed, [] {});
    EXPECT_THROW(
        {
            const ProjectFile::Transaction transaction(*file_);
            file_->stage(lost, [] {});
        },
        Error)
        << "its parts would be one write again";
    int calls = 0;
    file_->remove_unused_states([&] { ++calls; });
    EXPECT_GE(calls, 3);
    EXPECT_EQ(file_->latest()->state.size(), 10U);
    file_.reset();
    EXPECT_EQ(testing::count_rows(path_, "state_parts"), 1) << "of the latest";
}

TEST_F(Project, SeesAStateThatDoesNotMatchItsHash) {
    StoredCheckpoint state = testing::state_of(0, 1000, 1);
    file_->save_latest(state);
    EXPECT_NO_THROW(file_->latest());
    file_.reset();
    testing::run_sql(path_, "UPDATE state_parts SET part = zeroblob(1000)");
    file_ = ProjectFile::open(path_);
    EXPECT_TRUE(contains(error_of([&] { file_->latest(); }), "checkpoint 'latest' has the hash"));
    const std::vector<std::string> problems = find_problems(path_);
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_TRUE(
        contains(problems[0], "checkpoint 'latest' has the hash " + sha256(std::vector<std::byte>(1000))));
}

}  // namespace
}  // namespace plumbline
