// A preference file into a project: every row or none.

#include <chrono>

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/messages.h"
#include "core/store/answer_import.h"
#include "core/store/feedback_answers.h"

namespace plumbline {

ImportResult import_preferences(ProjectFile& project, const std::filesystem::path& file, const Job& job) {
    constexpr int rows_a_report = 500;
    AnswerDefaults defaults;
    defaults.system_prompt = project.config().system_prompt;
    defaults.unix_time =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    defaults.judge = "import";
    ImportResult out;
    AnswerImport import(project);
    for_each_feedback(
        file, "import",
        [&](const FeedbackRow& row, double fraction) {
            import.add(answer_of(row, defaults));
            if (++out.rows % rows_a_report != 0) return;
            if (job.stop.stop_requested()) throw Stopped();
            if (job.progress) job.progress(fraction, std::to_string(out.rows) + " rows");
        },
        [&](const std::string& refused) {
            if (job.stop.stop_requested()) throw Stopped();
            ++out.skipped;
            if (out.reasons.size() < ImportResult::most_reasons) out.reasons.push_back(refused);
        });
    import.commit(file.filename().string());
    return out;
}

ImportResult import_preferences(const std::filesystem::path& project, const std::filesystem::path& file, const Job& job) {
    if (!std::filesystem::exists(project)) {
        throw Error("import", project.string() + ": there is no such project; make one with --model MODEL, or in the window");
    }
    const auto opened = ProjectFile::open(project);
    return import_preferences(*opened, file, job);
}

}  // namespace plumbline
