"""One tiny random model of every family, made with transformers: a folder as save_pretrained writes it, a GGUF twin
where llama.cpp has the family, and log-probabilities of a fixed text of ids, in f32. For some also a PEFT adapter.

    python3 tests/golden/make_families.py

writes tests/golden/families/. Windows and scalings are small enough to matter within the 40 ids. Weights are rounded to
the file's type before the reference runs, so that both sides compute with the same numbers. The tokenizer is the same
everywhere: three special tokens, most bytes, two merges. llama.cpp (llama-cpp-python) is asked for the log-probabilities
of each twin, too, and must agree.
"""

import json
import math
import pathlib
import shutil
import sys

import gguf
import llama_cpp
import numpy as np
import peft
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "families"
VOCAB, LENGTH, PROMPT = 160, 40, 6
SIZES = dict(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
             intermediate_size=48, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LLAMA3 = dict(rope_type="llama3", rope_theta=1000.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
YARN = dict(rope_type="yarn", rope_theta=1000.0, factor=4.0, original_max_position_embeddings=16)
LONGROPE = dict(rope_type="longrope", rope_theta=10000.0, short_factor=[1.0, 1.5, 2.0], long_factor=[2.0, 3.0, 4.0],
                original_max_position_embeddings=64)

# name: (configuration class, settings, dtype of the files, GGUF architecture, shards)
MODELS = {
    "llama": ("Llama", dict(rope_parameters=LLAMA3, tie_word_embeddings=True), "bfloat16", "llama", True),
    "llama_linear": ("Llama", dict(rope_parameters=dict(rope_type="linear", rope_theta=1000.0, factor=2.0),
                                   attention_bias=True, mlp_bias=True, head_dim=12), "float32", "llama", False),
    "mistral": ("Mistral", dict(sliding_window=9, rms_norm_eps=1e-5), "float16", None, False),
    "qwen2": ("Qwen2", dict(rope_parameters=YARN, tie_word_embeddings=True), "bfloat16", "qwen2", False),
    "qwen3": ("Qwen3", dict(head_dim=12, use_sliding_window=True, sliding_window=8, max_window_layers=1), "float32", None,
              False),
    "qwen3_plain": ("Qwen3", dict(head_dim=12, tie_word_embeddings=True), "float16", "qwen3", False),
    "smollm3": ("SmolLM3", dict(num_hidden_layers=4, tie_word_embeddings=True), "float32", "smollm3", False),
    "olmo2": ("Olmo2", dict(), "float32", "olmo2", False),
    "gemma2": ("Gemma2", dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=9, attn_logit_softcapping=3.0,
                              final_logit_softcapping=4.0), "float32", "gemma2", False),
    "gemma3": ("Gemma3Text", dict(head_dim=12, query_pre_attn_scalar=10, sliding_window=9, num_hidden_layers=3,
                                  layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                                  rope_parameters={
                                      "full_attention": dict(rope_type="linear", rope_theta=100000.0, factor=2.0),
                                      "sliding_attention": dict(rope_type="default", rope_theta=1000.0)}),
               "bfloat16", None, False),
    "gemma3_usual": ("Gemma3Text", dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=9, num_hidden_layers=6),
                     "float32", "gemma3", False),
    "phi3": ("Phi3", dict(hidden_size=32, sliding_window=10, rope_parameters={**LONGROPE, "partial_rotary_factor": 0.75},
                          original_max_position_embeddings=64, max_position_embeddings=256), "float16", None, False),
    "phi3_whole": ("Phi3", dict(rope_parameters={**LONGROPE, "original_max_position_embeddings": 256,
                                                 "partial_rotary_factor": 0.75}, sliding_window=None,
                                original_max_position_embeddings=256, max_position_embeddings=1024), "float32", "phi3",
                   False),   # llama.cpp leaves Phi-3's window out, and has 256 tokens of context at least
    "gpt2": ("GPT2", dict(n_embd=32, n_layer=3, n_head=4, n_positions=64), "float32", "gpt2", False),
    "gpt_neox": ("GPTNeoX", dict(rotary_pct=0.5), "float16", "gptneox", False),
    "gpt_neox_sequential": ("GPTNeoX", dict(use_parallel_residual=False), "float32", "gptneox",
                            False),
    "opt": ("OPT", dict(ffn_dim=64, word_embed_proj_dim=32), "float16", None, False),
}
ADAPTED = {"llama": r".*\.(q_proj|down_proj)", "gpt2": ["c_attn", "c_proj", "c_fc"],
           "gpt_neox": ["query_key_value", "dense"], "phi3": "all-linear", "opt": ["q_proj", "out_proj", "fc1"]}


SPECIAL = ["<pad>", "<s>", "</s>"]
MERGES = [("t", "h"), ("Ġ", "th")]
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet(), key=lambda c: (not c.isascii(), c not in "ĠĊ", c))
TOKENS = SPECIAL + BYTES[:VOCAB - len(SPECIAL) - len(MERGES)] + ["".join(merge) for merge in MERGES]


