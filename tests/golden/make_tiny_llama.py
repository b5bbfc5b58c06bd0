"""A tiny Llama, adapters for it, and what transformers, peft and TRL make of them.

    python tests/golden/make_tiny_llama.py [SMOLLM2.gguf]

writes, beside this script (texts in tiny_text.py; every JSON records the library versions):

tiny_llama.gguf       a random LlamaForCausalLM in F32, llama.cpp's conventions: q and k rows permuted, tied embeddings
                      (no output.weight), norms with values other than 1. Byte-level BPE, tokenizer.ggml.pre "gpt-2".
                      <|endoftext|> 0 (padding), <|im_start|> 1 (BOS, not added), <|im_end|> 2 (EOS).
tiny_logprobs.json    per row: prompt and response as text and ids (tokenized apart, joined; no BOS, no EOS), the
                      log-probability of each response token, and the same with tiny_adapter on (`adapter_logprobs`).
tiny_adapter/         LoRA by peft: r 8, alpha 16, all linear layers of all blocks, B not zero.
tiny_pairs.jsonl      24 rows of prompt, chosen, rejected.
tiny_dpo.json         TRL's DPOTrainer from tiny_adapter: the first ten steps. Batch 4 in file order (24 rows are six
                      steps; the seventh begins again with row 1), lr 1e-3 constant without warm-up, AdamW (0.9, 0.999,
                      1e-8, decay 0), gradients clipped to norm 1.0, beta 0.1, no dropout, f32, CPU.
                      `reference_initial_adapter`: TRL's own behaviour for a model that already has an adapter, the
                      reference is a frozen copy of it, so the first loss is ln 2. `reference_base`: the same with the
                      reference being the model without any adapter.
tiny_reward_adapter/  LoRA likewise for LlamaForSequenceClassification with one output, its head in modules_to_save.
tiny_reward.json      TRL's RewardTrainer from tiny_reward_adapter: the first ten steps, the same settings, no centring;
                      `scores`: the rewards of the rows of tiny_logprobs.json (no EOS) at the initial adapter, and the
                      head's value at each response token.
smollm_logprobs.json  with SMOLLM2.gguf: log-probabilities of its responses, weights dequantised to f32.

How TRL 1.16 prepares a row whose parts are plain text:
- chosen and rejected each get the text of the EOS token appended, unless they end with it;
- DPO tokenizes prompt, prompt + chosen and prompt + rejected as three texts without BOS or other additions; the
  completion begins where the ids differ from the prompt's (here always behind the whole prompt). Sequences are
  truncated to max_length 1024. The loss takes the sum of the log-probabilities of the completion's tokens, EOS
  included; the mean over the four rows of -log sigmoid(beta ((pi_c - ref_c) - (pi_r - ref_r))).
- the reward trainer tokenizes prompt + chosen and prompt + rejected; the reward is the head's value (no bias) of the
  last hidden state, after the final norm, at the last token that is not the padding token - here EOS. (With a model
  whose padding token is EOS, as SmolLM2's, transformers reads it one token earlier, before EOS.)
- a batch is the four chosen rows, then the four rejected, padded on the right.
Rows of messages are rendered with the chat template instead and get no EOS beyond the template's.
"""

import importlib.metadata
import json
import math
import pathlib
import shutil
import sys
import tempfile

import gguf
import numpy as np
import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM,
                          LlamaForSequenceClassification)
from trl import DPOConfig, DPOTrainer, RewardConfig, RewardTrainer

from tiny_text import CORPUS, PAIRS, RESPONSES, SMOLLM_RESPONSES

HERE = pathlib.Path(__file__).parent
VERSIONS = {name: importlib.metadata.version(name)
            for name in ("torch", "transformers", "peft", "trl", "tokenizers", "gguf", "numpy")}
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
HIDDEN, LAYERS, HEADS, KV_HEADS, MLP, CONTEXT, VOCAB = 64, 4, 4, 2, 128, 512, 400
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
STEPS = 10
TEMPLATE = ("{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
            "You are a tiny model<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + "
            "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
            "{{ '<|im_start|>assistant\n' }}{% endif %}")


