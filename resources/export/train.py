"""Repeats a Plumbline session's training with TRL: the same model, answers, algorithm and settings.

    pip install "trl[peft]==1.16.*" "transformers==5.23.*" gguf
    python train.py [--model MODEL] [--out FOLDER]

settings.json and preferences.jsonl lie beside this file. MODEL is the model's .gguf file or Hugging Face folder, where it
is not at the place that settings.json names. The trained weights go to FOLDER.

What is not the same: the session took a step after each answer, on it and a few earlier ones, while here the answers are
shuffled; its brake, which slows learning near the KL limit, is not in TRL; and a reward comes from TRL's RewardTrainer, not
from the session's own reward model. TRL has no PPO and no REINFORCE (RLOO takes their place), no best of N (GRPO), and no
label smoothing in DPO (cDPO becomes DPO). Rules of the reward, such as length or keyword, are left out.
"""

import argparse
import json
import pathlib

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, GgufConfig

HERE = pathlib.Path(__file__).parent
DPO_LOSSES = {"dpo": "sigmoid", "cdpo": "sigmoid", "robust-dpo": "robust", "ipo": "ipo", "hinge": "hinge"}


def as_folder(model, out):
    """A .gguf file's model and tokenizer as a folder: TRL opens a model by its name again, for the reference."""
    path = pathlib.Path(model)
    if path.suffix != ".gguf":
        return path
    folder = out / "start"
    for cls, options in ((AutoTokenizer, {}), (AutoModelForCausalLM, {"dtype": torch.float32,
                                                                     "quantization_config": GgufConfig(dequantize=True)})):
        cls.from_pretrained(path.parent, gguf_file=path.name, **options).save_pretrained(folder)
    return folder


