#include "core/store/export_data.h"

#include <limits>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"
#include "core/store/answer_rows.h"
#include "core/store/metric_rows.h"
#include "core/store/trl_script.h"

namespace plumbline {
namespace {

constexpr const char* exporting = "export";
constexpr std::int64_t all_labels = std::numeric_limits<std::int64_t>::max();

ExportDataResult write_answers(const ProjectFile& file, AnswerRows (*rows_of)(const Answer&), const std::string& header,
                               const std::filesystem::path& out, const Job& job) {
    ExportDataResult result;
    AtomicFile to(out, exporting);
    std::string buffer = header;
    for_each_answer(file, 0, all_labels, [&](std::int64_t label, const Answer& answer, double share) {
        constexpr std::size_t enough = std::size_t{1} << 18;
        const AnswerRows rows = rows_of(answer);
        for (const std::string& line : rows.lines) buffer += line;
        result.rows += static_cast<std::int64_t>(rows.lines.size());
        if (!rows.left_out.empty()) result.skipped.push_back("label " + std::to_string(label) + ": " + rows.left_out);
        if (buffer.size() < enough) return;
        to.write(buffer);
        buffer.clear();
        if (job.stop.stop_requested()) throw Stopped();
        if (job.progress) job.progress(share, std::to_string(result.rows) + " rows");
    });
    to.write(buffer);
    to.put_in_place();
    return result;
}

ExportDataResult write_metrics(const ProjectFile& file, const std::filesystem::path& out) {
    const std::vector<std::string> rows = metric_rows(file.metrics());
    write_atomically(out, {rows.begin(), rows.end()}, exporting);
    return {static_cast<std::int64_t>(rows.size()) - 1};
}

}  // namespace

ExportDataResult export_data(const ProjectFile& file, DataFormat format, const std::filesystem::path& out, const Job& job) {
    switch (format) {
        case DataFormat::trl: return write_answers(file, trl_rows, "", out, job);
        case DataFormat::hh: return write_answers(file, hh_rows, "", out, job);
        case DataFormat::csv: return write_answers(file, csv_rows, csv_header(), out, job);
        case DataFormat::metrics: return write_metrics(file, out);
        case DataFormat::script: return write_trl_script(file, out, job);
    }
    return {};
}

ExportDataResult export_data(const ExportDataRequest& request, const Job& job) {
    const auto file = ProjectFile::open(request.project);
    return export_data(*file, request.format, request.out, job);
}

}  // namespace plumbline
