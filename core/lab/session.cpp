#include "core/lab/session.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

#include "core/api/catalog.h"
#include "core/api/config_fields.h"
#include "core/api/errors.h"
#include "core/api/recommended.h"
#include "core/lab/row_checks.h"
#include "core/lab/same_model.h"

namespace plumbline {

namespace {

std::int64_t unix_time() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string config_payload(const SessionConfig& config) {
    nlohmann::json out;
    for (const FieldInfo& field : describe(config)) {
        out[field.key] = field.value;
    }
    return out.dump();
}

std::shared_ptr<const LanguageModel> with_own_template(std::shared_ptr<const LanguageModel> model,
                                                       const SessionConfig& config) {
    return config.chat_template.empty() ? model : model->with_chat_template(config.chat_template);
}

constexpr const char* current_prompt_key = "current_prompt";

/// "A", "B" … as the cards are called.
std::string card(int place) { return std::string(1, static_cast<char>('A' + place)); }

/// The history's words for an answer to `shown` replies.
std::string words_of(const Verdict& verdict, std::size_t shown) {
    static const char* const over[] = {" slightly over ", " over ", " far over "};
    const char* const strength = over[static_cast<int>(verdict.strength)];
    std::string out;
    switch (verdict.choice) {
        case Choice::left: return "A" + std::string(strength) + "B";
        case Choice::right: return "B" + std::string(strength) + "A";
        case Choice::tie: return "Tie";
        case Choice::both_bad: return "Both bad";
        case Choice::skip: return "Skipped";
        case Choice::ranking:
            for (const int place : verdict.places) {
                out += (out.empty() ? "" : " over ") + card(place);
            }
            return verdict.places.size() == 1       ? out + " is best"
                   : verdict.places.size() < shown - 1 ? out + " over the rest"
                                                       : out;
        case Choice::thumbs:
            for (std::size_t place = 0; place < verdict.places.size(); ++place) {
                if (verdict.places[place] != 0) {
                    out += (out.empty() ? "" : ", ") + card(static_cast<int>(place)) +
                           (verdict.places[place] > 0 ? " good" : " bad");
                }
            }
            return out;
    }
    return out;
}

/// Throws when `text` is blank, or leaves no room for a reply.
void require_usable(const char* operation, const LanguageModel& model, const SessionConfig& config,
                    const std::string& text) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
        throw Error(operation, "a prompt is empty; type some text");
    }
    model.require_room(model.chat_prompt(config.system_prompt, text).size(), config.sampling.max_new_tokens);
}

}  // namespace

std::unique_ptr<Session> Session::create(const NewSession& command, std::shared_ptr<const LanguageModel> model,
                                         const std::filesystem::path& path, Emit emit) {
    validate(command.config);
    parse_reward_mix(command.config.live.reward);
    const std::shared_ptr<const LanguageModel> as_in_its_files = model;
    model = with_own_template(std::move(model), command.config);
    const std::vector<std::string> prompts = command.prompts.empty() ? bundled_prompts(model->info().name) : command.prompts;
    for (const std::string& text : prompts) {
        require_usable("new session", *model, command.config, text);
    }
    const Learner untrained(*model, command.config);
    auto file = ProjectFile::create(path, model->info(), command.config, [&](ProjectFile& made) {
        note_model(made, *as_in_its_files);
        for (const std::string& text : prompts) {
            made.add_prompt(text);
        }
        StoredCheckpoint first;
        first.event_seq = made.add_event({0, "start", config_payload(command.config), untrained.weights_hash()});
        first.name = "latest";
        first.state = untrained.save();
        made.save_latest(first);
    });
    return open(std::move(file), std::move(model), std::move(emit));
}

std::unique_ptr<Session> Session::open(std::unique_ptr<ProjectFile> file, std::shared_ptr<const LanguageModel> model,
                                       Emit emit) {
    std::unique_ptr<Session> session(new Session(std::move(file), std::move(model), std::move(emit)));
    session->load();
    return session;
}

Session::Session(std::unique_ptr<ProjectFile> file, std::shared_ptr<const LanguageModel> model, Emit emit)
    : file_(std::move(file)),
      model_(with_own_template(std::move(model), file_->config())),
      emit_(std::move(emit)),
      config_(file_->config()),
      learner_(*model_, config_) {}

