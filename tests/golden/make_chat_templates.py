"""Chat templates as the transformers library renders them.

Run with transformers and jinja2 installed:  python tests/golden/make_chat_templates.py
writes jinja_cases.json (the template language, construct by construct) and chat_templates.json (the templates of
model families in chat_templates/, over several dialogues) beside this script.

chat_templates/*.jinja: qwen2_5, qwen3 (Apache-2.0, Alibaba Cloud) and phi3 (MIT, Microsoft) are those models' own;
mistral_v1, mistral_v3, mistral_tekken, zephyr, olmo2 and smollm3 follow their models' (Apache-2.0, MIT), shortened where
tools or a long system text stand; llama2, llama3, llama3_1, gemma2 and gemma3 were written for this test: what they write
is what those models expect, their words are not.
"""

import datetime
import json
import pathlib

import jinja2
import transformers
from transformers.utils import chat_template_utils

HERE = pathlib.Path(__file__).parent
TODAY = datetime.datetime(2024, 7, 26)
VERSIONS = {"transformers": transformers.__version__, "jinja2": jinja2.__version__}


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return TODAY


chat_template_utils.datetime = Clock

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": " Hi there "},
    {"role": "assistant", "content": "Hello!\n"},
    {"role": "user", "content": "Grüße, 😀 ok?"},
]
VARIABLES = {
    "messages": MESSAGES, "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True, "tools": None,
    "numbers": [3, 1, 2, 10], "words": ["pear", "Apple", "fig", "apple"], "empty": [], "nothing": None, "yes": True,
    "pi": 3.14159, "n": 7, "minus": -7, "text": "  Some Text\twith\u00a0spaces  ", "accents": "Äpfel und Öl, naïve ΣΟΦΟ straße",
    "map": {"b": 2, "a": 1, "c": [1, "x", None, True, 1.5]}, "nested": {"x": {"y": [{"z": "deep"}]}},
    "lines": "one\ntwo\n\nthree", "html": "<b>\"x\" & 'y'</b>", "items_key": {"items": 5, "get": 6},
}

