// The simulated people by name.

#include <array>

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

}  // namespace

std::vector<CatalogJudge> catalog_judges() {
    std::vector<CatalogJudge> out;
    for (const Entry& entry : entries) {
        out.push_back({entry.name, entry.summary});
    }
    return out;
}

std::unique_ptr<Judge> make_judge(const std::string& name, const JudgeOptions& options) {
    if (!(options.noise >= 0 && options.noise <= 0.5)) {
        throw ConfigError("judge", "noise is " + std::to_string(options.noise) + "; use 0..0.5");
    }
    std::string names;
    for (const Entry& entry : entries) {
        if (name == entry.name) {
            if (name == "keyword" && count_words(options.keyword) == 0) {
                throw ConfigError("judge", "the keyword '" + options.keyword + "' has no word; name one");
            }
            std::unique_ptr<Judge> judge = entry.make();
            judge->options = options;
            return judge;
        }
        names += (names.empty() ? "" : ", ") + std::string(entry.name);
    }
    throw ConfigError("judge", "there is no judge '" + name + "'; use one of " + names);
}

}  // namespace plumbline
