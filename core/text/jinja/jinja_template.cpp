#include "core/text/jinja/jinja_template.h"

#include <nlohmann/json.hpp>

#include "core/text/jinja/interpreter.h"
#include "core/text/utf8_stream.h"

namespace plumbline::jinja {

JinjaTemplate::JinjaTemplate(std::string_view source)
    : body_(std::make_shared<const Body>(parse(valid_utf8(source)))) {}

std::string JinjaTemplate::render(const nlohmann::ordered_json& variables, std::chrono::year_month_day today) const {
    return Interpreter(today).render(*body_, variables);
}

}  // namespace plumbline::jinja