LANGUAGE = r"""
plain text
{{ text }}|{{ n }}|{{ pi }}|{{ yes }}|{{ nothing }}|{{ missing }}|{{ map }}|{{ words }}
{{ 1 }} {{ 1.0 }} {{ 1e3 }} {{ 1.5e-7 }} {{ 1e16 }} {{ 123456789012345680.0 }} {{ 0.0001 }} {{ 1_000 }} {{ 100000.5 }}
{{ 'a' 'b' "c" }} {{ 'it\'s' }} {{ "q\"q" }} {{ 'tab\tnl\nx' }} {{ '\x41\u00e9\U0001F600\101' }} {{ '\q\\' }}
{{ true }} {{ True }} {{ false }} {{ none }} {{ None }}
{{ [1, 'a', none, 2.5, [true]] }} {{ (1, 2) }} {{ (1,) }} {{ () }} {{ {'a': 1, 2: 'b'} }} {{ [] }} {{ {} }} {{ 1, 2 }}
{{ ["it's", 'q"q', "b'\"", "\\", "\n\t\r\x01\x7f\u00a0é😀"] }}
{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }}
{{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ - - 3 }} {{ +3 }} {{ -n }} {{ yes + 1 }} {{ 10 - 3 - 2 }} {{ 100 / 10 / 2 }}
{{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ [1] * 2 }} {{ 'a' + 'b' }} {{ [1] + [2] }} {{ (1,) + (2,) }} {{ 'x' * 0 }} {{ 'x' * -1 }}
{{ 'a' ~ 1 ~ none ~ missing ~ 1.0 ~ [1] }} {{ 2 * 3 ~ 'x' }} {{ 'a' ~ 'b' * 2 }}
{{ 1 < 2 }} {{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 1 != 2 }} {{ 'a' == 1 }} {{ none == none }} {{ missing == none }} {{ missing == missing2 }}
{{ 'a' in 'abc' }} {{ 'x' not in 'abc' }} {{ 1 in [1, 2] }} {{ 'a' in map }} {{ 1 not in numbers }} {{ 'a' in missing }} {{ 1 in (1, 2) }}
{{ 1 and 2 }} {{ 0 or 'x' }} {{ '' or none }} {{ not 1 }} {{ not '' }} {{ not not 'x' }} {{ 1 and 0 or 3 }} {{ not 1 == 2 }}
{{ 'a' if yes else 'b' }} {{ 'a' if not yes else 'b' }} {{ 'a' if not yes }} {{ 'a' if empty else 'b' if yes else 'c' }}
{{ (1 + 2) * 3 }} {{ (1, 2)[0] }} {{ [1, 2][1] }} {{ 'abc'[0] }} {{ 'äöü'[1] }} {{ 'abc'[-1] }} {{ [1][5] }} {{ map['a'] }} {{ map.b }} {{ map['zz'] }} {{ numbers.0 }} {{ numbers[true] }}
{{ numbers[1:] }} {{ numbers[:-1] }} {{ numbers[::-1] }} {{ numbers[1:3] }} {{ numbers[::2] }} {{ numbers[-2:] }} {{ numbers[10:] }} {{ 'Grüße'[::-1] }} {{ 'Grüße'[2:4] }} {{ (1, 2, 3)[1:] }} {{ numbers[3:0:-2] }} {{ numbers[none:2] }}
{{ nested.x.y[0].z }} {{ nested['x']['y'][0]['z'] }} {{ nested.x.q is defined }} {{ messages[0].role }} {{ messages[-1]['content'] }} {{ nothing.foo is defined }}
{{ items_key['items'] }} {{ items_key.items()|list }} {{ items_key['get'] }} {{ items_key.get('items') }}
{% if yes %}A{% endif %}{% if nothing %}B{% elif n > 5 %}C{% else %}D{% endif %}{% if empty %}E{% else %}F{% endif %}
{% for x in numbers %}{{ x }},{% endfor %}{% for x in empty %}x{% else %}none{% endfor %}{% for x in 'äb' %}[{{ x }}]{% endfor %}{% for k in map %}{{ k }}{% endfor %}{% for x in missing %}y{% endfor %}
{% for x in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}/{{ loop.nextitem }};{% endfor %}
{% for x in [1, 2] %}{% for y in [3, 4] %}{{ loop.depth }}{{ loop.depth0 }}{{ loop.cycle('a', 'b') }}{{ x }}{{ y }} {% endfor %}{% endfor %}
{% for k, v in map.items() %}{{ k }}={{ v }};{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for x in numbers if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% else %}no{% endfor %}{% for x in numbers if x > 99 %}{{ x }}{% else %}no{% endfor %}
{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for m in messages %}{% if loop.first and m.role == 'system' %}S{% elif m.role == 'user' %}U{% else %}A{% endif %}{% endfor %}
{% set x = 1 %}{% for i in range(3) %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}{% if yes %}{% set x = 5 %}{% endif %}{{ x }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d) = [3, 4] %}{{ c }}{{ d }}{% set t = 1, 2 %}{{ t }}
{% set ns = namespace(found=false, n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% if i == 2 %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.n }} {{ ns.found }} {{ ns.other is defined }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{% set ns.c = [ns.a] %}{{ ns.c }}
{% set block %}text {{ n }}{% endset %}[{{ block }}]{% set block | upper | replace('A', 'x') %}a{{ 'b' }}{% endset %}[{{ block }}]
{% macro hello(name, greeting='Hi', mark=greeting ~ '!') %}{{ greeting }} {{ name }}{{ mark }}{% endmacro %}{{ hello('Bo') }} {{ hello('Bo', 'Yo') }} {{ hello(name='X', mark='?') }} {{ hello() }}
{% macro count(n) %}{{ n }}{% if n > 0 %} {{ count(n - 1) }}{% endif %}{% endmacro %}{{ count(5) }}
{% macro outer() %}<{{ caller() }}>{% endmacro %}{% call outer() %}in {{ n }}{% endcall %}{% macro each(xs) %}{% for x in xs %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}{% call(x, i) each([5, 6]) %}{{ i }}={{ x }};{% endcall %}
{% macro sees() %}{{ later }}{% endmacro %}{% set later = 'yes' %}{{ sees() }}
{% macro sets() %}{% set n = 1 %}{{ n }}{% endmacro %}{{ sets() }}{{ n }}
{% with a = 1, b = n %}{{ a }}{{ b }}{% set a = 9 %}{{ a }}{% endwith %}{{ a }}
{% filter upper %}abc {{ text }}{% endfilter %}{% filter trim | replace('b', 'c') %}  abc  {% endfilter %}
{% generation %}gen {{ n }}{% set inside = 1 %}{% endgeneration %}{{ inside is defined }}
{% raw %}{{ not }} {% this %}{% endraw %}|{%- raw -%}  {{ x }}  {%- endraw -%}  |
a {# comment {{ x }} #} b {#- tight -#} c
  {%- if yes -%}  x  {%- endif -%}  y
{{- n -}}   z {{- n }} {{ n -}}   w
{{ {'a': {'b': 1}}['a']['b'] }}{{ {'k':[{'z':1}]} }}{{{'a':1}['a']}}
{{ '%}' }}{{ '}}' }}{% if '%}' == '%}' %}ok{% endif %}
{{ text | trim }}|{{ text.strip() }}|{{ text.lstrip() }}|{{ text.rstrip() }}|{{ '--x--'.strip('-') }}|{{ 'xyx'.lstrip('x') }}|{{ 'aXa' | trim('a') }}|{{ '\u00a0 \u2003x\u3000\n' | trim }}|{{ '\u200bx\u200b' | trim | length }}
{{ 'a,b,,c'.split(',') }} {{ ' a  b c '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a b c'.split(none, 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'x</think>y'.split('</think>')[-1] }} {{ ''.split(',') }} {{ ''.split() }} {{ 'a\nb\r\nc\n'.splitlines() }}
{{ 'Hello'.startswith('He') }} {{ 'Hello'.endswith(('x', 'lo')) }} {{ 'Hello'.upper() }} {{ 'Hello'.lower() }} {{ 'hello world-foo it\'s'.title() }} {{ 'hELLO wORLD'.capitalize() }} {{ 'aXbX'.replace('X', '-') }} {{ 'aXbX'.replace('X', '-', 1) }} {{ 'abc'.replace('', '.') }}
{{ 'abcabc'.find('c') }} {{ 'äbc'.find('c') }} {{ 'abc'.find('z') }} {{ 'abcabc'.rfind('b') }} {{ 'aXbX'.count('X') }} {{ '12'.isdigit() }} {{ 'ab'.isalpha() }} {{ 'a1'.isalnum() }} {{ ' \n'.isspace() }} {{ ''.isdigit() }} {{ 'AB'.isupper() }} {{ 'ab'.islower() }} {{ '-'.join(['a', 'b']) }} {{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.py'.removesuffix('.py') }}
{{ map.get('a') }} {{ map.get('z') }} {{ map.get('z', 5) }} {{ map.keys() | list }} {{ map.values() | list }} {{ map.items() | list }} {{ map | items | list }} {{ map | dictsort }} {{ map | length }} {{ [1, 2, 1].index(2) }} {{ [1, 2, 1].count(1) }}
{{ words | join }} {{ words | join(', ') }} {{ messages | join('|', attribute='role') }} {{ numbers | join('-') }} {{ 'abc' | join('.') }}
{{ words | length }} {{ 'Grüße😀' | length }} {{ map | count }} {{ missing | length }} {{ empty | length }}
{{ words | first }} {{ words | last }} {{ empty | first }} {{ 'abc' | first }} {{ 'abc' | last }} {{ words | reverse | list }} {{ 'äbc' | reverse }}
{{ words | map('upper') | list }} {{ messages | map(attribute='role') | list }} {{ messages | map(attribute='zzz', default='-') | join(',') }} {{ words | map('replace', 'p', 'P') | join(' ') }} {{ [[1, 2], [3]] | map('length') | list }} {{ [[1, 2], [3, 4]] | map(attribute=1) | list }} {{ [nested] | map(attribute='x.y.0.z') | list }}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ messages | rejectattr('role', 'equalto', 'user') | map(attribute='role') | join(',') }} {{ messages | selectattr('content') | list | length }} {{ messages | selectattr('role', 'in', ['user', 'system']) | map(attribute='content') | join('/') }} {{ messages | selectattr('zzz', 'defined') | list }} {{ (messages | selectattr('role', '==', 'assistant') | first).content }}
{{ numbers | select('gt', 2) | list }} {{ numbers | reject('odd') | list }} {{ [0, 1, '', 'x'] | select | list }} {{ [0, 1, none] | reject | list }} {{ numbers | select('divisibleby', 2) | list }}
{{ numbers | sort }} {{ words | sort }} {{ words | sort(reverse=true) }} {{ words | sort(case_sensitive=true) }} {{ messages | sort(attribute='role') | map(attribute='role') | join(',') }} {{ words | unique | list }} {{ [1, 1, 2] | unique | list }} {{ numbers | min }} {{ numbers | max }} {{ numbers | sum }} {{ [{'v': 1}, {'v': 2}] | sum(attribute='v') }} {{ empty | max }}
{{ 'hello world' | upper }} {{ 'HELLO' | lower }} {{ 'hello World' | capitalize }} {{ 'hello wORLD-foo (bar) it\'s' | title }} {{ 'aXb' | replace('X', '-') }} {{ accents | upper }} {{ accents | lower }} {{ accents.title() }}
{{ missing | default('d') }} {{ nothing | default('d') }} {{ '' | default('d', true) }} {{ nothing | d('x', boolean=true) }} {{ n | default(1) }} {{ missing.foo | default('d') if missing is defined else 'u' }}
{{ '42' | int }} {{ '3.9' | int }} {{ 'x' | int }} {{ 'x' | int(5) }} {{ 3.9 | int }} {{ -3.9 | int }} {{ true | int }} {{ '2.5' | float }} {{ 'x' | float }} {{ 3 | float }} {{ -3 | abs }} {{ 2.5 | round }} {{ 3.14159 | round(2) }} {{ 3.5 | round }} {{ 3.1 | round(0, 'ceil') }} {{ 3.9 | round(0, 'floor') }} {{ none | int }}
{{ 5 | string }} {{ none | string }} {{ [1] | string }} {{ 'x' | safe }} {{ html | escape }} {{ html | e }} {{ 'ab' | list }} {{ map | list }} {{ map | attr('zz') is defined }}
{{ lines | indent }}|{{ lines | indent(2) }}|{{ lines | indent(2, true) }}|{{ lines | indent(2, false, true) }}|{{ lines | indent('> ') }}|{{ 'x' | indent(2, first=true) }}
{{ map | tojson }} {{ 'a"b\\\n\u0001é<b>' | tojson }} {{ [1, 2.0, true, none] | tojson }} {{ {} | tojson }} {{ [] | tojson(indent=2) }} {{ map | tojson(indent=2) }} {{ {'a': {'b': [1, {}]}} | tojson(indent=4) }} {{ {1: 'x', none: 2, true: 3} | tojson }} {{ 'ü' | tojson }} {{ (1, 2) | tojson }}
{{ n is defined }} {{ missing is defined }} {{ missing is undefined }} {{ missing is not defined }} {{ nothing is none }} {{ n is none }} {{ text is string }} {{ n is string }} {{ map is mapping }} {{ words is mapping }} {{ words is iterable }} {{ text is iterable }} {{ n is iterable }} {{ words is sequence }} {{ map is sequence }} {{ text is sequence }} {{ n is sequence }}
{{ n is number }} {{ pi is number }} {{ yes is number }} {{ text is number }} {{ yes is boolean }} {{ n is boolean }} {{ yes is true }} {{ yes is false }} {{ 1 is true }} {{ n is integer }} {{ yes is integer }} {{ pi is float }} {{ n is odd }} {{ n is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 1 is in [1, 2] }} {{ 'a' is in 'abc' }}
{{ n is equalto 7 }} {{ n is eq 7 }} {{ n is ne 7 }} {{ n is gt 3 }} {{ n is lt 3 }} {{ n is ge 7 }} {{ n is le 6 }} {{ none is sameas none }} {{ 'abc' is lower }} {{ 'ABC' is upper }} {{ 'abc' is upper }} {{ range is callable }} {{ n is callable }} {{ 'upper' is filter }} {{ not n is defined }} {{ n is defined and n is not none }} {{ n is defined or missing }}
{{ 'x' is string and 1 is number }} {{ 2 if n is odd else 3 }} {{ -1 | abs }} {{ 1 + 2 | string | length }} {{ 'a' ~ 'b' | upper }} {{ (1 + 2) | string ~ 'x' }}
{{ range(3) | list }} {{ range(1, 4) | list }} {{ range(5, 0, -2) | list }} {{ range(3)[1] }} {{ range(0) | list }} {{ range(5)[1:3] | list }} {{ dict(a=1, b=2) }} {{ dict([('x', 1)]) }} {{ dict({'q': 1}, r=2) }}
{{ strftime_now('%d %b %Y') }} {{ strftime_now('%A %B %-d') }} {{ strftime_now('%Y-%m-%d') }}
{% if messages | selectattr('role', 'equalto', 'nobody') %}lazy is true{% endif %}{% if messages | selectattr('role', 'equalto', 'nobody') | list %}x{% else %}list is not{% endif %}{% if map.items() %}full{% endif %}{% if {}.items() %}x{% else %}bare{% endif %}
{% set loop_messages = messages[1:] if messages[0]['role'] == 'system' else messages %}{% for m in loop_messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('no') }}{% endif %}{{ m['role'] }}{{ m['content'] | trim }}{% endfor %}
{% for message in messages[::-1] %}{% set index = (messages|length - 1) - loop.index0 %}{{ index }}{{ message.role }};{% endfor %}
{%- set content = namespace(value='') -%}{%- for m in messages -%}{%- set content.value = content.value ~ m.content[:2] -%}{%- endfor -%}{{ content.value }}
{{ missing }}{{ missing | upper }}{{ missing | trim }}{{ missing | list }}{{ missing ~ 'x' }}{{ 'y' if missing else 'z' }}
{{ 'a' if 1 }}{{ ('b' if 0) is defined }}{{ [missing] }}{{ {'a': missing} }}
{{ n.foo }}{{ text.foo }}{{ words.foo }}{{ nothing.foo }}{{ yes.foo }}
"""

