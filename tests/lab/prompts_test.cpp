// Moving among prompts, changing the list, drawing again, changing settings.

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Prompts : public Lab {
  protected:
    void SetUp() override { driver_.after(new_session()); }
    static std::vector<std::string> texts(const std::vector<PromptRow>& rows) {
        std::vector<std::string> out;
        for (const PromptRow& row : rows) {
            out.push_back(row.text);
        }
        return out;
    }
    std::vector<std::string> stored() {
        driver_.after(CloseSession{});
        return texts(ProjectFile::open(project())->prompts());
    }

    EngineDriver driver_{one_thread()};
};

TEST_F(Prompts, VotesGoThroughTheListAndBeginAgain) {
    std::vector<std::string> seen;
    for (int i = 0; i < 5; ++i) {
        seen.push_back(driver_.shown().prompt);
        driver_.vote(Choice::left);
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"Why?", "How so?", "And then?", "Why?", "How so?"}));
}

TEST_F(Prompts, GoToPromptShowsItsPairAndKeepsTheFormer) {
    const Pair first = driver_.shown();
    const auto there = driver_.after(GoToPrompt{3});
    EXPECT_EQ(all_of<PromptsChanged>(there).at(0).current_prompt, 3);
    EXPECT_EQ(driver_.shown().prompt, "And then?");
    driver_.after(GoToPrompt{1});
    EXPECT_EQ(driver_.shown().id, first.id) << "it waited";
    expect_error_form(driver_.failure_of(GoToPrompt{99}), "go to prompt: there is no prompt 99");
    EXPECT_EQ(driver_.shown().id, first.id);
    EXPECT_EQ(all_of<LabelRecorded>(driver_.vote(Choice::left)).size(), 1U);
}

TEST_F(Prompts, GoingToThePromptThatIsWrittenAheadStartsOneStream) {
    SessionConfig config = small_config();
    config.sampling.max_new_tokens = 100;
    NewSession start = new_session(config);
    start.project_path = project("long");
    driver_.when<JobStarted>([&] { driver_.post(GoToPrompt{2}); },
                             [](const JobStarted& job) { return job.job.starts_with("Sampling ahead"); });
    const auto events = driver_.after(start);
    const auto started = all_of<SamplingStarted>(events);
    ASSERT_EQ(started.size(), 2U) << names_of(events);
    EXPECT_EQ(started[1].prompt_id, 2);
    EXPECT_EQ(driver_.shown().prompt_id, 2);
}

TEST_F(Prompts, AddedOnesJoinTheEnd) {
    const Pair shown = driver_.shown();
    const auto events = driver_.after(AddPrompts{{"Who?", "When?"}, false});
    const auto changed = all_of<PromptsChanged>(events);
    ASSERT_EQ(changed.size(), 1U);
    EXPECT_EQ(texts(changed[0].prompts),
              (std::vector<std::string>{"Why?", "How so?", "And then?", "Who?", "When?"}));
    EXPECT_EQ(changed[0].current_prompt, 1);
    EXPECT_EQ(driver_.shown().id, shown.id) << "the screen stays";
    EXPECT_EQ(stored().size(), 5U);
}

TEST_F(Prompts, AddedOnesCanBeGoneToAtOnce) {
    const Pair former = driver_.shown();
    const auto events = driver_.after(AddPrompts{{"Who?", "When?"}, true});
    EXPECT_EQ(all_of<PromptsChanged>(events).back().current_prompt, 4);
    EXPECT_EQ(driver_.shown().prompt, "Who?");
    driver_.after(GoToPrompt{1});
    EXPECT_EQ(driver_.shown().id, former.id) << "the former pair waited";
    driver_.after(GoToPrompt{4});
    driver_.vote(Choice::left);
    EXPECT_EQ(driver_.shown().prompt, "When?");
    driver_.vote(Choice::left);
    EXPECT_EQ(driver_.shown().prompt, "Why?");
}

TEST_F(Prompts, AnAddedOneInterruptsWhatStreams) {
    SessionConfig config = small_config();
    config.sampling.max_new_tokens = 100;
    NewSession start = new_session(config);
    start.project_path = project("long");
    driver_.when<TokensStreamed>([&] { driver_.post(AddPrompts{{"Who?"}, true}); });
    const auto events = driver_.after(start);
    EXPECT_EQ(driver_.shown().prompt, "Who?");
    const auto who = [](const SamplingStarted& s) { return s.prompt == "Who?"; };
    EXPECT_LT(place_of<SamplingStarted>(events, who), 60U) << "not at the end of some 300 tokens\n"
                                                           << names_of(events);
    EXPECT_EQ(all_of<PairReady>(events).size(), 1U);
}

