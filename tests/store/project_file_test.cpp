// What goes into a project file comes out of it, after it was closed and opened again.

#include "core/store/project_file.h"

#include <cmath>

#include "core/api/config_fields.h"
#include "core/formats/sha256.h"
#include "tests/store/project.h"

namespace plumbline {
namespace {

using testing::contains;
using testing::error_of;
using testing::Project;

TEST_F(Project, KeepsTheModel) {
    file_->set_model_path("/elsewhere/tiny.gguf");
    reopen();
    const ModelInfo model = file_->model();
    const ModelInfo expected = testing::sample_model();
    EXPECT_EQ(model.path, "/elsewhere/tiny.gguf");
    EXPECT_EQ(model.name, expected.name);
    EXPECT_EQ(model.sha256, expected.sha256);
    EXPECT_EQ(model.architecture, expected.architecture);
    EXPECT_EQ(model.parameters, expected.parameters);
    EXPECT_EQ(model.layers, expected.layers);
    EXPECT_EQ(model.hidden, expected.hidden);
    EXPECT_EQ(model.heads, expected.heads);
    EXPECT_EQ(model.kv_heads, expected.kv_heads);
    EXPECT_EQ(model.vocab, expected.vocab);
    EXPECT_EQ(model.context, expected.context);
    EXPECT_EQ(model.dtype, expected.dtype);
    EXPECT_EQ(model.file_dtype, expected.file_dtype);
    EXPECT_EQ(model.chat_template, expected.chat_template);
    EXPECT_EQ(model.chat_template_note, expected.chat_template_note);
    EXPECT_EQ(model.memory_bytes, expected.memory_bytes);
}

TEST_F(Project, KeepsEverySetting) {
    SessionConfig config;
    for (const Field<SessionConfig>& field : fields<SessionConfig>()) {
        const std::string range(field.range);
        const std::string last = range.substr(std::max(range.rfind("..") + 2, range.rfind('|') + 1));
        const std::string other =
            last == field.get(SessionConfig{}) ? range.substr(0, range.find('|')) : last;
        ASSERT_TRUE(field.set(config, field.key == "system_prompt" ? "Be \"brief\".\n\u00fc" : other))
            << field.key;
    }
    file_->set_config(config);
    reopen();
    const SessionConfig again = file_->config();
    for (const Field<SessionConfig>& field : fields<SessionConfig>()) {
        EXPECT_EQ(field.get(again), field.get(config)) << field.key;
        EXPECT_NE(field.get(again), field.get(SessionConfig{}))
            << field.key << ": the default proves nothing";
    }
    config.lora.lora_rank = 0;
    EXPECT_TRUE(contains(error_of([&] { file_->set_config(config); }), "lora_rank is 0"));
}

TEST_F(Project, KeepsSmallSettings) {
    EXPECT_EQ(file_->setting("current_prompt"), std::nullopt);
    file_->set_setting("current_prompt", "1");
    file_->set_setting("current_prompt", "12");
    file_->set_setting("empty", "");
    reopen();
    EXPECT_EQ(file_->setting("current_prompt"), "12");
    EXPECT_EQ(file_->setting("empty"), "");
}

TEST_F(Project, HidesRemovedPrompts) {
    const std::int64_t second = file_->add_prompt("How?\nSay it.");
    const std::int64_t third = file_->add_prompt("");
    file_->remove_prompt(prompt_);
    reopen();
    const std::vector<PromptRow> prompts = file_->prompts();
    ASSERT_EQ(prompts.size(), 2U);
    EXPECT_EQ(prompts[0].id, second);
    EXPECT_EQ(prompts[0].text, "How?\nSay it.");
    EXPECT_EQ(prompts[1].id, third);
    EXPECT_TRUE(contains(error_of([&] { file_->remove_prompt(prompt_); }), "there is no prompt 1"));
    EXPECT_NO_THROW(add_pair()) << "pairs of a removed prompt stay valid";
    EXPECT_EQ(file_->all_prompts().size(), 3U);
}

TEST_F(Project, KeepsAGenerationToTheLastBit) {
    StoredGeneration added = testing::sample_generation(prompt_);
    added.candidates[1].logprobs[0] = std::nextafter(-1.0F, 0.0F);
    added.candidates[3] = {};
    added.candidates[3].sample = 3;
    file_->add_generation(added);
    EXPECT_EQ(added.left, added.candidates[2].id);
    EXPECT_EQ(added.right, added.candidates[0].id);
    reopen();
    const StoredGeneration read = file_->generation(added.id);
    EXPECT_EQ(read.prompt_id, prompt_);
    EXPECT_EQ(read.stream, added.stream);
    EXPECT_EQ(read.policy_version, added.policy_version);
    EXPECT_EQ(read.system_prompt, added.system_prompt);
    EXPECT_EQ(read.temperature, added.temperature);
    EXPECT_EQ(read.left, added.left);
    EXPECT_EQ(read.right, added.right);
    EXPECT_EQ(read.chosen_by, added.chosen_by);
    ASSERT_EQ(read.candidates.size(), added.candidates.size());
    for (std::size_t i = 0; i < read.candidates.size(); ++i) {
        const StoredCandidate& a = added.candidates[i];
        const StoredCandidate& b = read.candidates[i];
        EXPECT_EQ(b.id, a.id);
        EXPECT_EQ(b.prompt_id, prompt_);
        EXPECT_EQ(b.generation_id, added.id);
        EXPECT_EQ(b.sample, a.sample);
        EXPECT_EQ(b.ids, a.ids);
        EXPECT_EQ(b.text, a.text);
        EXPECT_EQ(b.logprobs, a.logprobs);
        EXPECT_EQ(b.reference_logprobs, a.reference_logprobs);
        EXPECT_EQ(b.reference_logprobs_t1, a.reference_logprobs_t1);
        EXPECT_EQ(b.features, a.features);
        EXPECT_EQ(b.finish, a.finish);
    }
    EXPECT_TRUE(contains(error_of([&] { file_->generation(99); }), "there is no pair 99"));
}

TEST_F(Project, RefusesAGenerationThatContradictsItself) {
    StoredGeneration bad = testing::sample_generation(prompt_);
    bad.candidates[1].reference_logprobs.pop_back();
    EXPECT_TRUE(contains(error_of([&] { file_->add_generation(bad); }), "6 tokens but 5 log-probabilities"));
    bad = testing::sample_generation(prompt_);
    bad.right = bad.left;
    EXPECT_TRUE(contains(error_of([&] { file_->add_generation(bad); }), "sample 2 is on the screen twice"));
    bad = testing::sample_generation(prompt_);
    bad.right = 4;
    EXPECT_TRUE(contains(error_of([&] { file_->add_generation(bad); }), "sample 4 is on the screen but"));
    EXPECT_EQ(bad.id, 0) << "a refused generation is left as it was";
    bad = testing::sample_generation(77);
    EXPECT_NE(error_of([&] { file_->add_generation(bad); }), "") << "there is no prompt 77";
    reopen();
    EXPECT_TRUE(file_->unlabelled_generations().empty());
}

TEST_F(Project, ListsGenerationsThatWaitForALabel) {
    const StoredGeneration first = add_pair();
    const StoredGeneration second = add_pair();
    const StoredGeneration third = add_pair();
    const auto waiting = [&] {
        std::vector<std::int64_t> ids;
        for (const StoredGeneration& generation : file_->unlabelled_generations()) {
            EXPECT_EQ(generation.candidates.size(), 4U);
            ids.push_back(generation.id);
        }
        return ids;
    };
    EXPECT_EQ(waiting(), (std::vector{first.id, second.id, third.id}));
    const std::int64_t label = file_->add_label(testing::label_of(first, Choice::skip));
    EXPECT_EQ(waiting(), (std::vector{second.id, third.id}));
    file_->discard_generation(second.id);
    EXPECT_EQ(waiting(), (std::vector{third.id}));
    file_->add_label(testing::label_of(first, Choice::skip, label));
    reopen();
    EXPECT_EQ(waiting(), (std::vector{first.id, third.id})) << "a pair whose label is taken back waits again";
    EXPECT_EQ(file_->generations().size(), 3U);
    EXPECT_TRUE(contains(error_of([&] { file_->discard_generation(99); }), "there is no pair 99"));
}

TEST_F(Project, KeepsLabelsAsRowsThatAreOnlyAdded) {
    const StoredGeneration pair = add_pair();
    const std::int64_t first = file_->add_label(testing::label_of(pair, Choice::right));
    const std::int64_t undo = file_->add_label(testing::label_of(pair, Choice::right, first));
    const std::int64_t second = file_->add_label(testing::label_of(pair, Choice::tie));
    reopen();
    const std::vector<StoredLabel> labels = file_->labels();
    ASSERT_EQ(labels.size(), 3U);
    EXPECT_EQ(labels[0].id, first);
    EXPECT_EQ(labels[0].generation_id, pair.id);
    EXPECT_EQ(labels[0].verdict.choice, Choice::right);
    EXPECT_EQ(labels[0].unix_time, 1764000000.25);
    EXPECT_EQ(labels[0].judge, "person");
    EXPECT_EQ(labels[0].undoes, 0);
    EXPECT_EQ(labels[1].id, undo);
    EXPECT_EQ(labels[1].undoes, first);
    EXPECT_EQ(labels[2].id, second);
    EXPECT_EQ(labels[2].verdict.choice, Choice::tie);
    file_.reset();
    EXPECT_THROW(testing::run_sql(path_, "DELETE FROM labels"), std::runtime_error);
    EXPECT_THROW(testing::run_sql(path_, "UPDATE labels SET choice = 'left'"), std::runtime_error);
}

TEST_F(Project, TakesBackOnlyALabelThatStands) {
    const StoredGeneration pair = add_pair();
    const StoredGeneration other = add_pair();
    const std::int64_t label = file_->add_label(testing::label_of(pair, Choice::left));
    const auto undo = [&](const StoredGeneration& of, std::int64_t id) {
        return error_of([&] { file_->add_label(testing::label_of(of, Choice::left, id)); });
    };
    EXPECT_TRUE(contains(undo(other, label), "does not stand"));
    EXPECT_EQ(undo(pair, label), "");
    EXPECT_TRUE(contains(undo(pair, label), "does not stand")) << "twice";
    EXPECT_TRUE(contains(undo(pair, label + 1), "does not stand")) << "an undo row";
    EXPECT_TRUE(contains(undo(pair, 99), "label 99 of pair 1 does not stand"));
    EXPECT_NE(error_of([&] {
                  file_->add_label({0, 99, {Choice::left, Strength::clear, {}}, 0, "person", 0});
              }),
              "")
        << "no such pair";
    EXPECT_EQ(file_->labels().size(), 2U);
}

TEST_F(Project, NumbersEventsFromOne) {
    EXPECT_EQ(file_->last_event(), 0);
    EXPECT_EQ(file_->add_event({0, "config", "{}", ""}), 1);
    EXPECT_EQ(file_->add_event({99, "label", "{\"a\": \"\u00fc\"}", "ff"}), 2);
    reopen();
    EXPECT_EQ(file_->last_event(), 2);
    const std::vector<StoredEvent> events = file_->events();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].kind, "config");
    EXPECT_EQ(events[0].weights_hash, "");
    EXPECT_EQ(events[1].seq, 2);
    EXPECT_EQ(events[1].payload, "{\"a\": \"\u00fc\"}");
    EXPECT_EQ(events[1].weights_hash, "ff");
}

