"""Rewards of the replies of tiny_pairs.jsonl under tiny_reward_adapter, by transformers and peft in f32.

    python tests/golden/make_tiny_rewards.py

writes tiny_rewards.json beside this script: for each row the rewards of its chosen and its rejected reply, EOS
appended, at the last token. What the arithmetic in bf16 is compared with: the same order on nearly all pairs. The
files of make_tiny_llama.py must be there already.
"""

import json

import torch
from peft import PeftModel
from transformers import LlamaForSequenceClassification

from make_tiny_llama import HERE, PAIRS, VERSIONS, ids_of, trainable


def main():
    model, tokenizer = trainable(LlamaForSequenceClassification, HERE / "tiny_llama.gguf", num_labels=1)
    adapted = PeftModel.from_pretrained(model, HERE / "tiny_reward_adapter").eval()
    rows = []
    for prompt, chosen, rejected in PAIRS:
        row = {}
        for name, reply in (("chosen", chosen), ("rejected", rejected)):
            ids = ids_of(tokenizer, prompt) + ids_of(tokenizer, reply) + [tokenizer.eos_token_id]
            row[f"{name}_ids"], row["prompt_length"] = ids, len(ids_of(tokenizer, prompt))
            with torch.no_grad():
                row[name] = adapted(torch.tensor([ids])).logits[0, 0].item()
        rows.append(row)
    path = HERE / "tiny_rewards.json"
    path.write_text(json.dumps({"made_by": "make_tiny_rewards.py", "versions": VERSIONS,
                                "adapter": "tiny_reward_adapter", "rows": rows}, indent=1) + "\n")
    print(path.name, path.stat().st_size, min(r["chosen"] for r in rows), max(r["chosen"] for r in rows))


if __name__ == "__main__":
    main()
