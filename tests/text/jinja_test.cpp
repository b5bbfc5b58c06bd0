#include "core/text/jinja/jinja_template.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"

namespace plumbline::jinja {
namespace {

constexpr std::chrono::year_month_day day{std::chrono::year{2024}, std::chrono::July, std::chrono::day{26}};

std::string rendered(const std::string& source,
                     const nlohmann::ordered_json& variables = nlohmann::ordered_json::object()) {
    return JinjaTemplate(source).render(variables, day);
}

/// The error's text; empty: none.
std::string error_of(const std::string& source) {
    try {
        rendered(source);
    } catch (const TemplateError& error) {
        return error.what();
    }
    return "";
}

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

TEST(Jinja, DoesWhatJinja2DoesConstructByConstruct) {
    const auto golden = nlohmann::ordered_json::parse(testing::read_whole(testing::golden_path("jinja_cases.json")));
    int texts = 0, errors = 0;
    for (const auto& one : golden["cases"]) {
        const std::string source = one["template"];
        if (one.contains("text")) {
            try {
                EXPECT_EQ(rendered(source, golden["variables"]), one["text"].get<std::string>()) << source;
            } catch (const TemplateError& error) {
                ADD_FAILURE() << source << ": " << error.what();
            }
            ++texts;
        } else {
            EXPECT_THROW(rendered(source, golden["variables"]), TemplateError) << source;
            ++errors;
        }
    }
    EXPECT_EQ(texts, 99);
    EXPECT_EQ(errors, 71);
}

TEST(Jinja, NamesTheLineOfAnError) {
    EXPECT_EQ(error_of("a\nb\n{{ x.y }}"), "line 3: 'x' is undefined");
    EXPECT_EQ(error_of("{% if 1 %}\n{% for x in [1] %}\n{{ 1 + 'a' }}\n{% endfor %}{% endif %}"),
              "line 3: a int + a str is not possible");
    EXPECT_EQ(error_of("\n{% if 1 %}\n\n"), "line 2: a block is not closed; it ends with endif");
    EXPECT_EQ(error_of("{{ 1\n+\n~ }}"), "line 3: expected a value, not '~'");
    EXPECT_EQ(error_of("\n\n{{ 'a\n}}"), "line 3: a text is not closed; it ends with '");
}

/// Templates that would take for ever or fill the memory: each ends with an error, soon.
TEST(Jinja, EndsWhatWouldNotEnd) {
    const std::string loop = "{% for a in range(99999) %}";
    const std::string endless[] = {
        "{% for i in range(10 ** 9) %}{% endfor %}",
        repeated(loop, 3) + repeated("{% endfor %}", 3),
        loop + "{{ 'x' * 10000 }}{% endfor %}",
        "{{ 'x' * 10 ** 12 }}",
        "{{ [1] * 10 ** 12 }}",
        "{% set ns = namespace(t='xxxxxxxx') %}" + loop + "{% set ns.t = ns.t + ns.t %}{% endfor %}",
        "{% set ns = namespace(t=['x']) %}" + loop + "{% set ns.t = ns.t + ns.t %}{% endfor %}",
        "{% set ns = namespace(t=[]) %}" + loop + "{% set ns.t = [ns.t] %}{% endfor %}",
        "{% set ns = namespace(t=[]) %}" + loop +
            "{% set ns.t = [ns.t, ns.t] %}{% if loop.index == 60 %}{{ ns.t }}{% endif %}{% endfor %}",
        "{% set ns = namespace(t={}) %}" + loop +
            "{% set ns.t = {'a': ns.t, 'b': ns.t} %}{% if loop.index == 60 %}{{ ns.t | tojson }}{% endif %}{% endfor "
            "%}",
        "{% set ns = namespace(t=[1]) %}" + loop +
            "{% set ns.t = [ns.t, ns.t] %}{% if ns.t == [ns.t[0], ns.t[0], 1] %}{% endif %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% macro n() %}{% call m() %}{{ n() }}{% endcall %}{% endmacro "
        "%}{{ n() }}",
        "{% set x = ('ab' * 1000000) %}" + loop +
            "{% if x == x ~ 'c' %}{% endif %}{{ x.replace('a', 'bbbb') | length }}{% endfor %}",
        loop + "{{ ('a' * 100000).split('') if false else ('a ' * 50000).split() | length }}{% endfor %}",
        "{{ {'a': [1]} | tojson(indent=100000000) | length }}" + loop +
            "{{ ('\n' * 100000) | indent(1000) }}{% endfor %}",
        "{{ 'x' | indent(10 ** 12, true) }}",
        "{{ strftime_now('%c' * 10 ** 7) }}",
        repeated("{{ (", 1) + repeated("(", 100000) + "1",
        repeated("{% if 1 %}", 100000),
        "{{ " + repeated("-", 100000) + "1 }}",
        "{{ " + repeated("not ", 100000) + "1 }}",
        "{{ 1" + repeated(" + 1", 100000) + " }}",
        "{{ x" + repeated("[0]", 3000) + " }}",
        "{{ 1" + repeated(" if 1 else 1", 1900) + " }}",
        "{% set x = " + repeated("[", 100000) + repeated("]", 100000) + " %}",
        "{% for " + repeated("(", 100000) + "a" + repeated(")", 100000) + " in x %}{% endfor %}",
        "{% set ns = namespace() %}{% set ns.self = ns %}{{ ns }}",
        "{{ 9223372036854775807 + 1 }}",
        "{{ -9223372036854775807 - 2 }}",
        "{{ 10 ** 100 }}",
        "{{ 9223372036854775808 }}",
        "{{ (-9223372036854775807 - 1) // -1 }}",
    };
    for (const std::string& source : endless) {
        const auto begun = std::chrono::steady_clock::now();
        EXPECT_NE(error_of(source), "") << source.substr(0, 200);
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
        EXPECT_LT(taken.count(), 2.0) << source.substr(0, 200);
    }
}

TEST(Jinja, AllowsWhatAPersonMightWrite) {
    EXPECT_EQ(rendered("{{ 'x' * 1000000 }}").size(), 1000000U);
    EXPECT_EQ(rendered("{% for i in range(20000) %}{{ i % 10 }}{% endfor %}").size(), 20000U);
    EXPECT_EQ(
        rendered("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{{ n }}{% endmacro %}{{ m(20) }}").substr(0, 5),
        "01234");
    EXPECT_EQ(rendered("{{ " + repeated("(", 100) + "1" + repeated(")", 100) + " }}"), "1");
    EXPECT_EQ(rendered("{{ 1" + repeated(" + 1", 300) + " }}"), "301");
    EXPECT_EQ(rendered("{{ (-9223372036854775807 - 1) % -1 }}"), "0");
    const std::string long_text(300000, 'w');
    EXPECT_EQ(rendered("{% for m in messages %}{{ m.role + '\n' + m.content | trim + '\n' }}{% endfor %}",
                       {{"messages", {{{"role", "user"}, {"content", long_text}}}}}),
              "user\n" + long_text + "\n");
}

TEST(Jinja, KeepsNamespacesAndMacrosNoLongerThanTheirUse) {
    EXPECT_EQ(
        rendered("{% set a = namespace() %}{% set b = namespace(o=a) %}{% set a.o = b %}{{ a.o.o.o is defined }}"),
        "True");
    EXPECT_EQ(error_of("{% set ns = namespace() %}{% for i in [1] %}{% macro m() %}{{ i }}{% endmacro %}{% set ns.m = "
                       "m %}{% endfor %}{{ ns.m() }}"),
              "line 1: the macro 'm' is called outside the block that it stands in");
}

TEST(Jinja, SurvivesAnyCutAndAnyChangedByte) {
    const std::string known = testing::read_whole(testing::golden_path("chat_templates/mistral_v3.jinja"));
    const nlohmann::ordered_json variables = {{"messages", {{{"role", "user"}, {"content", "Hi"}}}},
                                              {"bos_token", "<s>"}};
    int read = 0;
    const auto attempt = [&](const std::string& source) {
        try {
            rendered(source, variables);
            ++read;
        } catch (const TemplateError& error) {
            EXPECT_GT(error.line(), 0) << error.what();
        }
    };
    for (std::size_t at = 0; at < known.size(); ++at) {
        attempt(known.substr(0, at));
        std::string changed = known;
        changed[at] = "{}%'\"(|-\\\xFF"[at % 10];
        attempt(changed);
    }
    EXPECT_GT(read, 100);
}

}   // namespace
}   // namespace plumbline::jinja