TEST_F(Project, DropsTheMetricsOfAnUndoneLabel) {
    const StoredGeneration pair = add_pair();
    const std::int64_t first = file_->add_label(testing::label_of(pair, Choice::left));
    const std::int64_t second = file_->add_label(testing::label_of(add_pair(), Choice::left));
    file_->add_metrics({{"objective/kl", 0, 0, 0.5},
                        {"reward/loss", first, 1, 0.6931},
                        {"reward/loss", second, 2, std::nan("")},
                        {"reward/margin", second, 2, -INFINITY}});
    file_->add_label(testing::label_of(pair, Choice::left, first));
    reopen();
    const std::vector<MetricPoint> points = file_->metrics();
    ASSERT_EQ(points.size(), 3U);
    EXPECT_EQ(points[0].name, "objective/kl");
    EXPECT_EQ(points[0].label_id, 0);
    EXPECT_EQ(points[0].value, 0.5);
    EXPECT_EQ(points[1].label_id, second);
    EXPECT_EQ(points[1].x, 2);
    EXPECT_TRUE(std::isnan(points[1].value));
    EXPECT_EQ(points[2].value, -INFINITY);
}

TEST_F(Project, RollsATransactionBackUnlessItIsCommitted) {
    {
        ProjectFile::Transaction transaction(*file_);
        file_->add_prompt("gone");
        add_pair();
    }
    EXPECT_EQ(file_->prompts().size(), 1U);
    EXPECT_TRUE(file_->unlabelled_generations().empty());
    {
        ProjectFile::Transaction outer(*file_);
        file_->add_prompt("stays");
        {
            ProjectFile::Transaction inner(*file_);
            file_->add_prompt("gone");
        }
        EXPECT_NE(error_of([&] {
                      file_->add_label({0, 99, {Choice::left, Strength::clear, {}}, 0, "person", 0});
                  }),
                  "");
        outer.commit();
    }
    reopen();
    ASSERT_EQ(file_->prompts().size(), 2U);
    EXPECT_EQ(file_->prompts()[1].text, "stays");
}

