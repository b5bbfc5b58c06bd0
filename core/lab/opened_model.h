#pragma once
// A model opened for one-shot work, and the reading of its inputs.

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/model/lora.h"
#include "core/api/offline.h"
#include "core/model/language_model.h"

namespace plumbline {

struct OpenedModel {
    OpenedModel(const std::string& name, const EngineOptions& options, const Job& job);

    std::vector<int> prompt_ids(const std::variant<std::string, std::vector<Message>, std::vector<int>>& prompt) const;
    /// Checked: ids within the vocabulary, a reply of at least one token, no longer than max_length (0: the context).
    Sequence sequence(const std::vector<int>& prompt, const std::vector<int>& reply, int max_length) const;
    std::optional<LoraAdapter> adapter(const std::string& folder) const;   // nullopt for ""

    Pulse pulse;
    int threads = 0;
    std::shared_ptr<const LanguageModel> model;
    std::string own_template;   // Jinja text in place of the model's; empty: the model's
};

}  // namespace plumbline
