"""Small tokenizers with the pipelines of the families, and the ids that the reference libraries give.

    python tests/golden/make_tokenizers.py

writes tokenizers/NAME/{tokenizer.json,tokenizer_config.json}, tokenizers/NAME.gguf (the vocabulary alone) where llama.cpp
has the kind, and tokenizers.json beside this script. Needs tokenizers, gguf, sentencepiece, llama-cpp-python.

The steps (normalizer, pre_tokenizer, decoder, post_processor, added tokens' flags) are those of the models' own
tokenizer.json; the vocabularies are learned here, from the texts below, so that they stay small.
"""

import importlib.metadata
import io
import json
import pathlib
import random
import shutil

import gguf
import sentencepiece
import sentencepiece.sentencepiece_model_pb2
from llama_cpp import Llama
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from tokenizer_texts import TEXTS as GENERAL_TEXTS, random_texts

HERE = pathlib.Path(__file__).parent
OUT = HERE / "tokenizers"
VERSIONS = {name: importlib.metadata.version(name)
            for name in ("tokenizers", "gguf", "sentencepiece", "llama-cpp-python")}

TEXTS = GENERAL_TEXTS + [
    "<s>Hello</s> there <s> and</s>  more<unk>", " <s> a", "<pad><bos><eos>x</s>",
    "[INST] Say hi [/INST] Hi</s>[INST]again[/INST]", "<|user|>\nHi<|end|>\n<|assistant|>\n  ok <|end|>  \n\n x",
    "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n", "<think>\n\n</think>\n\nA|||IP_ADDRESS|||b <tool_call>",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|reserved_special_token_1|>0",
    "a word, words, sword  word word_ wordé (word)  <mask> and  RIGHT  x BOTH  y", "word", "  <mask>", "BOTH BOTH  RIGHT RIGHT",
    "▁already ▁▁marked▁ \u2581", "▁", "▁▁", " ▁ ▁", "<0x0A><0x41> <0x>", "`` quoted '' ``", "qqq iq q! ...!? -- 12ab34",
    "ſtraße K ﬁ ﬀ Ⅷ ① ㎏ ｶﾞ Å Å İstanbul ΣΑΣ ΑΣ", "e\u0301\u0323 q\u0307\u0323 \u1e9b\u0323 각 각",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f \u0600\u0661 क्षि \u0e33\u0e33", "newline\n", "\n", "\n\n\n\n\n", "\t x", "x  ", "   ",
    "Hello  HELLO hELLO HeLLo iPhone's XMLHttpRequest I'LL", "a/b//c/\r\n/d\r\r\n",
]

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = O200K.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "").replace(r"\p{N}{1,3}", r"\p{N}")

# llama.cpp has no Unicode case in its patterns and cuts their words otherwise than the models' own tokenizers do.
OTHER_THAN_LLAMA_CPP = {"tekken", "gpt4o"}

# What the vocabularies are learned from; the marks of the dialogues are added tokens.
SAMPLE = [text for text in TEXTS if "<|" not in text and "<s>" not in text] * 3 + [
    "The quick brown fox jumps over the lazy dog. She said that they will not be there when it rains again.",
    "for (int i = 0; i < 10; ++i) { if (x[i] != 0) return x[i]; }  def main(args): return None",
    "Being helpful is being kind. What the people think of the thing, we think again and again, then we do it.",
] * 8


def special(text, **flags):
    return AddedToken(text, special=True, normalized=False, **flags)


def plain(text, **flags):
    return AddedToken(text, special=False, **{"normalized": False, **flags})


def byte_level(size, pre, normalizer=None, ignore_merges=False, add_prefix_space=False, first=()):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(SAMPLE, trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(first), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    return tokenizer


def with_split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def bos_template(tokenizer, bos):
    return processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos} $B",
                                         special_tokens=[(bos, tokenizer.token_to_id(bos))])


def gpt2():
    t = byte_level(700, pre_tokenizers.ByteLevel(add_prefix_space=False))
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.add_special_tokens([special("<|endoftext|>")])
    return t, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "add_prefix_space": False}, "gpt-2"


def opt():
    t = byte_level(600, pre_tokenizers.ByteLevel(add_prefix_space=False), first=["<s>", "<pad>", "</s>", "<unk>"])
    t.post_processor = bos_template(t, "</s>")
    t.add_special_tokens([AddedToken("</s>", special=True, normalized=True), AddedToken("<pad>", special=True, normalized=True)])
    return t, {"bos_token": {"content": "</s>"}, "eos_token": {"content": "</s>"}, "pad_token": {"content": "<pad>"},
               "add_bos_token": True}, None