TEST_F(Prompts, OnesThatCannotBeUsedLeaveTheListAsItWas) {
    expect_error_form(driver_.failure_of(AddPrompts{{"Who?", std::string(400, 'x')}, true}),
                      "exceeds the model's context of 256");
    expect_error_form(driver_.failure_of(AddPrompts{{"Who?", " \n"}, true}),
                      "add prompts: a prompt is empty");
    expect_error_form(driver_.failure_of(AddPrompts{{""}, true}), "add prompts: a prompt is empty");
    EXPECT_EQ(driver_.shown().prompt, "Why?");
    EXPECT_TRUE(all_of<PromptsChanged>(driver_.idle()).empty());
    EXPECT_EQ(all_of<PromptsChanged>(driver_.after(AddPrompts{{"Good"}, false})).at(0).prompts.back().id, 4);
    EXPECT_EQ(stored(), (std::vector<std::string>{"Why?", "How so?", "And then?", "Good"}));
}

TEST_F(Prompts, ARemovedOneIsNotShownAgain) {
    const auto events = driver_.after(RemovePrompt{2});
    EXPECT_EQ(texts(all_of<PromptsChanged>(events).at(0).prompts),
              (std::vector<std::string>{"Why?", "And then?"}));
    EXPECT_EQ(driver_.shown().prompt, "Why?") << "the screen stays";
    EXPECT_TRUE(all_of<PairReady>(events).empty());
    std::vector<std::string> seen;
    for (int i = 0; i < 4; ++i) {
        seen.push_back(driver_.shown().prompt);
        driver_.vote(Choice::left);
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"Why?", "And then?", "Why?", "And then?"}));
    expect_error_form(driver_.failure_of(RemovePrompt{2}), "there is no prompt 2");
    expect_error_form(driver_.failure_of(GoToPrompt{2}), "there is no prompt 2");
    EXPECT_EQ(stored(), (std::vector<std::string>{"Why?", "And then?"}));
    EXPECT_EQ(find_problems(project()), std::vector<std::string>());
}

TEST_F(Prompts, RemovingTheCurrentOneShowsTheNext) {
    const Pair removed = driver_.shown();
    const auto events = driver_.after(RemovePrompt{1});
    EXPECT_EQ(all_of<PromptsChanged>(events).back().current_prompt, 2);
    EXPECT_EQ(driver_.shown().prompt, "How so?");
    expect_error_form(driver_.failure_of(Vote{removed.id, Choice::left}), "is not on the screen");
    driver_.vote(Choice::left);
    EXPECT_EQ(driver_.shown().prompt, "And then?");
    driver_.vote(Choice::right);
    EXPECT_EQ(driver_.shown().prompt, "How so?");
    driver_.after(RemovePrompt{2});
    expect_error_form(driver_.failure_of(RemovePrompt{3}), "remove prompt: it is the last one");
    EXPECT_EQ(stored(), (std::vector<std::string>{"And then?"}));
    EXPECT_TRUE(replayed(project()).equal);
}

TEST_F(Prompts, AVoteOnARemovedPromptCanBeTakenBack) {
    driver_.vote(Choice::left);
    driver_.after(RemovePrompt{1});
    const auto events = driver_.after(Undo{});
    EXPECT_EQ(all_of<Undone>(events).size(), 1U);
    EXPECT_EQ(driver_.shown().prompt, "Why?") << "its pair is on the screen once more";
    driver_.vote(Choice::right);
    EXPECT_EQ(driver_.shown().prompt, "How so?");
    EXPECT_EQ(driver_.snapshot().labels, 1);
}

TEST_F(Prompts, SampleAgainGivesAnotherPairForTheSamePrompt) {
    const Pair first = driver_.shown();
    const auto events = driver_.after(SampleAgain{});
    EXPECT_EQ(all_of<SamplingStarted>(events).size(), 1U);
    EXPECT_EQ(driver_.shown().prompt, first.prompt);
    EXPECT_NE(driver_.shown().id, first.id);
    EXPECT_NE(driver_.shown().left.text + driver_.shown().right.text, first.left.text + first.right.text);
    expect_error_form(driver_.failure_of(Vote{first.id, Choice::left}), "is not on the screen");
    EXPECT_EQ(driver_.snapshot().labels, 0) << "a pair that was passed over is no label";
}

TEST_F(Prompts, SampleAgainInTheMidstOfAStreamGivesOtherReplies) {
    SessionConfig config = small_config();
    config.sampling.max_new_tokens = 60;
    NewSession start = new_session(config);
    start.project_path = project("long");
    driver_.when<TokensStreamed>([&] { driver_.post(SampleAgain{}); },
                                 [](const TokensStreamed& t) { return t.tokens == 30; });
    const auto events = driver_.after(start);
    ASSERT_EQ(all_of<SamplingStarted>(events).size(), 2U) << names_of(events);
    std::string before, after;
    std::size_t second = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (std::holds_alternative<SamplingStarted>(events[i].body)) {
            second = i;
        }
    }
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (const auto* part = std::get_if<TokensStreamed>(&events[i].body); part && part->sample == 0) {
            (i < second ? before : after) += part->text;
        }
    }
    ASSERT_FALSE(before.empty());
    EXPECT_NE(after.substr(0, before.size()), before) << "the person did not want this one";
    driver_.after(CloseSession{});
    EXPECT_TRUE(replayed(project("long")).equal);
}

