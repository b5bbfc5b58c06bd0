// generate: candidates for one prompt, in one batch.

#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/options.h"

namespace plumbline::cli {
namespace {

struct GenerateOptions {
    std::string model, adapter;
    GenerateRequest request;
    SessionConfig settings;  // for its sampling fields, which state range and meaning
    EngineOptions engine;
};

const char* name_of(Finish finish) {
    switch (finish) {
        case Finish::eos:
            return "eos";
        case Finish::length:
            return "length";
        case Finish::stop:
            return "stop";
    }
    return "";
}

void print(const GenerateResult& result, bool of_many, Console& console) {
    if (console.json()) {
        console.object({{"sample", result.sample},
                        {"text", result.text},
                        {"ids", result.ids},
                        {"logprobs", result.logprobs},
                        {"finish", name_of(result.finish)}});
        return;
    }
    if (of_many) {
        console.line("--- sample " + std::to_string(result.sample) + ", " +
                     std::to_string(result.ids.size()) + " tokens, " + name_of(result.finish));
    }
    console.line(result.text);
}

void run_generate(GenerateOptions& options, Work& work) {
    options.request.sampling = options.settings.sampling;
    std::function<void(int, const std::string&)> on_text;
    const bool streams = work.console.streams() && options.request.n == 1;
    if (streams) {
        on_text = [&](int, const std::string& part) { work.console.part(part); };
    }
    const auto results =
        generate(options.model, options.adapter, options.request, options.engine, work.job(), on_text);
    if (streams) {
        work.console.part("\n");
        return;
    }
    for (const GenerateResult& result : results) {
        print(result, results.size() > 1, work.console);
    }
}

std::string capitalised(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    }
    return text;
}

/// An option that sets the session setting `key`, with its range, meaning and default.
void add_setting(CLI::App& command, const std::string& option, const std::string& key,
                 SessionConfig& settings) {
    for (const FieldInfo& field : describe(settings)) {
        if (field.key != key) {
            continue;
        }
        command
            .add_option_function<std::string>(
                option, [&settings, key](const std::string& value) { set_field(settings, key, value); },
                capitalised(field.help) + ", " + field.range + " (default " + field.value + ")")
            ->option_text("N");
    }
}

}  // namespace

void add_generate(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<GenerateOptions>();
    CLI::App* command =
        add_command(app, invocation, "generate", "Write replies to a prompt, all in one batch",
                    [options](Work& work) { run_generate(*options, work); });
    add_model(*command, options->model);
    command->add_option("--prompt", options->request.prompt, "The prompt; required")
        ->required()
        ->option_text("T");
    command->add_flag("--chat", options->request.chat, "Put the prompt into the model's chat template");
    command
        ->add_option("--system", options->request.system_prompt,
                     "With --chat: the system message (default: the template's own)")
        ->option_text("T")
        ->needs("--chat");
    add_number(*command, "-n", options->request.n, 1, 256, "Replies");
    add_setting(*command, "--max-new-tokens", "max_new_tokens", options->settings);
    add_setting(*command, "--temperature", "temperature", options->settings);
    add_setting(*command, "--top-k", "top_k", options->settings);
    add_setting(*command, "--top-p", "top_p", options->settings);
    add_setting(*command, "--min-p", "min_p", options->settings);
    add_adapter(*command, options->adapter, "PEFT folder of a LoRA adapter to write with");
    add_seed(*command, options->request.seed, RandomNumbers::drawn);
    add_chat_template(*command, options->engine.chat_template);
    add_engine_options(*command, options->engine);
    add_output_options(*command, invocation);
}

}  // namespace plumbline::cli