def roberta():
    """A space before the text; BOS by RobertaProcessing; <mask> takes the spaces before it."""
    t = byte_level(600, pre_tokenizers.ByteLevel(add_prefix_space=True), first=["<s>", "</s>"])
    t.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    t.add_special_tokens([special("<s>"), special("</s>"), special("<mask>", lstrip=True)])
    t.add_tokens([plain("word", single_word=True), plain("RIGHT", rstrip=True), plain("BOTH", lstrip=True, rstrip=True)])
    return t, {"bos_token": "<s>", "eos_token": "</s>"}, None


def pythia():
    t = byte_level(700, pre_tokenizers.ByteLevel(add_prefix_space=False), normalizer=normalizers.NFC(),
                   first=["<|endoftext|>", "<|padding|>"])
    t.add_tokens([plain(" " * n, normalized=True) for n in range(24, 1, -1)])
    return t, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}, None


def smollm():
    t = byte_level(700, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                 pre_tokenizers.ByteLevel(add_prefix_space=False)]),
                   first=["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>"])
    return t, {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}, "smollm"


def llama3():
    t = byte_level(700, with_split(LLAMA3), ignore_merges=True)
    t.add_special_tokens([special("<|begin_of_text|>"), special("<|end_of_text|>"), special("<|start_header_id|>"),
                          special("<|end_header_id|>"), special("<|eot_id|>")] +
                         [special(f"<|reserved_special_token_{i}|>") for i in range(20)])
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), bos_template(t, "<|begin_of_text|>")])
    return t, {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}, "llama-bpe"


def qwen2():
    t = byte_level(700, with_split(QWEN2), normalizer=normalizers.NFC())
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.add_special_tokens([special("<|endoftext|>"), special("<|im_start|>"), special("<|im_end|>")])
    t.add_tokens([plain("<think>"), plain("</think>"), plain("<tool_call>")])
    return t, {"bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "add_bos_token": False}, "qwen2"


def olmo2():
    t = byte_level(700, pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                                                 pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]))
    t.add_special_tokens([special("<|endoftext|>"), special("<|pad|>"), special("<|im_start|>"), special("<|im_end|>")])
    t.add_tokens([plain("|||IP_ADDRESS|||")])
    return t, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>"}, "dbrx"


def tekken():
    """Mistral's later line."""
    t = byte_level(700, with_split(TEKKEN), ignore_merges=True, first=["<unk>", "<s>", "</s>", "[INST]", "[/INST]"])
    t.post_processor = bos_template(t, "<s>")
    return t, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, "tekken"


def gpt4o():
    t = byte_level(600, with_split(O200K))
    t.add_special_tokens([special("<|endoftext|>")])
    return t, {"bos_token": None, "eos_token": "<|endoftext|>"}, "gpt-4o"


# SentencePiece's BPE: learned by SentencePiece, its merges made as transformers' converter makes them.

def sentencepiece_model(kind, size, **options):
    # Few scripts, so that there is room for more than single characters; the others show the fallback.
    lines = [line for text in SAMPLE if all(c < "\u0600" or "\u2000" < c < "\u2100" or "\u4e00" < c < "\u5200" for c in text)
             for line in text.split("\n") if "\0" not in line]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model,
        model_type=kind, vocab_size=size, character_coverage=0.99, minloglevel=2, num_threads=1,
        **{"byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False,
           "add_dummy_prefix": True, "allow_whitespace_only_pieces": True, "split_digits": True, **options})
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def pieces_of(sp):
    return [(sp.id_to_piece(i), sp.get_score(i)) for i in range(sp.get_piece_size())]


def bpe_of(pieces):
    vocab = {piece: i for i, (piece, _) in enumerate(pieces)}
    scores = dict(pieces)
    merges = []
    for piece, score in pieces:
        ways = [(piece[:i], piece[i:], score) for i in range(1, len(piece)) if piece[:i] in vocab and piece[i:] in vocab]
        merges += sorted(ways, key=lambda way: (vocab[way[0]], vocab[way[1]]))
    merges.sort(key=lambda way: -way[2])
    return models.BPE(vocab, [(left, right) for left, right, _ in merges], unk_token="<unk>", fuse_unk=True,
                      byte_fallback=True)


LLAMA2_DECODER = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]


def llama2():
    sp = sentencepiece_model("bpe", 900)
    t = Tokenizer(bpe_of(pieces_of(sp)))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.decoder = decoders.Sequence(LLAMA2_DECODER)
    t.add_special_tokens([special("<unk>"), special("<s>"), special("</s>")])
    t.post_processor = bos_template(t, "<s>")
    return t, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True}, sp