TEST_F(Project, CopiesItself) {
    testing::fill(*file_);
    const std::filesystem::path copy = folder_ / "copy.plumb";
    file_->save_copy(copy);
    EXPECT_TRUE(find_problems(copy).empty());
    const auto opened = ProjectFile::open(copy);
    EXPECT_EQ(opened->labels().size(), file_->labels().size());
    EXPECT_EQ(opened->events().size(), file_->events().size());
    EXPECT_EQ(opened->latest()->hash, file_->latest()->hash);
    EXPECT_FALSE(std::filesystem::exists(copy.string() + ".part"));

    EXPECT_TRUE(contains(error_of([&] { file_->save_copy(path_); }), "is the open project itself"));
    EXPECT_TRUE(contains(error_of([&] { file_->save_copy(copy); }), "is open in another window"));
    EXPECT_TRUE(contains(error_of([&] { file_->save_copy(folder_.path()); }), "is a folder"));
    EXPECT_TRUE(
        contains(error_of([&] { file_->save_copy(folder_ / "no/copy.plumb"); }), "there is no such folder"));
}

TEST_F(Project, CopiesOverAProjectWithoutItsOldLog) {
    const std::filesystem::path target = folder_ / "old.plumb";
    { const auto old = ProjectFile::create(target, testing::sample_model(), {}); }
    std::filesystem::copy_file(path_.string() + "-wal", target.string() + "-wal");
    testing::fill(*file_);
    file_->save_copy(target);
    EXPECT_FALSE(std::filesystem::exists(target.string() + "-wal"));
    EXPECT_TRUE(find_problems(target).empty());
    EXPECT_EQ(ProjectFile::open(target)->labels().size(), 4U);
}

}  // namespace
}  // namespace plumbline
