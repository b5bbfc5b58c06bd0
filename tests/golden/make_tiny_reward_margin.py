"""TRL's RewardTrainer on pairs with strengths and with centring, from tiny_reward_adapter.

    python tests/golden/make_tiny_reward_margin.py

writes tiny_reward_margin.json beside this script: ten steps on the settings of make_tiny_llama.py (batch 4 in file
order, lr 1e-3, AdamW, clip 1.0), with margins 0, 0.25, 0.5, 0.75 in turn by row and center_rewards_coefficient 0.01.
The files of make_tiny_llama.py must be there already.
"""

import tempfile

from peft import PeftModel
from transformers import LlamaForSequenceClassification
from trl import RewardConfig

from make_tiny_llama import HERE, RecordedReward, pairs_dataset, settings, steps_of, trainable, write

CENTER = 0.01


def main():
    dataset = pairs_dataset()
    margins = [0.25 * (i % 4) for i in range(len(dataset))]
    dataset = dataset.add_column("margin", margins)
    model, tokenizer = trainable(LlamaForSequenceClassification, HERE / "tiny_llama.gguf", num_labels=1)
    adapted = PeftModel.from_pretrained(model, HERE / "tiny_reward_adapter", is_trainable=True)
    with tempfile.TemporaryDirectory() as folder:
        trainer = RecordedReward(adapted, args=RewardConfig(max_length=1024, center_rewards_coefficient=CENTER,
                                                            **settings(folder)),
                                 train_dataset=dataset, processing_class=tokenizer)
        steps = steps_of(trainer, {"accuracy": "accuracy", "margin": "margin"})
    print([round(step["loss"], 5) for step in steps])
    content = {"pairs": "tiny_pairs.jsonl", "adapter": "tiny_reward_adapter", "margins": margins, "center": CENTER,
               "lr": 1e-3, "batch_size": 4, "steps": steps}
    write("tiny_reward_margin.json", content)
    path = HERE / "tiny_reward_margin.json"
    path.write_text(path.read_text().replace('"made_by": "make_tiny_llama.py"', '"made_by": "make_tiny_reward_margin.py"'))


if __name__ == "__main__":
    main()