def mistral():
    """The same without 'legacy': a space only before the text's first word."""
    t, settings, sp = llama2()
    t.normalizer = normalizers.Sequence([])
    t.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    t.add_special_tokens([special("[INST]"), special("[/INST]")])
    return t, settings, None


def phi3():
    t, settings, sp = llama2()
    t.add_special_tokens([special("<|endoftext|>"), special("<|assistant|>", rstrip=True), special("<|user|>", rstrip=True),
                          special("<|end|>", rstrip=True)])
    t.post_processor = processors.ByteLevel()
    return t, {**settings, "eos_token": "<|end|>", "add_bos_token": False, "pad_token": "<|endoftext|>"}, None


def gemma():
    marks = ["<mask>", "<unused0>", "<start_of_turn>", "<end_of_turn>", "\n", "\n\n", "\n\n\n", "▁▁", "▁▁▁", "▁▁▁▁", "<table>"]
    sp = sentencepiece_model("bpe", 950, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3,
                             pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>", user_defined_symbols=marks)
    t = Tokenizer(bpe_of(pieces_of(sp)))
    t.normalizer = normalizers.Replace(" ", "▁")
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    t.add_special_tokens([special("<pad>"), special("<eos>"), special("<bos>"), special("<unk>"), special("<start_of_turn>"),
                          special("<end_of_turn>")])
    t.add_tokens([plain(mark) for mark in marks if "turn" not in mark])
    t.post_processor = bos_template(t, "<bos>")
    return t, {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "add_bos_token": True}, sp


# Unigram.

def t5():
    sp = sentencepiece_model("unigram", 370, byte_fallback=False, normalization_rule_name="nmt_nfkc",
                             remove_extra_whitespaces=True, split_digits=False, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
                             pad_piece="<pad>", allow_whitespace_only_pieces=False)
    t = Tokenizer(models.Unigram(pieces_of(sp), unk_id=2, byte_fallback=False))
    proto = sentencepiece.sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(sp.serialized_model_proto())
    t.normalizer = normalizers.Sequence([normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
                                         normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")])
    t.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    t.decoder = decoders.Metaspace("▁", prepend_scheme="always")
    t.add_special_tokens([special("<pad>"), special("</s>"), special("<unk>"), special("<extra_id_0>")])
    return t, {"eos_token": "</s>", "pad_token": "<pad>"}, None


def albert():
    t, _, _ = t5()
    t.normalizer = normalizers.Sequence([normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(),
                                         normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Nmt()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(),
                                               pre_tokenizers.Metaspace("▁", prepend_scheme="always")])
    return t, {"eos_token": "</s>", "pad_token": "<pad>"}, None


def bytes_unigram():
    """Unigram with byte fallback, cut at punctuation and runs of digits."""
    sp = sentencepiece_model("unigram", 620)
    t = Tokenizer(models.Unigram(pieces_of(sp), unk_id=0, byte_fallback=True))
    t.normalizer = normalizers.NFKC()
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Metaspace("▁", prepend_scheme="never", split=True), pre_tokenizers.Punctuation("merged_with_next"),
        pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split("q", "removed", invert=False)])
    t.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace("▁", prepend_scheme="never")])
    t.add_special_tokens([special("<unk>"), special("<s>"), special("</s>")])
    return t, {"bos_token": "<s>", "eos_token": "</s>"}, None