BLOCKS = [
    "{% if yes %}\nA\n{% endif %}\nB\n",
    "  {% if yes %}\n  A\n  {% endif %}\nB\n\n",
    "x  {% if yes %}  \n A{% endif %}  \n",
    "{%- for m in messages %}\n    {{- '<' + m.role + '>' }}\n    {{ m.content }}\n{%- endfor %}\n",
    "{% for m in messages %}\n{{ m.role }}\n{% endfor %}\nend",
    "{% for m in messages -%}\n  {{ m.role }}\n{%- endfor -%}\nend\n",
    "\t{%+ if yes %}x{% endif +%}\ny",
    "{# c #}\nA\n  {# c #}\nB {# c -#}\n\n C {#- c #} D",
    "a\r\nb\rc{% if yes %}\r\nd{% endif %}\r\n",
    "{% raw %}\n{{ x }}\n{% endraw %}\nA",
    "  {% raw -%}\n  {{ x }}\n  {%- endraw %}\nA",
    "{% set x = 1 %}\n{% set y = 2 -%}\n\n{{ x }}\n{{- y }}\n\n",
    "{{ bos_token }}\n{% for m in messages %}\n  {% if m.role == 'user' %}\nU: {{ m.content }}\n  {% endif %}\n{% endfor %}\n",
    "{% macro m(a) -%}\n  [{{ a }}]\n{%- endmacro %}\n{{ m(1) }}\n{{ m('x') }}\n",
    "{{ {\n'a': 1,\n'b': [1,\n2]} }}\n",
    "{% if yes %}{% endif %}\n\n\n",
    "{{ 1 }}\n\n{% if yes %}\n\nx\n\n{% endif %}\n\n{{ 2 }}\n",
    "{%- if yes %}\n    {{- 'a\n\n' }}\n{%- endif %}\n{%- if nothing %}x{%- else %}\n    {{- 'b' }}\n{%- endif %}",
    "\n{% if yes %}x{% endif %}",
    "   {{ 1 }}   \n   {{- 2 }}",
    "{{+ 1 }}",
    "",
]