def write(name, content):
    path = HERE / name
    path.write_text(json.dumps({"made_by": "make_tiny_llama.py", "versions": VERSIONS, **content}, indent=1) + "\n")
    print(path.name, path.stat().st_size)


def train_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS.split("\n"), trainer)
    state = json.loads(tokenizer.to_str())["model"]
    vocab = sorted(state["vocab"], key=state["vocab"].get)
    return vocab, [merge if isinstance(merge, str) else " ".join(merge) for merge in state["merges"]]


def random_model():
    torch.manual_seed(1)
    config = LlamaConfig(vocab_size=VOCAB, hidden_size=HIDDEN, intermediate_size=MLP, num_hidden_layers=LAYERS,
                         num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, max_position_embeddings=CONTEXT,
                         rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=True, initializer_range=0.15,
                         pad_token_id=0, bos_token_id=1, eos_token_id=2)
    model = LlamaForCausalLM(config).float().eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" in name:
                weight.add_(0.2 * torch.randn_like(weight))
    return model


def permuted(weight, heads):
    """Rows in the order that llama.cpp's rotary embedding wants, as its converter does."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(path, model, vocab, merges):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Tiny Llama")
    writer.add_license("gpl-3.0")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCAB)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocab)
    writer.add_token_types([gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in vocab])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    writer.add_quantization_version(2)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, LAYERS)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        data = weight.numpy()
        if name.endswith("q_proj.weight"):
            data = permuted(data, HEADS)
        if name.endswith("k_proj.weight"):
            data = permuted(data, KV_HEADS)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), np.ascontiguousarray(data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def load(path):
    path = pathlib.Path(path)
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32,
                                                 attn_implementation="eager")
    return model.eval(), AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def ids_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def logprobs_of(model, prompt_ids, response_ids):
    with torch.no_grad():
        logits = model(torch.tensor([prompt_ids + response_ids])).logits[0]
    logprobs = torch.log_softmax(logits.double(), -1)
    at = len(prompt_ids) - 1
    return [logprobs[at + i, token].item() for i, token in enumerate(response_ids)]


def make_adapter(model, folder, task_type):
    torch.manual_seed(2 if task_type == "CAUSAL_LM" else 3)
    config = LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules=LINEAR, task_type=task_type,
                        modules_to_save=["score"] if task_type == "SEQ_CLS" else None)
    adapted = get_peft_model(model, config)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.05)
            if "score.modules_to_save" in name:
                weight.normal_(0, 1 / math.sqrt(HIDDEN + 1))
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    (folder / "adapter_model.safetensors").chmod(0o644)
    settings_file = folder / "adapter_config.json"
    written = json.loads(settings_file.read_text())
    written["base_model_name_or_path"] = None  # peft fills in where the model was on the machine at hand
    written["target_modules"].sort()  # a set in peft
    settings_file.write_text(json.dumps(written, indent=2, sort_keys=True))
    return adapted.unload() if task_type == "CAUSAL_LM" else None


def make_logprobs(model, tokenizer, adapter):
    rows = []
    for prompt, response in RESPONSES:
        prompt_ids, response_ids = ids_of(tokenizer, prompt), ids_of(tokenizer, response)
        assert ids_of(tokenizer, prompt + response) == prompt_ids + response_ids
        rows.append({"prompt": prompt, "response": response, "prompt_ids": prompt_ids, "response_ids": response_ids,
                     "logprobs": logprobs_of(model, prompt_ids, response_ids)})
    adapted = PeftModel.from_pretrained(model, adapter).eval()
    for row in rows:
        row["adapter_logprobs"] = logprobs_of(adapted, row["prompt_ids"], row["response_ids"])
    adapted.unload()
    for row in rows:
        print(f"{sum(row['logprobs']):10.4f} {sum(row['adapter_logprobs']):10.4f} {row['prompt']!r}")
    write("tiny_logprobs.json", {"adapter": adapter.name, "rows": rows})
    return rows


def pairs_dataset():
    return Dataset.from_list([{"prompt": p, "chosen": c, "rejected": r} for p, c, r in PAIRS])


def settings(folder):
    return dict(output_dir=folder, per_device_train_batch_size=4, gradient_accumulation_steps=1, learning_rate=1e-3,
                lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0, adam_beta1=0.9, adam_beta2=0.999,
                adam_epsilon=1e-8, max_grad_norm=1.0, optim="adamw_torch", max_steps=STEPS, logging_steps=1, bf16=False,
                gradient_checkpointing=False, use_cpu=True, report_to="none", save_strategy="no", disable_tqdm=True,
                train_sampling_strategy="sequential", dataloader_drop_last=False, seed=0)


class Recorded:
    """Keeps each step's loss unrounded."""

    def compute_loss(self, *args, **kwargs):
        out = super().compute_loss(*args, **kwargs)
        self.losses = getattr(self, "losses", []) + [(out[0] if isinstance(out, tuple) else out).item()]
        return out


