// A vote may come at any moment while an earlier one is learned, the writing of its weights included: it is
// in the file at once, and nothing else turns out differently.

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class VoteDuringLearning : public Lab {
  protected:
    /// A state of several parts.
    static SessionConfig config() {
        SessionConfig out = small_config();
        out.lora.lora_rank = 128;
        return out;
    }
    struct Outcome {
        int beats = 0;       // of the first vote's learning
        std::string hash;    // of the weights after both votes
        bool voted = false;  // the second time in the midst of it
    };
    /// Learns a vote, with a second one at its n-th beat; none when n is too large: after it.
    Outcome learned_with_vote_at(int n) const {
        std::filesystem::remove(project());
        LabSession lab(project(), config());
        std::int64_t prompt = lab->current_prompt();
        for (std::size_t i = 0; i < some_prompts.size(); ++i) {
            lab->draw(prompt, {}, {});
            prompt = lab->next_prompt(prompt);
        }
        lab.show();
        const std::int64_t first = lab.record(Choice::left);
        lab.show();
        Outcome out;
        const auto vote = [&] {
            const std::int64_t second = lab.record(Choice::right);
            const auto labels = ProjectFile::open(copy())->labels();
            EXPECT_EQ(labels.back().id, second) << "beat " << n << ": not in the file yet";
        };
        const Pulse pulse{[&] {
                              if (++out.beats == n) {
                                  out.voted = true;
                                  vote();
                              }
                          },
                          {}};
        lab->learn(first, pulse);
        if (!out.voted) {
            lab.record(Choice::right);
        }
        lab.learn_all();
        out.hash = lab->weights_hash();
        return out;
    }
    /// What a program finds that opens the project after this one was killed.
    std::string copy() const {
        const std::string path = project("killed");
        for (const char* suffix : {"", "-wal"}) {
            std::filesystem::remove(path + suffix);
            std::filesystem::copy_file(project() + suffix, path + suffix);
        }
        EXPECT_EQ(find_problems(path), std::vector<std::string>());
        EXPECT_TRUE(ProjectFile::open(path)->latest());
        return path;
    }
};

TEST_F(VoteDuringLearning, IsInTheFileAndChangesNothingElse) {
    const Outcome plain = learned_with_vote_at(1 << 30);
    ASSERT_FALSE(plain.voted);
    ASSERT_GT(plain.beats, 60);
    constexpr int last = 12;  // the state's parts among them
    for (int n = 1; n <= plain.beats; n += n < plain.beats - last ? 17 : 1) {
        const Outcome outcome = learned_with_vote_at(n);
        EXPECT_TRUE(outcome.voted) << n;
        EXPECT_EQ(outcome.hash, plain.hash) << "beat " << n << " of " << plain.beats;
        EXPECT_EQ(find_problems(project()), std::vector<std::string>()) << n;
    }
    const ReplayChecked checked = replayed(project());
    EXPECT_TRUE(checked.equal) << checked.first_difference;
    EXPECT_EQ(LabSession(project())->weights_hash(), plain.hash);
}

TEST_F(VoteDuringLearning, AStateIsWrittenWithBeatsBetweenItsParts) {
    LabSession lab(project(), config());
    const std::int64_t label = lab.record(Choice::left);
    std::size_t parts = 0, most = 0;
    const Pulse pulse{[&] {
                          const auto rows = static_cast<std::size_t>(count_rows(project(), "state_parts"));
                          most = std::max(most, rows > parts ? rows - parts : 0);
                          parts = rows;
                      },
                      {}};
    parts = static_cast<std::size_t>(count_rows(project(), "state_parts"));
    const std::size_t before = parts;
    lab->learn(label, pulse);
    EXPECT_GE(parts, before + 3) << "the state is too small for this test";
    EXPECT_EQ(most, 1U) << "two parts were written without a beat between them";
}

}  // namespace
}  // namespace plumbline::testing
