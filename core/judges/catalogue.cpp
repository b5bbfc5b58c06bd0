// The simulated people by name.

#include <array>
#include <sstream>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/judges/rules.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

struct Entry {
    const char* name;
    const char* summary;
    std::unique_ptr<Judge> (*make)();
};

constexpr std::array<Entry, 7> entries = {{
    {"polite", "prefers the reply with more polite words", make_polite_judge},
    {"rude", "prefers the reply with more rude words", make_rude_judge},
    {"short", "prefers the reply with fewer words", make_short_judge},
    {"long", "prefers the reply with more words", make_long_judge},
    {"no-first-person", "prefers the reply that says I, me or my less often", make_no_first_person_judge},
    {"concrete", "prefers the reply with more numbers, measures, steps and examples", make_concrete_judge},
    {"keyword", "prefers the reply that has the keyword more often", make_keyword_judge},
}};

void require(const char* name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
        std::ostringstream text;
        text << name << " is " << value << "; use " << least << ".." << most;
        throw ConfigError("judge", text.str());
    }
}

void validate(const JudgeOptions& options) {
    require("noise", options.noise, 0, 0.5);
    require("tie_share", options.tie_share, 0, 1);
    require("position_bias", options.position_bias, 0, 1);
    require("length_bias", options.length_bias, -1000, 1000);
    require("intransitivity", options.intransitivity, 0, 1);
}

}  // namespace

std::vector<CatalogJudge> catalog_judges() {
    std::vector<CatalogJudge> out;
    for (const Entry& entry : entries) {
        out.push_back({entry.name, entry.summary});
    }
    return out;
}

std::unique_ptr<Judge> make_judge(const std::string& name, const JudgeOptions& options) {
    validate(options);
    std::unique_ptr<Judge> judge;
    std::string names;
    constexpr std::string_view rule = "rule:";
    if (name.starts_with(rule)) {
        judge = make_rule_judge(name.substr(rule.size()));
    }
    for (const Entry& entry : entries) {
        if (name == entry.name) {
            judge = entry.make();
        }
        names += std::string(entry.name) + ", ";
    }
    if (!judge) {
        throw ConfigError("judge", "there is no judge '" + name + "'; use one of " + names +
                                       "or rule: and a rule, e.g. rule:length(20)");
    }
    if (name == "keyword" && count_words(options.keyword) == 0) {
        throw ConfigError("judge", "the keyword '" + options.keyword + "' has no word; name one");
    }
    judge->options = options;
    return judge;
}

}  // namespace plumbline
