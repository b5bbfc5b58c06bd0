"""What reference libraries make of a vocabulary's training, of our GGUF files and of our chat template.

    python tests/golden/make_pretraining.py

writes bpe_trainer.json, gguf_written.json, turns_template.json and courtesy_corpus.jsonl (the first dialogues of a
corpus, for the judges) beside this script. gguf_written.json tells what
the `gguf` package reads in written.gguf, which tests/formats/gguf_writer_test.cpp makes byte by byte with our writer
(it says how to write it again).
"""

import importlib.metadata
import json
import pathlib
import random
import sys

import gguf
import jinja2
import tokenizers
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "resources" / "corpora"))
import courtesy  # noqa: E402

SPECIALS = ["<pad>", "<bos>", "<eos>", "<user>", "<bot>"]
VERSIONS = {"tokenizers": tokenizers.__version__, "gguf": importlib.metadata.version("gguf"), "jinja2": jinja2.__version__}


def write(name, content):
    (HERE / name).write_text(json.dumps({"versions": VERSIONS} | content, indent=1, ensure_ascii=True) + "\n")


def train(texts, vocabulary):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=SPECIALS, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def make_bpe_trainer():
    rng = random.Random(5)
    dialogues = [row["prompt"] + " " + row["response"] for row in courtesy.corpus(3, 150)]
    mixed = ["aaaa aaa aaaaaaa aa", "abab ababab abcabc", "don't we'll I'M it's", "1 22 333 4444 5.5 2024-11-24",
             "Gr\u00fc\u00dfe, \u65e5\u672c\u8a9e \U0001f642 na\u00efve", "tabs\t\tand\n\nlines  ", "x", "", " "]
    letters = ["".join(rng.choice("ab") for _ in range(rng.randint(1, 12))) for _ in range(200)]
    cases = []
    for name, texts, vocabulary in [("dialogues", dialogues, 600), ("mixed", mixed, 300), ("ties", letters, 320),
                                    ("exhausted", ["ab ab", "abc"], 500)]:
        tokenizer = train(texts, vocabulary)
        state = json.loads(tokenizer.to_str())["model"]
        vocab = sorted(state["vocab"], key=state["vocab"].get)
        probe = [mixed[2], dialogues[0], mixed[4], "unseen words, 77!"]
        cases.append({"name": name, "vocabulary": vocabulary, "texts": texts, "tokens": vocab,
                      "merges": [" ".join(pair) for pair in state["merges"]],
                      "encodings": [{"text": text, "ids": tokenizer.encode(text).ids} for text in probe]})
    write("bpe_trainer.json", {"special_tokens": SPECIALS, "cases": cases})


def make_gguf_written():
    path = HERE / "written.gguf"
    if not path.exists():
        print("there is no written.gguf yet; gguf_written.json stays as it is")
        return
    reader = gguf.GGUFReader(path)
    metadata = {}
    for key, field in reader.fields.items():
        if not key.startswith("GGUF."):
            metadata[key] = {"types": [t.name for t in field.types], "value": field.contents()}
    tensors = []
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        tensors.append({"name": tensor.name, "type": tensor.tensor_type.name,
                        "shape": [int(size) for size in reversed(tensor.shape)],
                        "values": [float(v) for v in values.reshape(-1)]})
    write("gguf_written.json", {"metadata": metadata, "tensors": tensors})


TURNS = ("{% for message in messages %}{% if message['role'] == 'user' %}{{ '<user>' + message['content'] }}"
         "{% elif message['role'] == 'assistant' %}{{ '<bot>' + message['content'] + '<eos>' }}{% endif %}{% endfor %}"
         "{% if add_generation_prompt %}{{ '<bot>' }}{% endif %}")
OTHER_TURNS = ("{%- for message in messages -%}\n{%- if message.role == \"user\" -%}\n[Q]{{ message.content }}[/Q]\n"
               "{%- elif message.role == \"assistant\" -%}\n[A] {{ message.content }} [/A]\n{%- endif -%}\n"
               "{%- endfor -%}\n{%- if add_generation_prompt -%}{{ '[A] ' }}{%- endif -%}")


def make_turns_template():
    # As transformers sets Jinja up.
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    dialogues = [[{"role": "user", "content": "Hi"}],
                 [{"role": "system", "content": "s"}, {"role": "user", "content": " a\nb "}],
                 [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                  {"role": "user", "content": "c"}],
                 [{"role": "user", "content": ""}, {"role": "tool", "content": "left out"}]]
    templates = []
    for template in [TURNS, OTHER_TURNS]:
        compiled = environment.from_string(template)
        templates.append({"template": template,
                          "rows": [{"messages": dialogue,
                                    "text": compiled.render(messages=dialogue, add_generation_prompt=True)}
                                   for dialogue in dialogues]})
    write("turns_template.json", {"templates": templates})


if __name__ == "__main__":
    make_bpe_trainer()
    make_gguf_written()
    make_turns_template()
    rows = [json.dumps(row) for row in courtesy.corpus(7, 400)]
    (HERE / "courtesy_corpus.jsonl").write_text("\n".join(rows) + "\n")
