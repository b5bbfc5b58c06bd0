// The inputs of logprobs, reward and tokenize: JSON lines.

#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/messages.h"
#include "core/formats/data_rows.h"

namespace plumbline {
namespace {

using nlohmann::json;

ScoreRequest request_of(const json& row) {
    const int prompts = row.contains("prompt") + row.contains("messages") + row.contains("prompt_ids");
    const int responses = row.contains("response") + row.contains("response_ids");
    if (prompts != 1)
        throw RowError("it needs one of prompt, messages and prompt_ids, not " + std::to_string(prompts));
    if (responses != 1)
        throw RowError("it needs one of response and response_ids, not " + std::to_string(responses));
    ScoreRequest out;
    if (row.contains("prompt")) out.prompt = text_of(row["prompt"], "prompt");
    if (row.contains("messages")) out.prompt = messages_of(row["messages"], "messages");
    if (row.contains("prompt_ids")) out.prompt = ids_of(row["prompt_ids"], "prompt_ids");
    if (row.contains("response")) out.response = text_of(row["response"], "response");
    if (row.contains("response_ids")) out.response = ids_of(row["response_ids"], "response_ids");
    return out;
}

[[noreturn]] void no_rows(const std::string& operation, const std::filesystem::path& file) {
    throw Error(operation, file.string() + ": no rows; write one JSON object a line");
}

}  // namespace

std::vector<ScoreRequest> read_score_requests(const std::filesystem::path& file) {
    const std::string operation = "read requests";
    std::vector<ScoreRequest> out;
    for_each_row(
        file, operation,
        [&](const DataRow& row) {
            ScoreRequest request = request_of(row.value);
            request.line = row.line;
            out.push_back(std::move(request));
        },
        [&](int line, const std::string& fault) { out.push_back({{}, {}, line, fault}); });
    if (out.empty()) no_rows(operation, file);
    return out;
}

// All or nothing, for the ids stand in the order of the lines.
std::vector<std::string> read_texts(const std::filesystem::path& file) {
    const std::string operation = "read texts";
    std::vector<std::string> out;
    for_each_row(
        file, operation, [&](const DataRow& row) { out.push_back(text_of(member(row.value, "text"), "text")); },
        first_bad_row_ends(file, operation));
    if (out.empty()) no_rows(operation, file);
    return out;
}

}  // namespace plumbline
