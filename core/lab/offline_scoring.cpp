// One-shot work with a model: inspect, tokenize, score, generate.

#include "core/model/lora.h"
#include "core/api/offline.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/formats/model_files.h"
#include "core/formats/peft.h"
#include "core/lab/machine.h"
#include "core/lab/opened_model.h"
#include "core/sampling/generator.h"
#include "core/text/reply_streams.h"
#include "core/training/policy.h"
#include "core/training/reward_model.h"

namespace plumbline {

using at::Tensor;

OpenedModel::OpenedModel(const std::string& name, const EngineOptions& options, const Job& job)
    : pulse{{}, job.stop} {
    const at::Device device = find_device(options.device);
    threads = use_threads(options.threads);
    model = LanguageModel::open(name, precision_of(options.dtype), pulse, [&](double fraction) {
        if (job.progress) {
            job.progress(fraction, "loading " + name);
        }
    }, device);
    if (!options.chat_template.empty()) {
        model = model->with_chat_template(options.chat_template);
    }
}

std::vector<int> OpenedModel::prompt_ids(const std::variant<std::string, std::vector<Message>, std::vector<int>>& prompt) const {
    if (const auto* text = std::get_if<std::string>(&prompt)) {
        return model->plain_prompt(*text);
    }
    if (const auto* messages = std::get_if<std::vector<Message>>(&prompt)) {
        return model->render(*messages);
    }
    return std::get<std::vector<int>>(prompt);
}

Sequence OpenedModel::sequence(const std::vector<int>& prompt, const std::vector<int>& reply, int max_length) const {
    const int vocabulary = model->tokenizer().vocab_size();
    Sequence out = join(prompt, reply);
    for (const int id : out.ids) {
        if (id < 0 || id >= vocabulary) {
            throw Error("read tokens", "token " + std::to_string(id) + " is not below the vocabulary's " +
                                           std::to_string(vocabulary) + "; check the model");
        }
    }
    if (reply.empty()) {
        throw Error("read reply", "the reply is empty; give at least one token");
    }
    const std::int64_t limit = std::min<std::int64_t>(max_length > 0 ? max_length : INT64_MAX, model->decoder().config().context);
    if (static_cast<std::int64_t>(out.ids.size()) > limit) {
        throw Error("read reply", "prompt and reply have " + std::to_string(out.ids.size()) + " tokens, over the limit of " +
                                      std::to_string(limit) + "; shorten them");
    }
    return out;
}

std::optional<LoraAdapter> OpenedModel::adapter(const std::string& folder) const {
    if (folder.empty()) {
        return std::nullopt;
    }
    return LoraAdapter::from_peft(model->decoder().config(), read_peft(folder), model->decoder().device());
}

namespace {

Sequence request_sequence(const OpenedModel& opened, const ScoreRequest& request) {
    const auto* text = std::get_if<std::string>(&request.response);
    const std::vector<int> reply = text ? opened.model->tokenizer().encode(*text, SpecialTokens::parse)
                                        : std::get<std::vector<int>>(request.response);
    return opened.sequence(opened.prompt_ids(request.prompt), reply, 0);
}

std::vector<double> to_doubles(const Tensor& t) {
    const Tensor plain = t.to(at::kCPU, at::kDouble).contiguous();
    return {plain.const_data_ptr<double>(), plain.const_data_ptr<double>() + plain.numel()};
}

void report(const Job& job, std::size_t done, std::size_t all, const char* what) {
    if (job.progress) {
        job.progress(static_cast<double>(done) / static_cast<double>(all), what);
    }
}

}  // namespace

ModelInfo inspect_model(const std::string& model, const std::string& dtype) {
    const std::filesystem::path path = resolve_model(model);
    const ModelFiles files(path);
    return describe_model(files, model_name(path), precision_of(dtype),
                          chat_template_of(files.chat_template(), *files.tokenizer()));
}

std::vector<TokenizeResult> tokenize(const std::string& model, const std::vector<std::string>& texts) {
    const auto tokenizer = read_tokenizer(resolve_model(model));
    std::vector<TokenizeResult> out;
    for (const std::string& text : texts) {
        TokenizeResult result;
        result.ids = tokenizer->encode(text, SpecialTokens::parse);
        result.text = tokenizer->decode(result.ids);
        out.push_back(std::move(result));
    }
    return out;
}

std::vector<LogprobsResult> logprobs(const std::string& model, const std::string& adapter,
                                     const std::vector<ScoreRequest>& requests, const EngineOptions& options,
                                     const Job& job) {
    const OpenedModel opened(model, options, job);
    const auto lora = opened.adapter(adapter);
    at::NoGradGuard no_grad;
    std::vector<LogprobsResult> out;
    for (const ScoreRequest& request : requests) {
        opened.pulse.check();
        const Sequence sequence = request_sequence(opened, request);
        LogprobsResult result;
        result.ids.assign(sequence.ids.begin() + sequence.prompt_length, sequence.ids.end());
        result.logprobs = to_doubles(policy_logprobs(opened.model->decoder(), lora ? &*lora : nullptr,
                                                     pack({&sequence, 1}), Tensor(), 1.0, opened.pulse));
        for (const double l : result.logprobs) {
            result.sum += l;
        }
        out.push_back(std::move(result));
        report(job, out.size(), requests.size(), "scoring");
    }
    return out;
}

std::vector<GenerateResult> generate(const std::string& model, const std::string& adapter,
                                     const GenerateRequest& request, const EngineOptions& options, const Job& job,
                                     const std::function<void(int, const std::string&)>& on_text) {
    validate(request.sampling);
    if (request.n < 1 || request.n > 256) {
        throw ConfigError("generate", "n " + std::to_string(request.n) + " is out of range; choose 1..256");
    }
    const OpenedModel opened(model, options, job);
    const auto lora = opened.adapter(adapter);
    const Tokenizer& tokenizer = opened.model->tokenizer();
    const GenerationPrompt prompt{request.chat ? opened.model->chat_prompt(request.system_prompt, request.prompt)
                                               : opened.model->plain_prompt(request.prompt),
                                  0};
    opened.model->require_room(prompt.ids.size(), request.sampling.max_new_tokens);
    GenerationRequest generation;
    generation.prompts = {&prompt, 1};
    generation.samples = request.n;
    generation.sampling = request.sampling;
    generation.seed = request.seed;
    generation.ends = opened.model->ends();
    ReplyStreams streams(tokenizer, request.n, [&](int sample, const std::string& part, int, bool) {
        if (on_text && !part.empty()) {
            on_text(sample, part);
        }
    });
    const auto replies =
        generate_replies(opened.model->decoder(), lora ? &*lora : nullptr, generation, opened.pulse,
                         [&](int row, int id, bool ended) { streams.push(row, id, ended); });
    std::vector<GenerateResult> out;
    for (const Reply& reply : replies) {
        GenerateResult result;
        result.sample = reply.sample;
        result.ids = reply.ids;
        result.text = streams.text(reply.sample);
        result.logprobs.assign(reply.logprobs.begin(), reply.logprobs.end());
        result.finish = reply.finish;
        out.push_back(std::move(result));
    }
    return out;
}

std::vector<RewardResult> rewards(const std::string& model, const std::string& adapter,
                                  const std::vector<ScoreRequest>& requests, const EngineOptions& options,
                                  const Job& job) {
    const OpenedModel opened(model, options, job);
    const RewardModel reward = RewardModel::read(opened.model->decoder().config(), adapter,
                                                 opened.model->decoder().device());
    at::NoGradGuard no_grad;
    std::vector<RewardResult> out;
    for (const ScoreRequest& request : requests) {
        opened.pulse.check();
        const Sequence sequence = request_sequence(opened, request);
        RewardResult result;
        result.token_rewards =
            to_doubles(token_rewards(opened.model->decoder(), reward, pack({&sequence, 1}), opened.pulse));
        result.reward = result.token_rewards.back();
        out.push_back(std::move(result));
        report(job, out.size(), requests.size(), "scoring");
    }
    return out;
}

}  // namespace plumbline