void Session::load() {
    prompts_ = file_->prompts();
    load_answers();
    for (const StoredGeneration& generation : file_->unlabelled_generations()) {
        waiting_.insert(generation.id);
    }
    for (const MetricPoint& point : file_->metrics()) {
        if (point.name == "reward/predicted") {
            predictions_[point.label_id].push_back(point.value);
        }
    }
    const auto latest = file_->latest();
    if (!latest) {
        throw Error("open project", file_->path().string() + ": it holds no checkpoint; the file is damaged");
    }
    restore(*latest);
    score_waiting({});
    current_prompt_ = prompts_.empty() ? 0 : prompts_.front().id;
    if (const auto stored = file_->setting(current_prompt_key)) {
        const std::int64_t id = std::strtoll(stored->c_str(), nullptr, 10);
        current_prompt_ = is_listed(id) ? id : current_prompt_;
    }
    saved_ = unix_time();
}

void Session::load_answers() {
    for (const PromptRow& row : file_->all_prompts()) {
        prompt_texts_[row.id] = row.text;
    }
    std::int64_t known = 0;
    for (const auto* all : {&generations_, &imported_}) {
        known = all->empty() ? known : std::max(known, all->rbegin()->first);
    }
    std::map<std::int64_t, StoredGeneration> found;
    for (StoredGeneration& generation : file_->generations(known)) {
        const std::int64_t id = generation.id;
        found.emplace(id, std::move(generation));
    }
    const std::vector<StoredLabel> labels = file_->labels(clicks_.empty() ? 0 : clicks_.back().label.id);
    require_sound_rows(file_->path(), *model_, prompt_texts_, found, labels);
    for (auto& [id, generation] : found) {
        next_stream_ = std::max(next_stream_, static_cast<std::uint32_t>(generation.stream) + 1);
        drawn_with_[id] = -1;   // by weights of an earlier opening
        auto& to = generation.imported ? imported_ : generations_;
        to.emplace(id, std::move(generation));
    }
    for (const StoredLabel& row : labels) {
        if (row.undoes == 0) {
            clicks_.push_back({row, true, imported_.contains(row.generation_id)});
            continue;
        }
        for (Click& click : clicks_) {
            click.standing = click.standing && click.label.id != row.undoes;
        }
    }
}

void Session::restore(const StoredCheckpoint& checkpoint) {
    learner_.restore(checkpoint.state);
    fit_reward(learner_.extent);
    learned_ = learner_.extent;
    ++weights_version_;
}

const StoredGeneration& Session::generation(std::int64_t id) const {
    const auto imported = imported_.find(id);
    return imported != imported_.end() ? imported->second : generations_.at(id);
}

void Session::announce(bool resumed) const {
    SessionOpened opened;
    opened.project_path = file_->path().string();
    opened.model = model_->info();
    opened.config = config_;
    opened.prompts = prompts_;
    opened.current_prompt = current_prompt_;
    for (const Click& click : clicks_) {
        if (!click.imported) {
            opened.history.push_back(history_row(click));
        }
    }
    opened.imported = imports();
    opened.metrics = file_->metrics();
    opened.labels = labels();
    opened.policy_steps = policy_steps();
    opened.resumed = resumed;
    emit_(std::move(opened));
}

std::int64_t Session::log(const std::string& kind, const std::string& payload, const std::string& hash) {
    saved_ = unix_time();
    return file_->add_event({0, kind, payload, hash});
}

void Session::add_prompts(const std::vector<std::string>& texts, bool go_to_first) {
    std::int64_t first = 0;
    ProjectFile::Transaction transaction(*file_);
    std::vector<PromptRow> added;
    for (const std::string& text : texts) {
        require_usable("add prompts", *model_, config_, text);
        added.push_back({file_->add_prompt(text), text});
        first = first == 0 ? added.back().id : first;
    }
    if (go_to_first && first != 0) {
        save_current_prompt(first);
    }
    transaction.commit();
    for (PromptRow& row : added) {
        prompt_texts_[row.id] = row.text;
        prompts_.push_back(std::move(row));
    }
    if (go_to_first && first != 0) {
        current_prompt_ = first;
    }
    emit_(PromptsChanged{prompts_, current_prompt_});
}

void Session::remove_prompt(std::int64_t id) {
    if (prompts_.size() < 2) {
        throw Error("remove prompt", "it is the last one; add another first");
    }
    const std::int64_t next = current_prompt_ == id ? next_prompt(id) : current_prompt_;
    std::vector<std::int64_t> unanswered;   // nobody will see them again
    for (const std::int64_t pair : waiting_) {
        if (prompt_of(pair) == id) {
            unanswered.push_back(pair);
        }
    }
    if (shown_ != 0 && prompt_of(shown_) == id) {
        unanswered.push_back(shown_);
    }
    ProjectFile::Transaction transaction(*file_);
    file_->remove_prompt(id);
    save_current_prompt(next);
    for (const std::int64_t pair : unanswered) {
        file_->discard_generation(pair);
    }
    transaction.commit();
    for (const std::int64_t pair : unanswered) {
        waiting_.erase(pair);
        shown_ = shown_ == pair ? 0 : shown_;
    }
    std::erase_if(prompts_, [&](const PromptRow& row) { return row.id == id; });
    current_prompt_ = next;
    emit_(PromptsChanged{prompts_, current_prompt_});
}

