// info, tokenize: what needs no arithmetic.

#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/input_file.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"
#include "core/api/memory_forecast.h"

namespace plumbline::cli {
namespace {

std::string megabytes(std::int64_t bytes) {
    return std::to_string((bytes + 500000) / 1000000) + " MB";
}

std::string millions(std::int64_t parameters) {
    return parameters < 1000000 ? std::to_string(parameters)
                                : figure(static_cast<double>(parameters) / 1e6) + " M";
}

struct InfoOptions {
    std::string model;
    std::string dtype = "f32";
    std::string chat_template;
};

void run_info(const InfoOptions& options, Work& work) {
    const ModelInfo info = inspect_model(options.model, options.dtype, options.chat_template);
    const std::vector<MemoryForecast> forecast = forecast_memory(options.model, options.dtype);
    if (work.console.json()) {
        Json peaks = Json::object();
        for (const MemoryForecast& each : forecast) {
            peaks[each.work] = each.bytes;
        }
        work.console.object({{"architecture", info.architecture},
                             {"parameters", info.parameters},
                             {"layers", info.layers},
                             {"hidden", info.hidden},
                             {"heads", info.heads},
                             {"kv_heads", info.kv_heads},
                             {"vocab", info.vocab},
                             {"context", info.context},
                             {"dtype", info.dtype},
                             {"template", info.chat_template},
                             {"name", info.name},
                             {"path", info.path},
                             {"file_dtype", info.file_dtype},
                             {"template_note", info.chat_template_note},
                             {"memory_bytes", info.memory_bytes},
                             {"peak_bytes", peaks}});
        return;
    }
    const std::pair<const char*, std::string> rows[] = {
        {"name", info.name},
        {"file", info.path},
        {"architecture", info.architecture},
        {"parameters", millions(info.parameters)},
        {"layers", std::to_string(info.layers)},
        {"hidden", std::to_string(info.hidden)},
        {"heads", std::to_string(info.heads) + ", " + std::to_string(info.kv_heads) + " of keys and values"},
        {"vocabulary", std::to_string(info.vocab) + " tokens"},
        {"context", std::to_string(info.context) + " tokens"},
        {"weights", info.file_dtype + " in the file, arithmetic in " + info.dtype},
        {"chat template",
         info.chat_template + (info.chat_template_note.empty() ? "" : " (" + info.chat_template_note + ")")},
        {"memory", "about " + megabytes(info.memory_bytes)},
    };
    const TextTable table({{"", Align::left, 14}, {"", Align::left}});
    for (const auto& [name, value] : rows) {
        work.console.line(table.line({name, value}));
    }
    for (const MemoryForecast& each : forecast) {
        work.console.line(table.line({each.work, "peaks at about " + megabytes(each.bytes) + " (" + each.summary + ")"}));
    }
}

struct TokenizeOptions {
    std::string model, file;
    std::vector<std::string> texts;
};

void run_tokenize(const TokenizeOptions& options, Work& work) {
    const std::vector<std::string> texts = options.file.empty() ? options.texts : json_texts(options.file);
    for (const TokenizeResult& result : tokenize(options.model, texts)) {
        if (work.console.json()) {
            work.console.object({{"ids", result.ids}, {"text", result.text}});
            continue;
        }
        std::string ids;
        for (const int id : result.ids) {
            ids += (ids.empty() ? "" : " ") + std::to_string(id);
        }
        work.console.line(ids);
        work.console.line(result.text);
    }
}

}  // namespace

void add_info(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<InfoOptions>();
    CLI::App* command =
        add_command(app, invocation, "info", "Show a model's family, sizes, template and memory need",
                    [options](Work& work) { run_info(*options, work); });
    add_model(*command, options->model);
    add_dtype(*command, options->dtype);
    add_chat_template(*command, options->chat_template);
    add_output_options(*command, invocation);
}

void add_tokenize(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<TokenizeOptions>();
    CLI::App* command = add_command(app, invocation, "tokenize", "Turn text into token ids and back",
                                    [options](Work& work) { run_tokenize(*options, work); });
    add_model(*command, options->model);
    auto* source = command->add_option_group("Text", "Where the text comes from");
    source->add_option("--text", options->texts, "The text; may be given again")
        ->option_text("T")
        ->allow_extra_args(false);
    source->add_option("--jsonl", options->file, "A file of JSON lines {\"text\"}; - is standard input")
        ->option_text("FILE");
    source->require_option(1);
    add_output_options(*command, invocation);
}

}  // namespace plumbline::cli