FAILING = [
    "{{ missing.foo }}", "{{ missing['foo'] }}", "{{ missing() }}", "{{ missing + 1 }}", "{{ 1 + 'a' }}", "{{ 'a' + 1 }}",
    "{{ 1 / 0 }}", "{{ 1 % 0 }}", "{{ 1 // 0 }}", "{{ n.foo.bar }}", "{{ none + 1 }}", "{{ 'a' < 1 }}", "{{ missing < 1 }}",
    "{{ 1 in 'abc' }}", "{{ raise_exception('stop') }}", "{% for x in 5 %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% set n.x = 1 %}", "{{ n | nofilter }}", "{{ n is notest }}", "{{ range(200000) }}",
    "{{ 'abc'.nomethod() }}", "{{ [].append(1) }}", "{{ map.update({}) }}", "{{ n() }}", "{{ {[]: 1} }}", "{{ missing | tojson }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", "{{ 5 | length }}", "{{ 'abc'[::0] }}",
    "{{ 'x'.split('') }}", "{{ [1, 'a'] | sort }}", "{{ range(1, 5, 0) }}",
    "{% if yes %}", "{% for x in [1] %}", "{{ 1", "{% set x = %}", "{{ }}", "{% endif %}", "{% if yes %}{% endfor %}", "{{ (1 }}",
    "{{ [1, }}", "{# open", "{% raw %}x", "{{ 'open }}", "{% unknown %}", "{{ 1 2 }}", "{% break %}", "{{ a..b }}", "{{ a.}}", "{% for in x %}{% endfor %}",
    "{% macro %}{% endmacro %}", "{% set x %}", "{{ ) }}", "{{ ? }}", "{% else %}", "{% if %}{% endif %}", "{{ 1 if }}", "{{ 'a' is }}", "{{ f(a=1, 2) }}",
    "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{{ x | }}", "{{ {1} }}", "{% call x %}{% endcall %}", "{{ '\\x4' }}",
    "{% if yes %}a{% else %}b{% elif n %}c{% endif %}", "{% macro m(a=1, b) %}{% endmacro %}",
]

