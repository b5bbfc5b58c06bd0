#!/usr/bin/env python3
"""What TRL makes of our exported preferences.

    python tests/golden/make_preferences.py

reads preferences_trl.jsonl, which the program wrote from preferences.jsonl (a test does it again), as TRL loads it: with
datasets, and through DPOTrainer with the model that make_tiny_llama.py made. Writes preferences_trl.json: versions, columns,
and of each row the prompt and both replies as the trainer's token ids stand for them, as text.
"""

import importlib.metadata
import json
import pathlib
import tempfile

import torch
from datasets import load_dataset
from transformers import AutoTokenizer, LlamaForCausalLM
from trl import DPOConfig, DPOTrainer

HERE = pathlib.Path(__file__).parent
VERSIONS = {name: importlib.metadata.version(name) for name in ("trl", "datasets", "transformers", "torch")}


def main():
    data = load_dataset("json", data_files=str(HERE / "preferences_trl.jsonl"), split="train")
    columns = data.column_names
    tokenizer = AutoTokenizer.from_pretrained(HERE, gguf_file="tiny_llama.gguf")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    read = LlamaForCausalLM.from_pretrained(HERE, gguf_file="tiny_llama.gguf", dtype=torch.float32)
    pairs = data.filter(lambda row: not row["tie"])
    with tempfile.TemporaryDirectory() as plain, tempfile.TemporaryDirectory() as out:
        # The trainer refuses what was read from GGUF as quantised, and reads its reference from a folder.
        written = LlamaForCausalLM(read.config)
        written.load_state_dict(read.state_dict())
        del written.config.quantization_config
        written.save_pretrained(plain)
        model = LlamaForCausalLM.from_pretrained(plain)
        trainer = DPOTrainer(model=model, train_dataset=pairs, processing_class=tokenizer,
                             args=DPOConfig(output_dir=out, report_to=[], bf16=False, use_cpu=True, max_steps=1,
                                            per_device_train_batch_size=2, save_strategy="no"))
        rows = [{part: tokenizer.decode(row[f"{part}_ids"]) for part in ("prompt", "chosen", "rejected")}
                for row in trainer.train_dataset]
        trainer.train()
    text = json.dumps({"made_by": "make_preferences.py", "versions": VERSIONS, "columns": columns, "rows": rows}, indent=1)
    (HERE / "preferences_trl.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