def write_tokenizer(folder):
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(TOKENS)}, merges=MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")


def llama_cpp_logprobs(path, ids):
    model = llama_cpp.Llama(str(path), n_ctx=64, logits_all=True, verbose=False, n_threads=1)
    model.eval(ids)
    rows = torch.log_softmax(torch.tensor(np.array(model.scores[:len(ids)])).double(), -1)
    return [rows[at - 1, ids[at]].item() for at in range(PROMPT, len(ids))]


def make_model(kind, settings, dtype):
    config_class = getattr(transformers, kind + "Config")
    known = dict(SIZES)
    if kind == "GPT2":
        known = {key: SIZES[key] for key in ("vocab_size", "bos_token_id", "eos_token_id", "pad_token_id")}
    if kind in ("GPTNeoX", "OPT"):
        known.pop("num_key_value_heads")
    config = config_class(**{**known, **settings}, attn_implementation="eager")
    torch.manual_seed(len(kind) + len(settings))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            spread = 0.5 if "norm" in name or "ln_" in name else 0.15
            offset = 1.0 if ("norm" in name or "ln_" in name) and "bias" not in name and "Gemma" not in kind else 0.0
            weight.copy_((torch.randn_like(weight) * spread + offset).to(getattr(torch, dtype)).float())
    return model


def ids_of(name):
    generator = np.random.default_rng(sum(name.encode()))
    return generator.integers(3, VOCAB, LENGTH).tolist()


def logprobs_of(model, ids):
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].double()
    rows = torch.log_softmax(logits, -1)
    return [rows[at - 1, ids[at]].item() for at in range(PROMPT, len(ids))]


def greedy_of(model, ids, count=12):
    ids = list(ids)
    for _ in range(count):   # without a cache: what the cache must equal
        with torch.no_grad():
            ids.append(model(torch.tensor([ids])).logits[0, -1].argmax().item())
    return ids[-count:]