DIALOGUES = [
    [{"role": "user", "content": "What is 2+2?"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2+2?"}],
    [{"role": "system", "content": " Be kind.\n"}, {"role": "user", "content": " Hi \n"}, {"role": "assistant", "content": "\nHello! "},
     {"role": "user", "content": "Bye"}],
    [{"role": "user", "content": "a\nb"}, {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"},
     {"role": "assistant", "content": "e"}, {"role": "user", "content": "f\n"}],
    [{"role": "user", "content": ""}],
    [{"role": "system", "content": ""}, {"role": "user", "content": "x"}],
    [{"role": "user", "content": "Grüße 😀 שלום \u0301e\u00a0{{ x }} {% y %} '\" <|im_end|> </s>"}],
    [{"role": "user", "content": "Think"}, {"role": "assistant", "content": "<think>\nHm, hm.\n</think>\n\nFour."}, {"role": "user", "content": "Sure?"}],
    [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}],
    [{"role": "assistant", "content": "I begin."}, {"role": "user", "content": "ok"}],
]
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def render(template, messages, variables):
    rendered, _ = chat_template_utils.render_jinja_template([messages], chat_template=template, add_generation_prompt=True, **variables)
    return rendered[0]


def render_or_fail(template, messages, variables):
    try:
        return {"text": render(template, messages, variables)}
    except (jinja2.exceptions.TemplateError, TypeError, ZeroDivisionError, ValueError, OverflowError, SyntaxError) as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}


def write(name, content):
    rows = {"made_by": "make_chat_templates.py", "versions": VERSIONS, **content}
    (HERE / name).write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def make_language():
    variables = {key: value for key, value in VARIABLES.items() if key not in ("messages", "tools", "add_generation_prompt")}
    cases = []
    for template in [*LANGUAGE.strip("\n").split("\n"), *BLOCKS, *FAILING]:
        cases.append({"template": template, **render_or_fail(template, MESSAGES, variables)})
    wrong = [case for case in cases if ("error" in case) != (case["template"] in FAILING)]
    assert not wrong, json.dumps(wrong, indent=1)
    write("jinja_cases.json", {"variables": VARIABLES, "cases": cases})


def make_families():
    families = []
    for path in sorted((HERE / "chat_templates").glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        rows = [{"messages": dialogue, **render_or_fail(template, dialogue, {**TOKENS, "enable_thinking": False})} for dialogue in DIALOGUES]
        thinking = render_or_fail(template, DIALOGUES[0], TOKENS)
        families.append({"name": path.stem, "rows": rows, "unset": thinking})
    write("chat_templates.json", {"tokens": TOKENS, "families": families})


if __name__ == "__main__":
    make_language()
    make_families()
