#include "core/lab/row_checks.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/api/errors.h"
#include "core/model/language_model.h"

namespace plumbline {

namespace {

bool all_finite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

/// What is wrong with a reply; empty: nothing.
std::string fault_of(const StoredCandidate& reply, const LanguageModel& model) {
    const std::size_t tokens = reply.ids.size();
    const int vocabulary = model.tokenizer().vocab_size();
    const auto outside =
        std::find_if(reply.ids.begin(), reply.ids.end(), [&](int id) { return id < 0 || id >= vocabulary; });
    if (tokens == 0) {
        return "has no tokens";
    }
    if (outside != reply.ids.end()) {
        return "has the token " + std::to_string(*outside) + ", not one of the model's " +
               std::to_string(vocabulary);
    }
    for (const auto* values : {&reply.logprobs, &reply.reference_logprobs, &reply.reference_logprobs_t1}) {
        if (values->size() != tokens) {
            return "has " + std::to_string(tokens) + " tokens but " + std::to_string(values->size()) +
                   " log-probabilities";
        }
        if (!all_finite(*values)) {
            return "has a log-probability that is not a finite number";
        }
    }
    const auto hidden = static_cast<std::size_t>(model.decoder().config().hidden);
    if (reply.features.size() != hidden) {
        return "has " + std::to_string(reply.features.size()) + " features, the model " +
               std::to_string(hidden);
    }
    return all_finite(reply.features) ? "" : "has a feature that is not a finite number";
}

}  // namespace

std::string fault_of(const Verdict& verdict, int shown) {
    const std::vector<int>& places = verdict.places;
    if (verdict.choice == Choice::thumbs) {
        const bool sound = static_cast<int>(places.size()) == shown &&
                           std::all_of(places.begin(), places.end(), [](int mark) { return mark >= -1 && mark <= 1; }) &&
                           std::any_of(places.begin(), places.end(), [](int mark) { return mark != 0; });
        return sound ? "" : "needs a thumb, 1, -1 or 0, for each of the " + std::to_string(shown) + " replies";
    }
    if (verdict.choice != Choice::ranking) {
        return places.empty() ? "" : "has places, which only a ranking or thumbs have";
    }
    std::set<int> seen;
    for (const int place : places) {
        if (place < 0 || place >= shown || !seen.insert(place).second) {
            return "ranks reply " + std::to_string(place) + ", which is not one of the " + std::to_string(shown) +
                   " shown or comes twice";
        }
    }
    return seen.empty() ? "ranks no reply" : "";
}

void require_sound_rows(const std::filesystem::path& file, const LanguageModel& model,
                        const std::map<std::int64_t, std::string>& prompts,
                        const std::map<std::int64_t, StoredGeneration>& generations,
                        const std::vector<StoredLabel>& labels) {
    const auto damaged = [&](const std::string& what) {
        throw Error("open project", file.string() + ": " + what + "; the file is damaged, open a copy of it");
    };
    for (const auto& [id, generation] : generations) {
        const std::string pair = "pair " + std::to_string(id);
        if (!prompts.contains(generation.prompt_id)) {
            damaged(pair + " belongs to prompt " + std::to_string(generation.prompt_id) +
                    ", which is not there");
        }
        if (generation.left == generation.right && !generation.imported) {
            damaged(pair + " shows reply " + std::to_string(generation.left) + " twice");
        }
        std::set<std::int64_t> seen;
        for (const std::int64_t side : generation.shown()) {
            if (!seen.insert(side).second) {
                damaged(pair + " shows reply " + std::to_string(side) + " twice");
            }
            if (std::none_of(generation.candidates.begin(), generation.candidates.end(),
                             [&](const StoredCandidate& c) { return c.id == side; })) {
                damaged(pair + " shows reply " + std::to_string(side) + ", which is not one of its own");
            }
        }
        for (const StoredCandidate& reply : generation.candidates) {
            if (generation.imported && reply.ids.empty()) {
                continue;   // not learned yet
            }
            if (const std::string fault = fault_of(reply, model); !fault.empty()) {
                damaged("reply " + std::to_string(reply.id) + " " + fault);
            }
        }
    }
    for (const StoredLabel& label : labels) {
        if (!generations.contains(label.generation_id)) {
            damaged("label " + std::to_string(label.id) + " belongs to pair " +
                    std::to_string(label.generation_id) + ", which is not there");
        }
        const int shown = static_cast<int>(generations.at(label.generation_id).shown().size());
        if (const std::string fault = fault_of(label.verdict, shown); !fault.empty()) {
            damaged("label " + std::to_string(label.id) + " " + fault);
        }
    }
}

}  // namespace plumbline