def permuted(weight, heads):
    """transformers pairs a rotary dimension with the one half a head away, llama.cpp's Llama with its neighbour."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def by_part(weight, heads):
    """GPT-NeoX keeps query, key and value head by head; GGUF has all queries first."""
    parts = weight.reshape(heads, 3, weight.shape[0] // heads // 3, *weight.shape[1:])
    return np.concatenate([parts[:, i].reshape(-1, *weight.shape[1:]) for i in range(3)])


def write_gguf(path, model, arch, dtype):
    config = model.config
    heads = config.num_attention_heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    rope = getattr(config, "rope_parameters", None) or {}
    whole = rope.get("full_attention", rope)
    writer = gguf.GGUFWriter(path, arch)
    writer.add_name("Tiny " + arch.replace("phi3", "Phi"))   # llama.cpp looks for tokens of Phi-3 by this name
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    mlp = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    writer.add_feed_forward_length(mlp)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_vocab_size(VOCAB)
    if arch in ("gpt2", "gptneox"):
        writer.add_layer_norm_eps(getattr(config, "layer_norm_epsilon", None) or config.layer_norm_eps)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
        if "rope_theta" in whole:
            writer.add_rope_freq_base(whole["rope_theta"])
    if arch == "gptneox":
        writer.add_rope_dimension_count(int(head_dim * whole["partial_rotary_factor"]))
        writer.add_parallel_residual(config.use_parallel_residual)
    elif arch == "phi3":
        writer.add_rope_dimension_count(int(head_dim * whole["partial_rotary_factor"]))
        writer.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)
        stretch = config.max_position_embeddings / config.original_max_position_embeddings
        writer.add_rope_scaling_attn_factors(
            math.sqrt(1 + math.log(stretch) / math.log(config.original_max_position_embeddings)))
        for length in ("long", "short"):
            writer.add_tensor(f"rope_factors_{length}.weight", np.array(whole[length + "_factor"], dtype=np.float32))
    elif arch == "llama":
        writer.add_rope_dimension_count(head_dim)
    kind = whole.get("rope_type", "default")
    if kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(whole["factor"])
    elif kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(whole["factor"])
        writer.add_rope_scaling_orig_ctx_len(whole["original_max_position_embeddings"])
    elif kind == "llama3":   # as llama.cpp's converter works them out
        old, factors = whole["original_max_position_embeddings"], []
        for i in range(0, head_dim, 2):
            wave = 2 * math.pi * whole["rope_theta"] ** (i / head_dim)
            if wave < old / whole["high_freq_factor"]:
                factors.append(1.0)
            elif wave > old / whole["low_freq_factor"]:
                factors.append(whole["factor"])
            else:
                smooth = (old / wave - whole["low_freq_factor"]) / (whole["high_freq_factor"] - whole["low_freq_factor"])
                factors.append(1 / ((1 - smooth) / whole["factor"] + smooth))
        writer.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))
    if arch in ("gemma2", "gemma3", "phi3"):
        writer.add_sliding_window(config.sliding_window or 0)
    if arch == "gemma3":
        writer.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
    if arch == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in TOKENS])
    writer.add_token_merges([" ".join(merge) for merge in MERGES])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)

    names = gguf.get_tensor_name_map({value: key for key, value in gguf.MODEL_ARCH_NAMES.items()}[arch],
                                     config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        if name in ("lm_head.weight",) and config.tie_word_embeddings:
            continue
        if name.endswith((".attn.bias", ".masked_bias", "rotary_emb.inv_freq")):
            continue
        data = weight.float().numpy()
        if arch in ("llama", "smollm3") and ".q_proj." in name:
            data = permuted(data, heads)
        if arch in ("llama", "smollm3") and ".k_proj." in name:
            data = permuted(data, kv_heads)
        if arch == "gptneox" and ".query_key_value." in name:
            data = by_part(data, heads)
        if arch == "gpt2" and name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            data = data.T
        if arch in ("gemma2", "gemma3") and name.endswith("norm.weight"):
            data = data + 1
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert stored, name
        data = np.ascontiguousarray(data)
        if data.ndim == 2 and dtype == "float16":
            data = data.astype(np.float16)
        writer.add_tensor(stored, data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_adapter(name, folder, settings):
    base = AutoModelForCausalLM.from_pretrained(OUT / name, dtype=torch.float32, attn_implementation="eager").eval()
    torch.manual_seed(11)
    patterns = dict(rank_pattern={"q_proj": 4}, alpha_pattern={"down_proj": 20.0}) if name == "llama" else {}
    config = LoraConfig(r=3, lora_alpha=6, target_modules=settings, task_type="CAUSAL_LM", use_rslora=name == "phi3",
                        **patterns)
    adapted = get_peft_model(base, config)
    with torch.no_grad():
        for key, weight in adapted.named_parameters():
            if "lora_B" in key:
                weight.normal_(0, 0.2)
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    (folder / "adapter_model.safetensors").chmod(0o644)
    file = folder / "adapter_config.json"
    written = json.loads(file.read_text())
    written["base_model_name_or_path"] = None
    if isinstance(written["target_modules"], list):
        written["target_modules"].sort()
    file.write_text(json.dumps(written, indent=2, sort_keys=True))
    return adapted


def gradient_of(adapted, ids):
    """Of the sum of log-probabilities, in each adapter matrix: its norm and its sum."""
    for weight in adapted.parameters():
        weight.grad = None
    for key, weight in adapted.named_parameters():
        weight.requires_grad_("lora_" in key)
    rows = torch.log_softmax(adapted(torch.tensor([ids])).logits[0], -1)
    rows[range(PROMPT - 1, len(ids) - 1), ids[PROMPT:]].sum().backward()
    return {key.replace("base_model.model.", "").replace(".default.weight", ""):
            [weight.grad.norm().item(), weight.grad.sum().item()]
            for key, weight in adapted.named_parameters() if "lora_" in key}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    rows = {}
    for name, (kind, settings, dtype, arch, sharded) in MODELS.items():
        model = make_model(kind, settings, dtype)
        ids = ids_of(name)
        folder = OUT / name
        model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size="12KB" if sharded else "1GB")
        (folder / "generation_config.json").unlink(missing_ok=True)
        write_tokenizer(folder)
        for file in folder.glob("*.safetensors"):
            file.chmod(0o644)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        row = {"folder": name, "ids": ids, "prompt": PROMPT, "logprobs": logprobs_of(model, ids),
               "greedy": greedy_of(model, ids[:20])}
        if arch:
            write_gguf(OUT / f"{name}.gguf", model, arch, dtype)
            row["gguf"] = f"{name}.gguf"
            theirs = llama_cpp_logprobs(OUT / row["gguf"], ids)
            apart = max(abs(a - b) for a, b in zip(theirs, row["logprobs"]))
            print(f"{name}: llama.cpp differs by {apart:.5f}")
            assert apart < 0.02, "more than its f16 cache explains"
        if name in ADAPTED:
            adapted = make_adapter(name, OUT / (name + "_adapter"), ADAPTED[name])
            row |= {"adapter": name + "_adapter", "adapter_logprobs": logprobs_of(adapted, ids),
                    "gradients": gradient_of(adapted, ids)}
        rows[name] = row
        print(f"{name:22} {sum(row['logprobs']):10.4f} {sum(f.stat().st_size for f in folder.iterdir()):8}")
    versions = {module.__name__: module.__version__ for module in (torch, transformers, peft)} | {"gguf": "0.19", "llama_cpp": llama_cpp.__version__}
    with open(HERE / "families.json", "w") as out:
        json.dump({"made_by": "make_families.py", "versions": versions, "models": rows}, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    sys.exit(main())