def read_preferences():
    """Ties prefer neither reply."""
    with open(HERE / "preferences.jsonl", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [{part: row[part] for part in ("prompt", "chosen", "rejected")} for row in rows if not row["tie"]]


def lora(settings, model):
    """Adapters on the linear layers of the blocks that the session adapted; None where every weight trains."""
    if settings["all_weights"]:
        return None
    blocks = model.config.num_hidden_layers
    first = settings["lora_first_block"] if settings["lora_first_block"] >= 0 else blocks // 2
    linear = {name.rsplit(".", 1)[-1] for name, part in model.named_modules()
              if isinstance(part, torch.nn.Linear) and ".layers." in name}
    return LoraConfig(r=settings["lora_rank"], lora_alpha=settings["lora_alpha"], target_modules=sorted(linear),
                      layers_to_transform=list(range(first, blocks)), task_type="CAUSAL_LM")


def shared(settings, out, rows):
    """What all trainers are told alike."""
    return {
        "output_dir": str(out), "learning_rate": settings["lr"], "max_steps": rows * max(1, settings["steps_per_click"]),
        "optim": "sgd" if settings["optimizer"] == "sgd" else "adamw_torch", "weight_decay": 0.0,
        "lr_scheduler_type": "constant", "max_grad_norm": settings["clip_norm"], "seed": settings["seed"],
        "bf16": False, "gradient_checkpointing": False, "report_to": [], "save_strategy": "no", "logging_steps": 1,
        "use_cpu": not torch.cuda.is_available(),
    }


def train_on_pairs(settings, model, tokenizer, preferences, arguments, peft_config):
    arguments["per_device_train_batch_size"] = 1 + settings["replay_pairs"]
    options = {"model": model, "train_dataset": Dataset.from_list(preferences), "processing_class": tokenizer,
               "peft_config": peft_config}
    algorithm = settings["algorithm"]
    if algorithm == "kto":
        from trl import KTOConfig, KTOTrainer
        replies = [{"prompt": row["prompt"], "completion": row[side], "label": side == "chosen"}
                   for row in preferences for side in ("chosen", "rejected")]
        options["train_dataset"] = Dataset.from_list(replies)
        return KTOTrainer(args=KTOConfig(beta=settings["beta"], desirable_weight=settings["desirable_weight"],
                                         undesirable_weight=settings["undesirable_weight"], **arguments), **options)
    if algorithm == "orpo":
        from trl.experimental.orpo import ORPOConfig, ORPOTrainer
        return ORPOTrainer(args=ORPOConfig(beta=settings["orpo_lambda"], **arguments), **options)
    if algorithm == "simpo":
        from trl.experimental.cpo import CPOConfig, CPOTrainer
        return CPOTrainer(args=CPOConfig(loss_type="simpo", cpo_alpha=0.0, beta=settings["beta"],
                                         simpo_gamma=settings["simpo_gamma"], **arguments), **options)
    from trl import DPOConfig, DPOTrainer
    smoothing = settings["label_smoothing"] if algorithm == "robust-dpo" else 0.0
    return DPOTrainer(args=DPOConfig(loss_type=[DPO_LOSSES[algorithm]], beta=settings["beta"],
                                     label_smoothing=smoothing, **arguments), **options)


def train_reward(settings, path, tokenizer, preferences, out):
    """A reward model of the same pairs, for what learns from samples."""
    from trl import RewardConfig, RewardTrainer
    model = AutoModelForSequenceClassification.from_pretrained(path, num_labels=1, dtype=torch.float32)
    model.config.pad_token_id = tokenizer.pad_token_id
    arguments = shared(settings, out, len(preferences)) | {"learning_rate": 1e-4, "optim": "adamw_torch"}
    trainer = RewardTrainer(model=model, args=RewardConfig(per_device_train_batch_size=4, **arguments),
                            train_dataset=Dataset.from_list(preferences), processing_class=tokenizer)
    trainer.train()
    return trainer.model


def train_on_samples(settings, path, model, tokenizer, preferences, arguments, peft_config, out):
    reward = train_reward(settings, path, tokenizer, preferences, out / "reward")
    sampling = {"temperature": settings["temperature"] or 1.0, "top_k": settings["top_k"], "top_p": settings["top_p"],
                "min_p": settings["min_p"]}
    prompts = [{"prompt": row["prompt"]} for row in preferences]
    prompts *= -(-settings["prompts"] // len(prompts))  # a step takes that many, and TRL leaves out what is fewer
    options = {"model": model, "processing_class": tokenizer, "peft_config": peft_config,
               "train_dataset": Dataset.from_list(prompts)}
    group, algorithm = settings["group_size"], settings["algorithm"]
    if algorithm == "online-dpo":
        from trl.experimental.online_dpo import OnlineDPOConfig, OnlineDPOTrainer
        arguments |= {"per_device_train_batch_size": settings["prompts"], "max_new_tokens": settings["max_new_tokens"],
                      "beta": settings["beta"]}
        return OnlineDPOTrainer(args=OnlineDPOConfig(**arguments, **sampling), reward_funcs=reward,
                                reward_processing_classes=tokenizer, **options)
    arguments |= {"per_device_train_batch_size": settings["prompts"] * group, "num_generations": group,
                  "max_completion_length": settings["max_new_tokens"], "beta": settings["beta"],
                  "epsilon": settings["clip_range"], "num_iterations": settings["epochs"]}
    options |= {"reward_funcs": reward, "reward_processing_classes": tokenizer}
    if algorithm in ("grpo", "best-of-n"):
        from trl import GRPOConfig, GRPOTrainer
        return GRPOTrainer(args=GRPOConfig(loss_type=settings["averaging"].replace("-", "_"), **arguments, **sampling),
                           **options)
    from trl import RLOOConfig, RLOOTrainer
    return RLOOTrainer(args=RLOOConfig(**arguments, **sampling), **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    settings = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
    parser.add_argument("--model", default=settings["model"])
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "trained")
    given = parser.parse_args()
    torch.manual_seed(settings["seed"])
    start = as_folder(given.model, given.out)
    tokenizer = AutoTokenizer.from_pretrained(start)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32)
    preferences = read_preferences()
    if not preferences:
        parser.exit(1, "preferences.jsonl prefers no reply to another; answer some pairs and export again\n")
    arguments = shared(settings, given.out, len(preferences))
    peft_config = lora(settings, model)
    if settings["learns_from"] == "samples":
        trainer = train_on_samples(settings, start, model, tokenizer, preferences, arguments, peft_config, given.out)
    else:
        trainer = train_on_pairs(settings, model, tokenizer, preferences, arguments, peft_config)
    trainer.train()
    trainer.save_model(str(given.out))


if __name__ == "__main__":
    main()
