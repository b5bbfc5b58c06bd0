// A preference file into a project: every row or none.

#include <chrono>
#include <optional>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/messages.h"
#include "core/formats/model_files.h"
#include "core/store/answer_import.h"
#include "core/store/feedback_answers.h"
#include "core/text/chat_template.h"

namespace plumbline {

namespace {

/// Throws RowError when the template refuses the messages. It takes a single question, whatever that says.
void require_rendering(const Answer& answer, const ChatTemplate& chat_template) {
    if (answer.earlier.empty()) return;
    try {
        chat_template.render(messages_before(answer));
    } catch (const Error& error) {
        throw RowError(error.what());
    }
}

/// What the project's dialogues are written in. Without its model there is none: then learning passes over what the
/// template refuses.
std::optional<ChatTemplate> template_of(const ProjectFile& project) {
    try {
        const ModelFiles model(resolve_model(project.model().path));
        const std::string own = project.config().chat_template;
        return chat_template_of(own.empty() ? model.chat_template() : own, *model.tokenizer());
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace

ImportResult import_preferences(ProjectFile& project, const std::filesystem::path& file, const Job& job,
                                const ChatTemplate* chat_template) {
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
            const Answer answer = answer_of(row, defaults);
            if (chat_template != nullptr) require_rendering(answer, *chat_template);
            import.add(answer);
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
    const std::optional<ChatTemplate> chat_template = template_of(*opened);
    return import_preferences(*opened, file, job, chat_template ? &*chat_template : nullptr);
}

}  // namespace plumbline
