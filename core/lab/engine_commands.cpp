// What each command does on the engine's thread.

#include <ATen/ATen.h>

#include <algorithm>
#include <ctime>
#include <tuple>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/lab/engine_loop.h"
#include "core/lab/export_policy.h"
#include "core/lab/machine.h"
#include "core/lab/memory_check.h"
#include "core/lab/same_model.h"
#include "core/store/export_data.h"

namespace plumbline {

namespace {

constexpr int most_samples = 256;   // of one prompt in one evaluation

const char* words_for(const Command& command) {
    static const char* const words[] = {"new session",   "open project",  "close session",   "save a copy",
                                        "add prompts",   "remove prompt", "go to prompt",    "sample again",
                                        "vote",          "undo",          "change settings", "pause training",
                                        "evaluate",      "wait",          "import",          "export",
                                        "export"};
    return words[command.index()];
}

std::filesystem::path dated_project(const std::string& model) {
    const std::filesystem::path folder = data_folder() / "sessions";
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    const std::time_t now = std::time(nullptr);
    char date[32];
    std::strftime(date, sizeof date, "%Y-%m-%d %H%M", std::localtime(&now));
    const std::string stem = std::filesystem::path(model).stem().string() + " " + date;
    for (int n = 1;; ++n) {
        const std::filesystem::path path = folder / (stem + (n > 1 ? " (" + std::to_string(n) + ")" : "") + ".plumb");
        if (!std::filesystem::exists(path)) {
            return path;
        }
    }
}

/// When a model's file, or the latest of its folder's, was written.
std::filesystem::file_time_type last_written(const std::filesystem::path& model) {
    std::error_code ignored;
    auto latest = std::filesystem::last_write_time(model, ignored);
    if (std::filesystem::is_directory(model, ignored)) {
        for (const auto& entry : std::filesystem::directory_iterator(model, ignored)) {
            latest = std::max(latest, std::filesystem::last_write_time(entry, ignored));
        }
    }
    return latest;
}

/// Whether replies drawn with one are not as the other would draw them.
bool draw_apart(const SessionConfig& a, const SessionConfig& b) {
    const auto drawing = [](const SessionConfig& c) {
        const SamplingConfig& s = c.sampling;
        return std::tie(c.seed, c.system_prompt, c.shuffle_sides, s.candidates, s.shown, s.max_new_tokens, s.temperature, s.top_k,
                        s.top_p, s.min_p, s.pair_choice);
    };
    return drawing(a) != drawing(b);
}

}  // namespace

void EngineLoop::carry_out(const Command& command) {
    ahead_stopped_ = false;
    try {
        std::visit([this](const auto& c) { handle(c); }, command);
    } catch (const std::exception& error) {
        emit(CommandFailed{words_for(command), words_of(error)});
    }
}

Session& EngineLoop::require_session(const char* operation) {
    if (!session_) {
        throw Error(operation, "no session is open; open a model or a project first");
    }
    return *session_;
}

std::shared_ptr<const LanguageModel> EngineLoop::open_model(const std::string& name_or_path, const std::string& dtype) {
    const std::filesystem::path path = resolve_model(name_or_path);
    const auto written = last_written(path);
    if (model_ && model_->info().path == std::filesystem::absolute(path) && model_->info().dtype == dtype &&
        model_written_ == written) {
        return model_;
    }
    const Precision precision = precision_of(dtype);
    std::shared_ptr<LanguageModel> model;
    const std::string name = "Loading " + path.stem().string();
    std::string failure;
    const JobEnd end = run_job(name, Activity::loading, [&](const Pulse& pulse) {
        model = LanguageModel::open(name_or_path, precision, pulse, [&](double fraction) {
            {
                const std::lock_guard lock(mutex_);
                snapshot_.progress = fraction;
            }
            emit(JobProgress{name, fraction});
        }, find_device(options_.device));
    }, &failure);
    if (end == JobEnd::stopped) {
        throw Error("open model", "loading " + path.string() + " was stopped; open it again when you like");
    }
    if (!model) {
        throw std::runtime_error(failure);
    }
    model_ = std::move(model);
    model_written_ = written;
    return model_;
}

void EngineLoop::start(std::unique_ptr<Session> session, bool resumed) {
    ++run_;
    session_ = std::move(session);
    session_->announce(resumed);
    screen_wanted_ = true;
    paused_ = false;
    refresh_snapshot();
}

void EngineLoop::handle(const NewSession& command) {
    validate(command.config);
    require_memory_for(
        "open model", "this session", resolve_model(command.model), options_.dtype,
        [&](const DecoderConfig& model) { return session_memory(command.config, model); }, memory_limit(options_));
    auto model = open_model(command.model, options_.dtype);
    const std::filesystem::path path =
        command.project_path.empty() ? dated_project(command.model) : std::filesystem::path(command.project_path);
    auto session = Session::create(command, std::move(model), path, [this](EventBody body) { emit(std::move(body)); });
    start(std::move(session), /*resumed=*/false);
}

void EngineLoop::handle(const OpenSession& command) {
    if (session_ && std::filesystem::exists(command.project_path) &&
        std::filesystem::equivalent(session_->file().path(), command.project_path)) {
        throw Error("open project", command.project_path + ": it is open already in this window");
    }
    auto file = ProjectFile::open(command.project_path);
    const ModelInfo stored = file->model();
    const std::string where = command.model_path.empty() ? stored.path : command.model_path;
    if (!std::filesystem::exists(where)) {
        throw Error("open project", "its model " + where + " is missing; put it back or locate it");
    }
    require_memory_for(
        "open project", "this session", where, stored.dtype,
        [&](const DecoderConfig& model) { return session_memory(file->config(), model); }, memory_limit(options_));
    auto model = open_model(where, stored.dtype);   // its log holds for the arithmetic that it was made with
    require_same_model("open project", *file, *model);
    if (where != stored.path) {
        file->set_model_path(where);
    }
    auto session = Session::open(std::move(file), std::move(model), [this](EventBody body) { emit(std::move(body)); });
    start(std::move(session), /*resumed=*/true);
}

void EngineLoop::handle(const CloseSession&) {
    session_.reset();
    screen_wanted_ = false;
    paused_ = false;
    refresh_snapshot();
    emit(SessionClosed{});
}

void EngineLoop::handle(const SaveCopy& command) { require_session("save a copy").save_copy(command.path); }

void EngineLoop::handle(const AddPrompts& command) {
    Session& session = require_session("add prompts");
    session.add_prompts(command.prompts, command.go_to_first);
    if (command.go_to_first) {
        session.put_back();
        screen_wanted_ = true;
    }
}

void EngineLoop::handle(const RemovePrompt& command) {
    Session& session = require_session("remove prompt");
    const std::int64_t current = session.current_prompt(), shown = session.shown();
    session.remove_prompt(command.prompt_id);
    if (session.current_prompt() != current || session.shown() != shown) {
        session.put_back();
        screen_wanted_ = true;
    }
}

void EngineLoop::handle(const GoToPrompt& command) {
    Session& session = require_session("go to prompt");
    session.go_to_prompt(command.prompt_id);
    session.put_back();
    screen_wanted_ = true;
}

void EngineLoop::handle(const SampleAgain&) {
    Session& session = require_session("sample again");
    if (session.shown() != 0) {
        session.discard(session.shown());
    } else {
        session.pass_over();   // what was being written is not wanted
    }
    for (const std::int64_t pair : session.waiting_pairs()) {
        if (session.prompt_of(pair) == session.current_prompt()) {
            session.discard(pair);
        }
    }
    screen_wanted_ = true;
}

// The label is on disk before anything else happens; the next pair follows at once when one is waiting.
void EngineLoop::handle(const Vote& command) {
    Session& session = require_session("vote");
    if (session.shown() == 0 || session.shown() != command.pair_id) {
        throw Error("vote", "pair " + std::to_string(command.pair_id) + " is not on the screen; vote on the one shown");
    }
    session.record(command.pair_id, command.verdict, "person");
    screen_wanted_ = true;
    show_or_draw();
    refresh_snapshot();
}

void EngineLoop::handle(const Undo&) {
    if (!require_session("undo").undo()) {
        throw Error("undo", "there is no vote to take back; vote first");
    }
    screen_wanted_ = false;
}

void EngineLoop::handle(const ChangeConfig& command) {
    Session& session = require_session("change settings");
    const bool redraw = draw_apart(session.config(), command.config);
    session.change_config(command.config);
    if (redraw) {
        for (const std::int64_t pair : session.waiting_pairs()) {
            session.discard(pair);
        }
    }
}

void EngineLoop::handle(const PauseTraining& command) { paused_ = command.paused; }

void EngineLoop::handle(const Evaluate& command) {
    Session& session = require_session("evaluate");
    if (command.prompts.empty() || command.samples < 1 || command.samples > most_samples) {
        throw Error("evaluate", std::to_string(command.prompts.size()) + " prompts of " + std::to_string(command.samples) +
                                    " samples cannot be drawn; give at least one prompt and 1 to " +
                                    std::to_string(most_samples) + " samples");
    }
    const std::string name = "Evaluating " + std::to_string(command.prompts.size()) + " prompts";
    run_job(name, Activity::evaluating, [&](const Pulse& pulse) {
        emit(session.evaluate(command, pulse, [&](double fraction) {
            {
                const std::lock_guard lock(mutex_);
                snapshot_.progress = fraction;
            }
            emit(JobProgress{name, fraction});
        }));
    });
}

bool EngineLoop::exchange(const std::string& name, const std::function<void(const Job&)>& body) {
    std::string failure;
    const JobEnd end = run_job(name, Activity::exchanging, [&](const Pulse& pulse) {
        Job job;
        job.stop = pulse.stop;
        job.progress = [&](double fraction, const std::string&) {
            {
                const std::lock_guard lock(mutex_);
                snapshot_.progress = fraction;
            }
            emit(JobProgress{name, fraction});
        };
        body(job);
    }, &failure);
    if (end == JobEnd::failed) {
        throw std::runtime_error(failure);
    }
    return end == JobEnd::done;
}

void EngineLoop::handle(const ImportPreferences& command) {
    Session& session = require_session("import");
    ImportResult result;
    if (exchange("Importing " + std::filesystem::path(command.path).filename().string(),
                 [&](const Job& job) { result = session.import_answers(command.path, job); })) {
        emit(AnswersImported{command.path, std::move(result), session.labels(), session.imports()});
    }
}

void EngineLoop::handle(const ExportData& command) {
    Session& session = require_session("export");
    ExportDataResult result;
    if (exchange("Writing " + std::filesystem::path(command.path).filename().string(), [&](const Job& job) {
            result = export_data(session.file(), command.format, command.path, job);
        })) {
        emit(DataExported{command.path, std::move(result)});
    }
}

// What it writes is a copy of the weights, so that votes need not wait: they are recorded between two tensors.
void EngineLoop::handle(const ExportModel& command) {
    Session& session = require_session("export");
    ExportModelResult result;
    if (exchange("Writing " + std::filesystem::path(command.path).filename().string(), [&](Job job) {
            job.progress = [this, tell = job.progress](double fraction, const std::string& what) {
                beat();
                tell(fraction, what);
            };
            result = export_policy(session.file(), command, job);
        })) {
        emit(ModelExported{command.path, std::move(result)});
    }
}

void EngineLoop::handle(const WaitIdle& command) { idle_tickets_.push_back(command.ticket); }

}  // namespace plumbline