class Settings : public Lab {
  protected:
    /// Ids of pairs that wait, with one, two or three prompts.
    void SetUp() override { driver_.after(new_session()); }
    EngineDriver driver_{one_thread()};
};

TEST_F(Settings, OfSamplingDiscardPairsDrawnAhead) {
    const Pair shown = driver_.shown();
    SessionConfig config = small_config();
    config.sampling.temperature = 2;
    const auto events = driver_.after(ChangeConfig{config});
    EXPECT_EQ(all_of<ConfigChanged>(events).at(0).config.sampling.temperature, 2);
    EXPECT_EQ(driver_.shown().id, shown.id) << "the screen stays";
    EXPECT_EQ(driver_.snapshot().pairs_ahead, 2) << "drawn again";
    driver_.vote(Choice::left);
    driver_.after(CloseSession{});
    const auto file = ProjectFile::open(project());
    EXPECT_EQ(file->config().sampling.temperature, 2);
    for (const StoredGeneration& waiting : file->unlabelled_generations()) {
        EXPECT_EQ(waiting.temperature, 2) << "pair " << waiting.id;
    }
    EXPECT_EQ(file->generation(shown.id).temperature, 0.9);
}

TEST_F(Settings, OfSamplingDiscardPairsDrawnAheadOfAnOnlyPromptToo) {
    NewSession only = new_session(small_config(), {"Why?"});
    only.project_path = project("only");
    driver_.after(only);
    SessionConfig config = small_config();
    config.sampling.temperature = 2;
    driver_.after(ChangeConfig{config});
    driver_.vote(Choice::left);
    const std::int64_t next = driver_.shown().id;
    driver_.after(CloseSession{});
    EXPECT_EQ(ProjectFile::open(project("only"))->generation(next).temperature, 2);
}

TEST_F(Settings, OfTrainingKeepPairsDrawnAhead) {
    driver_.vote(Choice::left);
    const auto before = driver_.all().size();
    SessionConfig config = small_config();
    config.live.beta = 0.5;
    config.blind = false;
    driver_.after(ChangeConfig{config});
    const auto all = driver_.all();
    EXPECT_TRUE(all_of<JobStarted>({all.begin() + static_cast<std::ptrdiff_t>(before), all.end()}).empty())
        << "nothing needs to be drawn again";
    driver_.after(CloseSession{});
    EXPECT_EQ(ProjectFile::open(project())->config().live.beta, 0.5);
}

TEST_F(Settings, OfTheSystemPromptHoldForRepliesDrawnAfterwards) {
    SessionConfig config = small_config();
    config.system_prompt = "Be kind";
    driver_.after(ChangeConfig{config});
    const Pair shown = driver_.shown();
    driver_.vote(Choice::left);
    const Pair next = driver_.shown();
    driver_.vote(Choice::right);
    driver_.after(CloseSession{});
    const auto file = ProjectFile::open(project());
    EXPECT_EQ(file->generation(shown.id).system_prompt, "Hi");
    EXPECT_EQ(file->generation(next.id).system_prompt, "Be kind");
}

TEST_F(Settings, OfTheAdaptersShapeAreRefused) {
    const Pair shown = driver_.shown();
    for (const auto& change : std::vector<std::function<void(SessionConfig&)>>{
             [](SessionConfig& c) { c.lora.lora_rank = 4; }, [](SessionConfig& c) { c.lora.lora_alpha = 8; },
             [](SessionConfig& c) { c.lora.lora_first_block = 0; }}) {
        SessionConfig config = small_config();
        change(config);
        expect_error_form(driver_.failure_of(ChangeConfig{config}),
                          "change settings: the adapter's rank, alpha and first");
    }
    SessionConfig config = small_config();
    config.sampling.temperature = -1;
    EXPECT_NE(driver_.failure_of(ChangeConfig{config}).find("temperature"), std::string::npos);
    EXPECT_EQ(driver_.shown().id, shown.id);
    EXPECT_EQ(all_of<ClickDone>(driver_.vote(Choice::left)).size(), 1U) << "the session is as it was";
}

TEST_F(Settings, ThatLeaveNoRoomForTheCurrentPromptFailItsDrawingOnly) {
    SessionConfig config = small_config();
    config.sampling.max_new_tokens = 250;
    driver_.after(ChangeConfig{config});
    const auto events = driver_.after(SampleAgain{});
    EXPECT_EQ(all_of<SamplingStopped>(events).size(), 1U) << names_of(events);
    const auto ended = all_of<JobEnded>(events);
    ASSERT_FALSE(ended.empty());
    EXPECT_EQ(ended[0].end, JobEnd::failed);
    expect_error_form(ended[0].message, "exceeds the model's context of 256");
    driver_.after(ChangeConfig{small_config()});
    EXPECT_EQ(all_of<PairReady>(driver_.after(SampleAgain{})).size(), 1U);
}

}  // namespace
}  // namespace plumbline::testing