def steps_of(trainer, names):
    trainer.train()
    logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert len(logs) == len(trainer.losses) == STEPS
    return [{"step": i + 1, "loss": loss, "grad_norm": float(log["grad_norm"]),
             **{ours: log[theirs] for ours, theirs in names.items()}}
            for i, (loss, log) in enumerate(zip(trainer.losses, logs))]


class RecordedDpo(Recorded, DPOTrainer):
    pass


class RecordedReward(Recorded, RewardTrainer):
    pass


def check_rows(dataset, tokenizer, first_ids):
    """The trainer's first row is what the docstring says."""
    prompt, chosen, _ = PAIRS[0]
    assert first_ids == ids_of(tokenizer, prompt) + ids_of(tokenizer, chosen) + [2], (first_ids, dataset[0])


def make_dpo(tiny, adapter):
    names = {"rewards/chosen": "rewards/chosen", "rewards/rejected": "rewards/rejected",
             "rewards/margin": "rewards/margins", "rewards/accuracy": "rewards/accuracies",
             "logps/chosen": "logps/chosen", "logps/rejected": "logps/rejected"}
    out = {}
    for reference in ("reference_initial_adapter", "reference_base"):
        with tempfile.TemporaryDirectory() as folder:
            model, tokenizer = trainable(LlamaForCausalLM, tiny)
            adapted = PeftModel.from_pretrained(model, adapter, is_trainable=True)
            trainer = RecordedDpo(adapted, args=DPOConfig(beta=0.1, max_length=1024, **settings(folder)),
                                  train_dataset=pairs_dataset(), processing_class=tokenizer)
            first = trainer.train_dataset[0]
            check_rows(trainer.train_dataset, tokenizer, first["prompt_ids"] + first["chosen_ids"])
            if reference == "reference_base":
                trainer.model.delete_adapter("ref")
            out[reference] = steps_of(trainer, names)
            print(reference, [round(step["loss"], 5) for step in out[reference]])
    assert abs(out["reference_initial_adapter"][0]["loss"] - math.log(2)) < 1e-6
    write("tiny_dpo.json", {"pairs": "tiny_pairs.jsonl", "adapter": adapter.name, "beta": 0.1, "lr": 1e-3,
                            "batch_size": 4, **out})


def trainable(kind, tiny, **settings):
    """The same weights in a fresh model: transformers takes one that came from GGUF for quantised, not trainable."""
    loaded, tokenizer = load(tiny)
    config = LlamaConfig(**{key: value for key, value in loaded.config.to_dict().items()
                            if key not in ("quantization_config", "_name_or_path")}, **settings)
    config._attn_implementation = "eager"
    model = kind(config).float()
    missing, unexpected = model.load_state_dict(loaded.state_dict(), strict=False)
    assert set(missing) <= {"score.weight"} and set(unexpected) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    return model, tokenizer


