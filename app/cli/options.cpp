#include "app/cli/options.h"

#include <limits>

#include "app/cli/command.h"
#include "app/cli/input_file.h"
#include "app/cli/text_table.h"

namespace plumbline::cli {
namespace {

bool is_device(const std::string& text) {
    const std::string_view cuda = "cuda:";
    if (text == "auto" || text == "cpu" || text == "cuda") {
        return true;
    }
    const std::string index = text.starts_with(cuda) ? text.substr(cuda.size()) : "";
    return !index.empty() && index.size() <= 3 && index.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

void add_model(CLI::App& command, std::string& model) {
    command.add_option("MODEL", model, "A .gguf file, a Hugging Face folder, or a name from `plumbline-cli models`")
        ->required()
        ->option_text(" ");
}

void add_seed(CLI::App& command, std::uint64_t& seed, RandomNumbers use) {
    const std::string help = use == RandomNumbers::drawn
                                 ? "Random numbers: the same seed gives the same results"
                                 : "No effect here: this command draws no random numbers";
    add_number<std::uint64_t>(command, "--seed", seed, 0, std::numeric_limits<std::uint64_t>::max(), help)
        ->description(help + ", 0..2^64-1 (default 0)");
}

void add_engine_options(CLI::App& command, EngineOptions& options) {
    command.add_option("--threads", options.threads, "Arithmetic threads, 1..1024 (default: physical cores)")
        ->option_text("N")
        ->check(CLI::Range(1, 1024));
    command.add_option("--device", options.device, "auto, cpu, cuda or cuda:INDEX (default auto)")
        ->option_text("D")
        ->check([](const std::string& text) {
            return is_device(text) ? std::string()
                                   : "'" + text + "' is no device; use auto, cpu, cuda or cuda:INDEX";
        });
    add_dtype(command, options.dtype);
}

void add_dtype(CLI::App& command, std::string& dtype) {
    command.add_option("--dtype", dtype, "Arithmetic of the frozen weights: f32 or bf16 (default f32)")
        ->option_text("T")
        ->check([](const std::string& text) {
            return text == "f32" || text == "bf16" ? std::string() : "'" + text + "' is neither f32 nor bf16";
        });
}

CLI::Option* add_adapter(CLI::App& command, std::string& adapter, const std::string& help) {
    return command.add_option("--adapter", adapter, help)->option_text("DIR");
}

void add_chat_template(CLI::App& command, std::string& chat_template) {
    const auto read = [&chat_template](const std::string& file) { chat_template = text_of_file("read chat template", file); };
    command
        .add_option_function<std::string>("--chat-template", read,
                                          "A Jinja file in place of the model's chat template (default: the model's own)")
        ->option_text("FILE");
}

void add_config(CLI::App& command, std::vector<std::string>& assignments) {
    command.add_option("--config", assignments, "A setting of the list below; may be given again")
        ->option_text("KEY=VALUE")
        ->allow_extra_args(false);
}

std::string key_table(const std::vector<FieldInfo>& fields) {
    TextTable table(
        {{"  key", Align::left}, {"default", Align::left, 8}, {"range", Align::left}, {"", Align::left}});
    std::vector<std::vector<std::string>> rows;
    for (const FieldInfo& field : fields) {
        // A long text, the system prompt, would push the table off the screen.
        const bool is_long = field.value.size() > 16;
        rows.push_back({"  " + field.key, is_long ? "a text" : field.value, field.range, field.help});
        table.fit(rows.back());
        if (is_long) {
            rows.back()[3] += "; by default: " + field.value;
        }
    }
    std::string out = table.header() + "\n";
    for (const auto& row : rows) {
        out += table.line(row) + "\n";
    }
    return out;
}

std::pair<std::string, std::string> split_assignment(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
        throw UsageError("--config '" + text + "' has no key and value; write KEY=VALUE, such as lr=0.0001");
    }
    return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace plumbline::cli