def words():
    """A suffix at each word's end and an unknown token; Whitespace; NFD."""
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, end_of_word_suffix="</w>", continuing_subword_prefix="##"))
    t.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Strip(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.train_from_iterator([text for text in SAMPLE if text.isascii()], trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<unk>"], end_of_word_suffix="</w>", continuing_subword_prefix="##", show_progress=False))
    t.decoder = decoders.Sequence([decoders.Replace("##", ""), decoders.Replace("</w>", " ")])
    return t, {"unk_token": "<unk>"}, None


FAMILIES = [gpt2, opt, roberta, pythia, smollm, llama3, qwen2, olmo2, tekken, gpt4o, llama2, mistral, phi3, gemma, t5, albert,
            bytes_unigram, words]


def write_gguf(path, name, tokenizer, settings, kind):
    writer = gguf.GGUFWriter(path, "llama")
    added = {token.content: token for token in tokenizer.get_added_tokens_decoder().values()}
    size = max(tokenizer.get_vocab().values()) + 1
    texts = [tokenizer.id_to_token(i) for i in range(size)]
    types = []
    for i, text in enumerate(texts):
        kind_of = gguf.TokenType.NORMAL
        if not isinstance(kind, str) and i < kind.get_piece_size():
            kind_of = (gguf.TokenType.BYTE if kind.is_byte(i) else gguf.TokenType.UNKNOWN if kind.is_unknown(i) else
                       gguf.TokenType.CONTROL if kind.is_control(i) else gguf.TokenType.NORMAL)
        if text in added and kind_of == gguf.TokenType.NORMAL:
            kind_of = gguf.TokenType.CONTROL if added[text].special else gguf.TokenType.USER_DEFINED
        types.append(kind_of)
    if isinstance(kind, str):
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(kind)
        merges = json.loads(tokenizer.to_str())["model"]["merges"]
        writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    else:
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_scores([kind.get_score(i) if i < kind.get_piece_size() else -1000.0 for i in range(size)])
        writer.add_add_space_prefix(name != "gemma")
    writer.add_token_list(texts)
    writer.add_token_types(types)
    for key, add in (("bos_token", writer.add_bos_token_id), ("eos_token", writer.add_eos_token_id),
                     ("pad_token", writer.add_pad_token_id)):
        value = settings.get(key)
        if value is not None:
            add(tokenizer.token_to_id(value["content"] if isinstance(value, dict) else value))
    if "add_bos_token" in settings and settings.get("bos_token") is not None:
        writer.add_add_bos_token(settings["add_bos_token"])
    # What llama.cpp asks of a file, though only its vocabulary is read.
    writer.add_context_length(64), writer.add_embedding_length(8), writer.add_block_count(1), writer.add_head_count(1)
    writer.add_feed_forward_length(8), writer.add_layer_norm_rms_eps(1e-5)
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file()
    writer.close()


def without_repeats(row, of_json):
    """What differs from the ids of tokenizer.json."""
    row["ids_as_text"] = row["ids_as_text"] if row["ids_as_text"] != of_json.get("ids_as_text", of_json["ids"]) else None
    row["ids"] = row["ids"] if row["ids"] != of_json["ids"] else None
    return {key: value for key, value in row.items() if value is not None}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    texts = TEXTS + random_texts(30, 3)
    out = []
    for family in FAMILIES:
        name = family.__name__
        tokenizer, settings, kind = family()
        folder = OUT / name
        folder.mkdir(parents=True)
        (folder / "tokenizer.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False,
                                                          separators=(",", ":")))
        (folder / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")
        rows = []
        for text in texts:
            tokenizer.encode_special_tokens = False
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            row = {"ids": ids}
            decoded = tokenizer.decode(ids, skip_special_tokens=False)
            if decoded != text:  # what is left out is as the row above says
                row["decoded"] = decoded
            tokenizer.encode_special_tokens = True
            as_text = tokenizer.encode(text, add_special_tokens=False).ids
            if as_text != ids:
                row["ids_as_text"] = as_text
            skipped = tokenizer.decode(ids, skip_special_tokens=True)
            if skipped != decoded:
                row["decoded_without_special"] = skipped
            rows.append(row)
        tokenizer.encode_special_tokens = False
        with_bos = tokenizer.encode("a", add_special_tokens=True).ids
        entry = {"name": name, "adds_bos": len(with_bos) > 0 and "bos_token" in settings and settings["bos_token"] is not None and
                 with_bos[0] == tokenizer.token_to_id(settings["bos_token"]["content"] if isinstance(settings["bos_token"], dict)
                                                      else settings["bos_token"]), "rows": rows}
        for key in ("bos", "eos", "pad"):
            value = settings.get(key + "_token")
            entry[key] = -1 if value is None else tokenizer.token_to_id(value["content"] if isinstance(value, dict) else value)
        if kind is not None:
            path = OUT / f"{name}.gguf"
            write_gguf(path, name, tokenizer, settings, kind)
            entry["gguf_rows"] = [{} for _ in rows]
        if kind is not None and name not in OTHER_THAN_LLAMA_CPP:
            llama = Llama(str(path), vocab_only=True, verbose=False)
            gguf_rows = []
            for text in texts:
                raw = text.encode()
                gguf_rows.append({"ids": llama.tokenize(raw, add_bos=False, special=True),
                                  "ids_as_text": llama.tokenize(raw, add_bos=False, special=False)})
            entry["gguf_rows"] = [without_repeats(row, of_json) for row, of_json in zip(gguf_rows, rows)]
            del llama
        out.append(entry)
        print(name, len(tokenizer.get_vocab()), sum(len(row["ids"]) for row in rows))
    (HERE / "tokenizers.json").write_text(json.dumps(
        {"made_by": "make_tokenizers.py", "versions": VERSIONS, "texts": texts, "families": out}, ensure_ascii=True,
        separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
