#include "core/sampling/generator.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/Parallel.h>

#include "core/model/kv_cache.h"
#include "core/sampling/token_sampler.h"

namespace plumbline {

using at::Tensor;

std::vector<Reply> generate_replies(const Decoder& decoder, const Adapter* adapter, const GenerationRequest& request,
                                    const Pulse& pulse, const TokenSink& on_token) {
    at::NoGradGuard no_grad;
    const std::unique_ptr<Adapter> laid_out = adapter ? adapter->laid_out() : nullptr;
    if (laid_out) {
        adapter = laid_out.get();
    }
    const auto prompts = static_cast<int>(request.prompts.size());
    const int rows = prompts * request.samples;
    std::vector<Reply> replies(rows);
    KvCache cache(decoder.config(), rows, request.sampling.max_new_tokens, decoder.device());

    // Each prompt once; its last state serves all its rows.
    std::vector<Tensor> states;
    for (int p = 0; p < prompts; ++p) {
        const std::vector<int>& ids = request.prompts[p].ids;
        cache.add_group(request.samples, static_cast<std::int64_t>(ids.size()));
        const Tensor tokens = at::tensor(std::vector<std::int64_t>(ids.begin(), ids.end()),
                                         at::TensorOptions().dtype(at::kLong));
        states.push_back(decoder.prefill(tokens, cache, adapter, pulse).expand({request.samples, -1}));
        for (int s = 0; s < request.samples; ++s) {
            replies[p * request.samples + s].prompt = p;
            replies[p * request.samples + s].sample = s;
        }
    }
    Tensor h = at::cat(states, 0);   // (R, D)

    std::vector<std::int64_t> live(rows);   // batch row -> reply
    for (int r = 0; r < rows; ++r) {
        live[r] = r;
    }
    std::vector<TokenSampler> samplers(at::get_num_threads());
    for (int position = 0; !live.empty(); ++position) {
        pulse.check();
        const Tensor logits = decoder.logits(h, adapter).to(at::kCPU).contiguous();   // (R, V)
        const auto vocabulary = static_cast<std::size_t>(logits.size(1));
        std::vector<SampledToken> tokens(live.size());
        at::parallel_for(0, static_cast<std::int64_t>(live.size()), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                const Reply& reply = replies[live[row]];
                const double u = uniform({request.seed, request.stream, request.prompts[reply.prompt].number,
                                          static_cast<std::uint32_t>(reply.sample),
                                          static_cast<std::uint32_t>(position)});
                tokens[row] = samplers[at::get_thread_num()].sample(
                    {logits.const_data_ptr<float>() + row * vocabulary, vocabulary}, request.sampling, u);
            }
        });

        std::vector<std::int64_t> next_ids, next_live, kept_rows;
        for (std::size_t row = 0; row < live.size(); ++row) {
            Reply& reply = replies[live[row]];
            reply.ids.push_back(tokens[row].id);
            reply.logprobs.push_back(static_cast<float>(tokens[row].logprob));
            const bool eos = request.ends.contains(tokens[row].id);
            const bool ended = eos || static_cast<int>(reply.ids.size()) >= request.sampling.max_new_tokens;
            if (eos) {
                reply.finish = Finish::eos;
            }
            if (on_token) {
                on_token(static_cast<int>(live[row]), tokens[row].id, ended);
            }
            if (!ended) {
                next_ids.push_back(tokens[row].id);
                next_live.push_back(live[row]);
                kept_rows.push_back(static_cast<std::int64_t>(row));
            }
        }
        if (next_live.empty()) {
            break;
        }
        if (next_live.size() < live.size()) {
            cache.keep_rows(kept_rows);
        }
        live = std::move(next_live);
        h = decoder.step(at::tensor(next_ids, at::TensorOptions().dtype(at::kLong)), cache, adapter);
    }
    return replies;
}

}  // namespace plumbline
