"""Token ids, words and chat renderings of the reference libraries, for tests/text.

    python tests/golden/make_tokenizer.py SMOLLM2.gguf

writes tokenizer_smollm2.json, pre_tokenizers.json and chat_template.json beside this script.

SmolLM2's own tokenizer cuts a text with Digits(individual_digits=True), then ByteLevel with its regular expression;
the GGUF file records this as tokenizer.ggml.pre = "smollm". transformers' AutoTokenizer, when it reads the GGUF file,
keeps ByteLevel and leaves Digits out, so that white space before a digit comes out differently ("\\n\\n1"). The ids
here are from AutoTokenizer with the Digits step put back; `without_digits` has those of the unchanged object where
they differ.
"""

import json
import pathlib
import sys

import tokenizers
import transformers
from tokenizers import Regex, pre_tokenizers
from transformers import AutoTokenizer

from tokenizer_texts import TEXTS, random_texts

HERE = pathlib.Path(__file__).parent
VERSIONS = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}

def write(name, content):
    path = HERE / name
    path.write_text(json.dumps({"made_by": "make_tokenizer.py", "versions": VERSIONS, **content}, ensure_ascii=True,
                               separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size)


def load(gguf):
    gguf = pathlib.Path(gguf)
    return AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)


def make_tokenizer(gguf):
    plain, whole = load(gguf), load(gguf)
    whole.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    rows = []
    for text in TEXTS + random_texts(120, 7):
        ids = whole(text, add_special_tokens=False)["input_ids"]
        row = {"text": text, "ids": ids,
               "decoded": whole.decode(ids, clean_up_tokenization_spaces=False),
               "decoded_without_special": whole.decode(ids, skip_special_tokens=True,
                                                       clean_up_tokenization_spaces=False)}
        as_text = whole(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        if as_text != ids:
            row["ids_as_text"] = as_text
        without_digits = plain(text, add_special_tokens=False)["input_ids"]
        if without_digits != ids:
            row["without_digits"] = without_digits
        rows.append(row)
    write("tokenizer_smollm2.json", {"model": pathlib.Path(gguf).name, "rows": rows})


# From the models' own tokenizer.json files.
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def words_of(steps, text):
    """The pieces as text: Split keeps the characters, unlike ByteLevel."""
    return [word for word, _ in pre_tokenizers.Sequence(steps).pre_tokenize_str(text)] if text else []


def make_pre_tokenizers():
    split = lambda pattern: pre_tokenizers.Split(Regex(pattern), "isolated")
    rules = {
        "smollm": [pre_tokenizers.Digits(individual_digits=True), split(GPT2)],
        "gpt-2": [split(GPT2)],
        "llama-bpe": [split(LLAMA3)],
        "qwen2": [split(QWEN2)],
        "default": [split(r"[\p{P}$+<=>^~|]+"), split(GPT2), split(r"\p{N}+"), split("[0-9][0-9][0-9]")],
    }
    rows = []
    for text in TEXTS + random_texts(40, 11):
        rows.append({"text": text, "words": {name: words_of(steps, text) for name, steps in rules.items()}})
    write("pre_tokenizers.json", {"rows": rows})


DIALOGUES = [
    [{"role": "user", "content": "Hi"}],
    [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "Why is the sky blue?"}],
    [{"role": "user", "content": "a\nb"}, {"role": "assistant", "content": " c "}, {"role": "user", "content": "d\n"}],
    [{"role": "user", "content": ""}],
    [{"role": "assistant", "content": "first"}, {"role": "system", "content": "late"}, {"role": "user", "content": "x"}],
    [{"role": "user", "content": "quotes ' \" {{ x }} {% y %} <|im_end|> 😀"}],
]


def make_chat_template(gguf):
    tokenizer = load(gguf)
    smollm2 = tokenizer.chat_template
    plain = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
             "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
    escaped = plain.replace("\n", "\\n")
    # Qwen2.5's shape without its tool branches.
    qwen = ("{%- if messages[0]['role'] == 'system' %}\n    {{- '<|im_start|>system\\n' + messages[0]['content'] + "
            "'<|im_end|>\\n' }}\n{%- else %}\n    {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. "
            "You are a helpful assistant.<|im_end|>\\n' }}\n{%- endif %}\n{%- for message in messages %}\n    {%- if "
            "(message.role == \"user\") or (message.role == \"system\" and not loop.first) or (message.role == "
            "\"assistant\") %}\n        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + "
            "'\\n' }}\n    {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- "
            "'<|im_start|>assistant\\n' }}\n{%- endif %}\n")
    dashed = ("{%- for message in messages %}\n  {%- if loop.first and messages[0].role != \"system\" -%}\n    "
              "{{- \"<|im_start|>system\\nBe kind.\" + \"<|im_end|>\\n\" -}}\n  {%- endif -%}\n  "
              "{{- '<|im_start|>' + message.role + '\\n' + message.content -}} {{- '<|im_end|>\\n' -}}\n"
              "{%- endfor %}\n{%- if add_generation_prompt %}\n  {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n")
    bare = ("{% for message in messages %}\n<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
            "   {% endfor %}\n{% if add_generation_prompt %}\n<|im_start|>assistant\n{% endif %}")
    out = []
    for name, template in {"smollm2": smollm2, "plain": plain, "escaped": escaped, "dashed": dashed, "bare": bare,
                           "qwen": qwen}.items():
        rows = []
        for dialogue in DIALOGUES:
            rows.append({"messages": dialogue,
                         "text": tokenizer.apply_chat_template(dialogue, chat_template=template, tokenize=False,
                                                               add_generation_prompt=True)})
        out.append({"name": name, "template": template, "rows": rows})
    write("chat_template.json", {"templates": out})


if __name__ == "__main__":
    make_tokenizer(sys.argv[1])
    make_pre_tokenizers()
    make_chat_template(sys.argv[1])
