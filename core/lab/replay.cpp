// Proof that a session is its log: the same transitions from the same start give the same rows and weights.

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "core/api/config_fields.h"
#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/lab/machine.h"
#include "core/lab/session.h"

namespace plumbline {

namespace {

/// The replayed project lives in a folder of its own, which goes with it.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "plumbline-replay-XXXXXX").string();
        if (!mkdtemp(pattern.data())) {
            throw Error("replay", "no folder can be made in " + std::filesystem::temp_directory_path().string() +
                                      "; set TMPDIR to a writable place");
        }
        path_ = pattern;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

SessionConfig config_from(const nlohmann::json& payload, SessionConfig config) {
    for (const auto& [key, value] : payload.items()) {
        set_field(config, key, value.get<std::string>());
    }
    return config;
}

// Carries out the transition that wrote `event`. Learning writes several rows at once: only its first one acts.
void repeat(Session& session, const StoredEvent& event, const Pulse& pulse) {
    const auto payload = nlohmann::json::parse(event.payload);
    if (event.kind == "sampled") {
        session.draw(payload.at("prompt").get<std::int64_t>(), pulse, {});
    } else if (event.kind == "label") {
        session.record(payload.at("pair").get<std::int64_t>(), static_cast<Choice>(payload.at("choice").get<int>()), "replay");
    } else if (event.kind == "reward") {
        session.learn(payload.at("label").get<std::int64_t>(), pulse);
    } else if (event.kind == "undo") {
        session.undo();
    } else if (event.kind == "config") {
        session.change_config(config_from(payload, session.config()));
    }
}

}  // namespace

ReplayChecked replay_check(const std::filesystem::path& project, const EngineOptions& options, const Job& job) {
    check_device(options.device);
    use_threads(options.threads);
    std::vector<StoredEvent> events;
    NewSession start;
    ModelInfo stored;
    {
        const auto file = ProjectFile::open(project);
        events = file->events();
        stored = file->model();
        for (const PromptRow& row : file->all_prompts()) {
            start.prompts.push_back(row.text);
        }
    }
    if (events.empty() || events.front().kind != "start") {
        throw Error("replay", project.string() + ": the event log has no start; the file is damaged");
    }
    start.config = config_from(nlohmann::json::parse(events.front().payload), {});
    const Pulse pulse{{}, job.stop};
    std::shared_ptr<LanguageModel> model = LanguageModel::open(stored.path, precision_of(stored.dtype), pulse, {});
    if (model->info().sha256 != stored.sha256) {
        throw Error("replay", "the model " + stored.path + " has changed since; locate the original file");
    }
    const TemporaryFolder folder;
    const auto session = Session::create(start, model, folder.path() / "replay.plumb", [](const EventBody&) {});

    ReplayChecked result;
    result.equal = true;
    std::vector<StoredEvent> again = session->file().events();
    for (std::size_t i = 0; i < events.size() && result.equal; ++i) {
        pulse.check();
        if (i >= again.size()) {
            repeat(*session, events[i], pulse);
            again = session->file().events();
        }
        const bool same = i < again.size() && again[i].kind == events[i].kind && again[i].payload == events[i].payload &&
                          again[i].weights_hash == events[i].weights_hash;
        if (!same) {
            result.equal = false;
            result.first_difference = "event " + std::to_string(events[i].seq) + " (" + events[i].kind + ")";
        }
        ++result.events;
        if (job.progress) {
            job.progress(static_cast<double>(i + 1) / static_cast<double>(events.size()), "replaying");
        }
    }
    return result;
}

}  // namespace plumbline
