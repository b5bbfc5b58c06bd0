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
        own_template = options.chat_template;
        model = model->with_chat_template(own_template);
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

/// One result a request, in order: what `score` makes of it, or why there is none.
template <class Result, class Score>
std::vector<Result> score_each(const OpenedModel& opened, const std::vector<ScoreRequest>& requests, const Job& job,
                               const Score& score) {
    at::NoGradGuard no_grad;
    std::vector<Result> out;
    bool any = false;
    for (const ScoreRequest& request : requests) {
        opened.pulse.check();
        Result& result = out.emplace_back();
        result.fault = request.fault;
        if (result.fault.empty()) {
            try {
                score(request_sequence(opened, request), result);
                any = true;
            } catch (const Error& error) {
                result.fault = error.what();
            }
        }
        if (job.progress) {
            job.progress(static_cast<double>(out.size()) / static_cast<double>(requests.size()), "scoring");
        }
    }
    if (!any && !out.empty()) {
        const int line = requests.front().line;
        throw Error("score", "no row can be used (" + (line > 0 ? "line " + std::to_string(line) + ": " : "") +
                                 out.front().fault + "); correct the rows");
    }
    return out;
}

}  // namespace

ModelInfo inspect_model(const std::string& model, const std::string& dtype, const std::string& chat_template) {
    const std::filesystem::path path = resolve_model(model);
    const ModelFiles files(path);
    return describe_model(
        files, model_name(path), precision_of(dtype),
        chat_template_of(chat_template.empty() ? files.chat_template() : chat_template, *files.tokenizer()));
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
    return score_each<LogprobsResult>(opened, requests, job, [&](const Sequence& sequence, LogprobsResult& result) {
        result.ids.assign(sequence.ids.begin() + sequence.prompt_length, sequence.ids.end());
        result.logprobs = to_doubles(policy_logprobs(opened.model->decoder(), lora ? &*lora : nullptr,
                                                     pack({&sequence, 1}), Tensor(), 1.0, opened.pulse));
        for (const double l : result.logprobs) {
            result.sum += l;
        }
    });
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
    return score_each<RewardResult>(opened, requests, job, [&](const Sequence& sequence, RewardResult& result) {
        result.token_rewards =
            to_doubles(token_rewards(opened.model->decoder(), reward, pack({&sequence, 1}), opened.pulse));
        result.reward = result.token_rewards.back();
    });
}

}  // namespace plumbline