def make_reward(tiny, adapter, rows):
    names = {"accuracy": "accuracy", "margin": "margin", "min_reward": "min_reward", "mean_reward": "mean_reward",
             "max_reward": "max_reward"}
    with tempfile.TemporaryDirectory() as folder:
        model, tokenizer = trainable(LlamaForSequenceClassification, tiny, num_labels=1)
        make_adapter(model, adapter, "SEQ_CLS")
        model, _ = trainable(LlamaForSequenceClassification, tiny, num_labels=1)
        adapted = PeftModel.from_pretrained(model, adapter, is_trainable=True)
        scores = []
        adapted.eval()
        for row in rows:
            ids = torch.tensor([row["prompt_ids"] + row["response_ids"]])
            with torch.no_grad():
                whole = adapted(ids).logits[0, 0].item()
                hidden = adapted.base_model.model.model(ids).last_hidden_state[0]
                values = adapted.base_model.model.score(hidden)[len(row["prompt_ids"]):, 0].tolist()
            assert abs(whole - values[-1]) < 1e-5
            scores.append({"reward": whole, "token_rewards": values})
        trainer = RecordedReward(adapted, args=RewardConfig(max_length=1024, **settings(folder)),
                                 train_dataset=pairs_dataset(), processing_class=tokenizer)
        check_rows(trainer.train_dataset, tokenizer, trainer.train_dataset[0]["chosen_ids"])
        steps = steps_of(trainer, names)
        print("reward", [round(step["loss"], 5) for step in steps])
    write("tiny_reward.json", {"pairs": "tiny_pairs.jsonl", "adapter": adapter.name, "lr": 1e-3, "batch_size": 4,
                               "scores": scores, "steps": steps})


def make_smollm(path):
    model, tokenizer = load(path)
    rows = []
    for case in SMOLLM_RESPONSES:
        text = case.get("prompt") or tokenizer.apply_chat_template(case["messages"], tokenize=False,
                                                                   add_generation_prompt=True)
        prompt_ids, response_ids = ids_of(tokenizer, text), ids_of(tokenizer, case["response"])
        row = {**case, "prompt_ids": prompt_ids, "response_ids": response_ids,
               "logprobs": logprobs_of(model, prompt_ids, response_ids)}
        row["sum"] = sum(row["logprobs"])
        rows.append(row)
        print(f"{row['sum']:10.4f} {case['response']!r}")
    write("smollm_logprobs.json", {"model": pathlib.Path(path).name, "rows": rows})


def main():
    tiny = HERE / "tiny_llama.gguf"
    vocab, merges = train_tokenizer()
    assert vocab[:3] == SPECIAL and len(vocab) == VOCAB, len(vocab)
    original = random_model()
    write_gguf(tiny, original, vocab, merges)
    print(tiny.name, tiny.stat().st_size)

    model, tokenizer = load(tiny)
    ids = torch.tensor([ids_of(tokenizer, CORPUS[:400])])
    with torch.no_grad():
        for name, weight in original.state_dict().items():
            assert torch.equal(weight, model.state_dict()[name]), name
        difference = (model(ids).logits - original(ids).logits).abs().max().item()
    assert difference < 1e-4, difference
    print("largest difference of logits through the file", difference)
    assert tokenizer.eos_token_id == 2 and tokenizer.pad_token_id == 0
    for prompt, chosen, rejected in PAIRS:
        for reply in (chosen, rejected):
            assert ids_of(tokenizer, prompt + reply) == ids_of(tokenizer, prompt) + ids_of(tokenizer, reply)

    with open(HERE / "tiny_pairs.jsonl", "w") as out:
        for prompt, chosen, rejected in PAIRS:
            out.write(json.dumps({"prompt": prompt, "chosen": chosen, "rejected": rejected}) + "\n")

    for folder in ("tiny_adapter", "tiny_reward_adapter"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
    make_adapter(model, HERE / "tiny_adapter", "CAUSAL_LM")
    model, tokenizer = load(tiny)
    rows = make_logprobs(model, tokenizer, HERE / "tiny_adapter")
    make_dpo(tiny, HERE / "tiny_adapter")
    make_reward(tiny, HERE / "tiny_reward_adapter", rows)
    if len(sys.argv) > 1:
        make_smollm(sys.argv[1])


if __name__ == "__main__":
    main()
