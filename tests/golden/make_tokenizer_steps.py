"""Each step of tokenizer.json alone, as the tokenizers library does it: tokenizer_steps.json beside this script.

    python tests/golden/make_tokenizer_steps.py

`characters` has, for steps that go character by character, what they do to each one below U+AC00 that Unicode 3.2 has
as it is today: no library's tables differ there.
"""

import importlib.metadata
import json
import pathlib
import unicodedata

from tokenizers import Regex, normalizers as n, pre_tokenizers as p

from tokenizer_texts import TEXTS, random_texts

HERE = pathlib.Path(__file__).parent
MORE = ["", "a1b22c333", "x!?y...z", "▁a▁▁b c", "a  b", "q", "qq", "qaq", "``q''", "ﬁ ﬀ Å Å e\u0301\u0323 q\u0307\u0323 \u1e9b\u0323 각",
        "İstanbul ΣΑΣ ß ſ", "\u3000 x \u00a0", "a\nb\r\n\n c", "A\u200cB\u200dC", "'S 'ſ 'LL it's"]
SAMPLES = [text for text in TEXTS if len(text) < 160] + MORE + random_texts(10, 9)

NORMALIZERS = [
    n.NFC(), n.NFD(), n.NFKC(), n.NFKD(), n.Lowercase(), n.StripAccents(), n.Nmt(), n.Strip(), n.Strip(left=False),
    n.Strip(right=False), n.Prepend("▁"), n.Replace(" ", "▁"), n.Replace(Regex(r"\s{2,}"), " "), n.Replace("''", '"'),
    n.Replace(Regex(r"(?<=[a-z])[0-9]|\bq"), "_"), n.ByteLevel(), n.Sequence([n.NFD(), n.StripAccents(), n.Lowercase()]),
]
BEHAVIOURS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
PRE_TOKENIZERS = (
    [p.Split(" ", b) for b in BEHAVIOURS] + [p.Split(Regex(r"\p{L}"), b) for b in BEHAVIOURS] +
    [p.Split(Regex(r"[a-z]+|\s"), b, invert=True) for b in BEHAVIOURS] + [p.Punctuation(b) for b in BEHAVIOURS] +
    # What Oniguruma writes in another way than PCRE2.
    [p.Split(Regex(pattern), "isolated") for pattern in (
        r"\w+", r"\W+", r"\h+", r"\H", r"\s+$", r"^.", r"[\w\s]+", r"a{,2}b", r"\d{1,2}+", r"(\p{L}{2})+", r"(?i:LL|s)",
        r"(?m:.{3})", r".{3}", r"[^\S]", r"\u0061|\x{62}", r"[]a]", r"[[:upper:]]+", r"\p{^L}+", r"(?i)İ|Σ", r"\p{Han}+|\p{Greek}")] +
    [p.Digits(True), p.Digits(False), p.Whitespace(), p.WhitespaceSplit(), p.Metaspace("▁", "always"), p.Metaspace("▁", "first"),
     p.Metaspace("▁", "never"), p.Metaspace("_", "always", split=False), p.ByteLevel(add_prefix_space=True),
     p.ByteLevel(add_prefix_space=False), p.ByteLevel(add_prefix_space=True, use_regex=False),
     p.Sequence([p.Punctuation("contiguous"), p.ByteLevel(add_prefix_space=False), p.Digits(False),
                 p.Split(Regex("[0-9][0-9][0-9]"), "isolated")]),
     p.Sequence([p.WhitespaceSplit(), p.Metaspace("▁", "first")])])
BY_CHARACTER = [n.Lowercase(), n.StripAccents(), n.Nmt(), n.Strip(), n.NFC(), n.NFKD()]


def settings(step):
    """As tokenizer.json has them."""
    return json.loads(step.__getstate__())


def words(step, text):
    return [word for word, _ in step.pre_tokenize_str(text)] if text else []


def characters():
    """Those that Unicode 3.2 has, and has as they are today."""
    old = unicodedata.ucd_3_2_0
    return [c for c in map(chr, range(0x110000))
            if old.category(c) not in ("Cn", "Cs", "Co") and old.category(c) == unicodedata.category(c)]


def changes(step, all_characters):
    """Characters that become another text."""
    return {c: made for c in all_characters if (made := step.normalize_str(c)) != c}


def main():
    plain = characters()
    content = {
        "made_by": "make_tokenizer_steps.py", "versions": {"tokenizers": importlib.metadata.version("tokenizers")},
        "texts": SAMPLES,
        "normalizers": [{"step": settings(step), "texts": [step.normalize_str(text) for text in SAMPLES]}
                        for step in NORMALIZERS],
        "pre_tokenizers": [{"step": settings(step), "words": [words(step, text) for text in SAMPLES]}
                           for step in PRE_TOKENIZERS],
        "characters": [{"step": settings(step), "changes": "".join(f"{c}\x1f{made}\x1e" for c, made in changes(step, plain).items()
                                                                   if ord(c) < 0xac00)}
                       for step in BY_CHARACTER],
        # Single characters that stand apart from the letters around them.
        "kinds": [{"step": settings(step), "characters": "".join(c for c in plain if len(words(step, f"a{c}b")) == 3)}
                  for step in (p.Digits(True), p.Punctuation("isolated"))],
        "plain": len(plain),
    }
    # What stays as it is need not be written.
    for entry in content["normalizers"]:
        entry["texts"] = [None if made == text else made for made, text in zip(entry["texts"], SAMPLES)]
    path = HERE / "tokenizer_steps.json"
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
