"""Texts that tell tokenizers apart, shared by make_tokenizer.py and make_tokenizers.py."""

import random

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
