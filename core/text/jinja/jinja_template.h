#pragma once
// Start here: a chat template's Jinja text, read once, rendered often.

#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/jinja/work.h"

namespace plumbline::jinja {

struct Statement;

/// Immutable; may be used from any thread. The language is Jinja's as the transformers library sets it up for chat
/// templates, without what reads other files. A rendering ends with an error before it takes long or much memory.
class JinjaTemplate {
  public:
    /// Throws TemplateError with the line.
    explicit JinjaTemplate(std::string_view source);

    /// `today` is what strftime_now tells. Throws TemplateError with the line.
    std::string render(const nlohmann::ordered_json& variables, std::chrono::year_month_day today) const;

  private:
    std::shared_ptr<const std::vector<Statement>> body_;
};

}  // namespace plumbline::jinja
