// Proof that a session is its log: the same transitions from the same start give the same rows and weights. Times and
// who judged are not part of it.

#include <ATen/ATen.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/api/config_fields.h"
#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/lab/machine.h"
#include "core/lab/same_model.h"
#include "core/lab/session.h"
#include "core/lab/temporary_folder.h"

namespace plumbline {

namespace {

SessionConfig config_from(const nlohmann::json& payload, SessionConfig config) {
    for (const auto& [key, value] : payload.items()) {
        set_field(config, key, value.get<std::string>());
    }
    return config;
}

Verdict verdict_from(const nlohmann::json& payload) {
    const int choice = payload.at("choice").get<int>(), strength = payload.at("strength").get<int>();
    if (choice < 0 || choice > static_cast<int>(Choice::thumbs) || strength < 0 ||
        strength > static_cast<int>(Strength::much)) {
        throw Error("replay", "the choice " + std::to_string(choice) + " of strength " + std::to_string(strength) +
                                  " is not known; the file is damaged");
    }
    return {static_cast<Choice>(choice), static_cast<Strength>(strength), payload.at("places").get<std::vector<int>>()};
}

// Carries out the transition that wrote `event`. Learning writes several rows at once: only its first one acts.
void repeat(Session& session, const StoredEvent& event, const ProjectFile& original, const Pulse& pulse) {
    const auto payload = nlohmann::json::parse(event.payload);
    if (event.kind == "sampled") {
        session.pass_over_to(payload.at("stream").get<std::uint32_t>());
        session.draw(payload.at("prompt").get<std::int64_t>(), pulse, {});
    } else if (event.kind == "label") {
        session.record(payload.at("pair").get<std::int64_t>(), verdict_from(payload), "replay");
    } else if (event.kind == "reward") {
        session.learn(payload.at("label").get<std::int64_t>(), pulse);
    } else if (event.kind == "import") {   // what came from outside, as the prompts did
        session.import_again(original, payload.at("file").get<std::string>(), payload.at("first_label").get<std::int64_t>(),
                             payload.at("last_label").get<std::int64_t>());
    } else if (event.kind == "lesson") {
        session.learn_imports(pulse);
    } else if (event.kind == "undo") {
        session.undo();
    } else if (event.kind == "config") {
        session.change_config(config_from(payload, session.config()));
    }
}

/// What a project holds beside its log that the log decides.
struct Outcome {
    explicit Outcome(const ProjectFile& file)
        : labels(file.labels()), generations(file.generations()), config(file.config()), latest(file.latest()) {}

    std::vector<StoredLabel> labels;
    std::vector<StoredGeneration> generations;
    SessionConfig config;
    std::optional<StoredCheckpoint> latest;
};

bool same(const StoredLabel& a, const StoredLabel& b) {
    return a.id == b.id && a.generation_id == b.generation_id && a.verdict == b.verdict && a.undoes == b.undoes;
}

bool same(const StoredCandidate& a, const StoredCandidate& b) {
    return a.id == b.id && a.sample == b.sample && a.ids == b.ids && a.text == b.text && a.finish == b.finish &&
           a.logprobs == b.logprobs && a.reference_logprobs == b.reference_logprobs &&
           a.reference_logprobs_t1 == b.reference_logprobs_t1 && a.features == b.features;
}

bool same(const StoredGeneration& a, const StoredGeneration& b) {
    return a.id == b.id && a.prompt_id == b.prompt_id && a.stream == b.stream && a.policy_version == b.policy_version &&
           a.temperature == b.temperature && a.system_prompt == b.system_prompt && a.left == b.left &&
           a.right == b.right && a.more == b.more && a.chosen_by == b.chosen_by &&
           std::equal(a.candidates.begin(), a.candidates.end(), b.candidates.begin(), b.candidates.end(),
                      [](const StoredCandidate& x, const StoredCandidate& y) { return same(x, y); });
}

template <class Row>
std::string row_difference(const std::string& name, const std::vector<Row>& before, const std::vector<Row>& again) {
    for (std::size_t i = 0; i < std::max(before.size(), again.size()); ++i) {
        if (i >= before.size() || i >= again.size() || !same(before[i], again[i])) {
            return name + " " + std::to_string(i < again.size() ? again[i].id : before[i].id);
        }
    }
    return "";
}

std::string difference(const Outcome& before, const Outcome& again) {
    if (std::string pair = row_difference("pair", before.generations, again.generations); !pair.empty()) {
        return pair;
    }
    if (std::string label = row_difference("label", before.labels, again.labels); !label.empty()) {
        return label;
    }
    for (const Field<SessionConfig>& field : fields<SessionConfig>()) {
        if (field.get(before.config) != field.get(again.config)) {
            return "setting " + std::string(field.key);
        }
    }
    const bool states = before.latest.has_value() && again.latest.has_value();
    return states && before.latest->state == again.latest->state ? "" : "the latest weights";
}

}  // namespace

ReplayChecked replay_check(const std::filesystem::path& project, const EngineOptions& options, const Job& job) {
    const at::Device device = find_device(options.device);
    use_threads(options.threads);
    std::vector<StoredEvent> events;
    NewSession start;
    ModelInfo stored;
    const auto file = ProjectFile::open(project);
    events = file->events();
    stored = file->model();
    const Outcome outcome(*file);
    for (const PromptRow& row : file->all_prompts()) {
        if (row.id > 0) {   // those of a person
            start.prompts.push_back(row.text);
        }
    }
    if (events.empty() || events.front().kind != "start") {
        throw Error("replay", project.string() + ": the event log has no start; the file is damaged");
    }
    start.config = config_from(nlohmann::json::parse(events.front().payload), {});
    const Pulse pulse{{}, job.stop};
    std::shared_ptr<LanguageModel> model = LanguageModel::open(stored.path, precision_of(stored.dtype), pulse, {}, device);
    require_same_model("replay", *file, *model);
    const TemporaryFolder folder("replay");
    const auto session = Session::create(start, model, folder.path() / "replay.plumb", [](const EventBody&) {});

    ReplayChecked result;
    result.equal = true;
    std::vector<StoredEvent> again = session->file().events();
    for (std::size_t i = 0; i < events.size() && result.equal; ++i) {
        pulse.check();
        std::string failure;   // of what was never logged, and so cannot be done
        if (i >= again.size()) {
            try {
                repeat(*session, events[i], *file, pulse);
            } catch (const Stopped&) {
                throw;
            } catch (const std::exception& error) {
                failure = std::string(": ") + error.what();
            }
            again = session->file().events();
        }
        const bool as_logged = failure.empty() && i < again.size() && again[i].kind == events[i].kind &&
                               again[i].payload == events[i].payload &&
                               again[i].weights_hash == events[i].weights_hash;
        if (!as_logged) {
            result.equal = false;
            result.first_difference = "event " + std::to_string(events[i].seq) + " (" + events[i].kind + ")" + failure;
        }
        ++result.events;
        if (job.progress) {
            job.progress(static_cast<double>(i + 1) / static_cast<double>(events.size()), "replaying");
        }
    }
    if (result.equal) {
        result.first_difference = difference(outcome, Outcome(session->file()));
        result.equal = result.first_difference.empty();
    }
    return result;
}

}  // namespace plumbline
