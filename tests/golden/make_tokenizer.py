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
import random
import sys

import tokenizers
import transformers
from tokenizers import Regex, pre_tokenizers
from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
VERSIONS = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}

TEXTS = [
    "",
    " ",
    "a",
    "Hello, world!",
    "I'm sure you've seen they'll say it's Anna's, we'd better; THEY'LL, I'M, it'S.",
    "  two leading spaces and two trailing  ",
    "tabs\tand\t\ttabs, new\nlines\n\nand\r\nreturns\r\n\r\n",
    "\n\n\n   \n indented\n\tx = 1\n\n\n",
    "1 22 333 4444 55555 3.14159 -7 1,000,000 0x1F 1e-5 v2.0.1",
    "list:\n\n1. one\n2. two\n\n  10. ten\n   42",
    "   7 spaces before digits   8\n9\n\n10",
    "½ ² ³ ⅷ ٣ ४ 五 １２３",
    "def f(x: int) -> list[str]:\n    return [f\"{i:>4}\" for i in range(x)]  # ok?\n",
    "int main() { std::vector<int> v{1,2,3}; return v[0] != 0 ? *p++ : ~x; } /* a**b */",
    "SELECT * FROM t WHERE a >= 10 AND b LIKE '%x%';",
    "https://example.org/a/b?c=d&e=%20f#g user@example.org",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "Voix ambiguë d'un cœur qui, au zéphyr, préfère les jattes de kiwis.",
    "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío; ¿añoraba a su querido cachorro?",
    "Příliš žluťoučký kůň úpěl ďábelské ódy. Zażółć gęślą jaźń.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία.",
    "צפון דובק, כל נחמד: שלום עולם!",
    "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ١٢٣",
    "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण",
    "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า",
    "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。2024年",
    "いろはにほへと ちりぬるを。カタカナ、漢字！",
    "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.",
    "Ịnyịnya Ọbara: e\u0301 a\u0308 o\u0302\u0323 n\u0303 combining; é ä ộ ñ composed",
    "family 👨‍👩‍👧‍👦 flag 🇩🇪🇫🇷 skin 👍🏽👍🏿 keycap 1️⃣ heart ❤️ 🤷🏻‍♀️",
    "😀😁😂🤣😃😄😅😆😉😊",
    "zero\u200bwidth joiner\u200d nonjoiner\u200c mark\u200e\u200f bom\ufeff soft\u00adhyphen",
    "nbsp\u00a0thin\u2009em\u2003ideographic\u3000ogham\u1680line\u2028para\u2029nel\u0085vowel\u180esep",
    "controls \x00 \x01 \x07 \x1b[31m \x1c\x1d\x1e\x1f \x7f \x80\x9f end",
    "mixed  \u2003 \u00a0  runs \t \n of   white space",
    "math ∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β, ∑∫√∞ ≠≤≥ 𝔸𝕓𝒸 𝟘𝟙",
    "“quotes” ‘single’ «guillemets» — em – en … • · † ‡ § ¶ © ® ™ € £ ¥ ₹",
    "a" * 40 + " " + "ab" * 40 + " supercalifragilisticexpialidocious" * 3,
    "!" * 50 + "?!?!?!" + "=" * 80 + "\n" + "-" * 33,
    " " * 70 + "x" + " " * 200,
    "\n" * 20 + "\t" * 20,
    "<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\n",
    "<|endoftext|>a<|endoftext|> b <|im_end|><|im_end|>  <|im_start|>1",
    "almost <|im_start> <|im_end| > <im_end|> <||> <|im_start|",
    "<repo_name>x<file_sep>y<filename>z<gh_stars>100<empty_output> <reponame>",
    "don't 'stop' ''quoted'' 'tis 'S 's 'd'll're",
    "CamelCaseAndSNAKE_case-kebab.dots/slashes\\back",
    "𐐀𐐁 𝒳𝒴 𠀀𠀁 🄰🄱 \U000e0041 \U0010fffd \ufffd",
]

# Blocks that have not changed since Unicode 14; the libraries' tables are of different versions.
BLOCKS = [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x37F), (0x391, 0x3A1), (0x400, 0x45F), (0x5D0, 0x5EA), (0x621, 0x64A),
          (0x660, 0x669), (0x905, 0x939), (0x300, 0x36F), (0x2000, 0x206F), (0x2200, 0x22FF), (0x3041, 0x3096),
          (0x4E00, 0x4FFF), (0xAC00, 0xAD00), (0x1F600, 0x1F64F), (0x9, 0xD), (0x20, 0x20), (0x30, 0x39), (0x20, 0x20)]


def random_texts(count, seed):
    rng = random.Random(seed)
    out = []
    for _ in range(count):
        text = ""
        for _ in range(rng.randint(1, 40)):
            low, high = rng.choice(BLOCKS)
            text += "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 4)))
        out.append(text)
    return out


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