void Session::go_to_prompt(std::int64_t id) {
    if (!is_listed(id)) {
        throw Error("go to prompt", "there is no prompt " + std::to_string(id) + "; choose one of the list");
    }
    save_current_prompt(id);
    current_prompt_ = id;
    emit_(PromptsChanged{prompts_, current_prompt_});
}

bool Session::is_listed(std::int64_t prompt) const {
    return std::any_of(prompts_.begin(), prompts_.end(), [&](const PromptRow& row) { return row.id == prompt; });
}

void Session::save_current_prompt(std::int64_t id) { file_->set_setting(current_prompt_key, std::to_string(id)); }

std::int64_t Session::next_prompt(std::int64_t after) const {
    const auto here =
        std::find_if(prompts_.begin(), prompts_.end(), [&](const PromptRow& row) { return row.id == after; });
    if (here == prompts_.end() || here + 1 == prompts_.end()) {
        return prompts_.empty() ? 0 : prompts_.front().id;
    }
    return (here + 1)->id;
}

std::string Session::fault_of_verdict(std::int64_t pair, const Verdict& verdict) const {
    return fault_of(verdict, static_cast<int>(generations_.at(pair).shown().size()));
}

const std::string& Session::prompt_text(std::int64_t id) const { return prompt_texts_.at(id); }

std::vector<int> Session::prompt_ids(const std::string& text) const {
    return model_->chat_prompt(config_.system_prompt, text);
}

// The adapter's shape is the session's identity: its states would not fit another. So is the template: what was drawn
// and trained on was written in it.
void Session::change_config(const SessionConfig& config) {
    validate(config);
    parse_reward_mix(config.live.reward);
    const std::int64_t parameters = model_->decoder().config().parameters();
    if (trains_all_weights(config.lora, parameters) != trains_all_weights(config_.lora, parameters)) {
        throw Error("change settings", "whether all weights or an adapter train is fixed for a session; start a new one");
    }
    if (config.lora.lora_rank != config_.lora.lora_rank || config.lora.lora_alpha != config_.lora.lora_alpha ||
        config.lora.lora_first_block != config_.lora.lora_first_block) {
        throw Error("change settings", "the adapter's rank, alpha and first block are fixed for a session; start a new one");
    }
    if (config.chat_template != config_.chat_template) {
        throw Error("change settings", "the chat template is fixed for a session; start a new one");
    }
    ProjectFile::Transaction transaction(*file_);
    file_->set_config(config);
    log("config", config_payload(config));
    transaction.commit();
    config_ = config;
    fit_reward(learner_.extent);   // as opening the project again would
    score_waiting({});
    emit_(ConfigChanged{config_});
}

int Session::labels() const {
    return static_cast<int>(std::count_if(clicks_.begin(), clicks_.end(), [](const Click& c) { return c.standing; }));
}

int Session::usable_labels() const {
    return static_cast<int>(std::count_if(clicks_.begin(), clicks_.end(),
                                          [](const Click& c) { return c.standing && c.label.verdict.choice != Choice::skip; }));
}

double Session::kl() const {
    constexpr int latest_groups = 3;   // about a dozen replies: one group alone is too noisy to steer by
    double sum = 0;
    int replies = 0, groups = 0;
    for (auto it = generations_.rbegin(); it != generations_.rend() && groups < latest_groups; ++it, ++groups) {
        for (const StoredCandidate& c : it->second.candidates) {
            for (std::size_t i = 0; i < c.logprobs.size(); ++i) {
                sum += static_cast<double>(c.logprobs[i]) - c.reference_logprobs[i];   // k1
            }
            ++replies;
        }
    }
    return replies == 0 ? 0 : sum / replies;
}

HistoryRow Session::history_row(const Click& click) const {
    const StoredGeneration& generation = generations_.at(click.label.generation_id);
    HistoryRow row;
    row.label_id = click.label.id;
    row.text = words_of(click.label.verdict, generation.shown().size());
    row.policy_step = generation.policy_version;
    row.undone = !click.standing;
    row.choice = click.label.verdict.choice;
    row.unix_time = click.label.unix_time;
    row.prompt = prompt_texts_.at(generation.prompt_id);
    row.left = candidate(generation, generation.left).text;
    row.right = candidate(generation, generation.right).text;
    return row;
}

}  // namespace plumbline
