// A new project without a window.

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/api/recommended.h"
#include "core/lab/machine.h"
#include "core/lab/session.h"

namespace plumbline {

void create_project(const std::filesystem::path& project, const std::string& model, const EngineOptions& options,
                    const Job& job) {
    if (std::filesystem::exists(project)) {
        throw Error("new project", project.string() + ": there is a file of that name; leave the model out to use it");
    }
    find_device(options.device);
    use_threads(options.threads);
    const auto progress = [&](double fraction) {
        if (job.progress) {
            job.progress(fraction, "loading " + model);
        }
    };
    const std::shared_ptr<const LanguageModel> opened =
        LanguageModel::open(model, precision_of(options.dtype), Pulse{{}, job.stop}, progress);
    NewSession command;
    recommend(command.config, opened->info().parameters);
    Session::create(command, opened, project, [](const EventBody&) {});
}

}  // namespace plumbline
