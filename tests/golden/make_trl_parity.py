"""What TRL's trainers compute for the algorithms beyond DPO, from the tiny model and tiny_adapter.

    python tests/golden/make_trl_parity.py

reads tiny_llama.gguf, tiny_adapter and the texts of tiny_text.py (make_tiny_llama.py made the first two and has the
settings that all trainers share: AdamW, lr 1e-3 constant, gradients clipped to norm 1.0, f32, CPU, no dropout) and
writes tiny_trl.json: for each algorithm the first ten losses and gradient norms, with the token ids that the trainer
used, so that nothing depends on how a text is prepared.

pairs                 DPOTrainer's rows: prompt, chosen and rejected ids, EOS appended. ipo, hinge, robust-dpo: batch 4
                      in file order, the reference a frozen copy of tiny_adapter.
cpo_pairs             CPOTrainer's rows: as pairs, with BOS before the prompt.
  cdpo                TRL 1.16 smooths labels in DPOTrainer for "robust" and "exo_pair" only. CPOTrainer's "sigmoid"
                      with label_smoothing and cpo_alpha 0 is cDPO's equation with a reference of log-probability 0.
  simpo               CPOTrainer's "simpo" with cpo_alpha 0.
orpo_pairs            ORPOTrainer's rows for empty prompts: BOS alone. TRL takes the likelihood term over prompt and
                      reply and over all tokens of a batch at once; after BOS alone, one pair at a time (4 are
                      accumulated to a step), it is the mean over each reply's tokens. A loss is the mean of its four.
kto                   KTOTrainer, batch 4: unpaired replies, every third bad; desirable_weight 1.2, undesirable_weight
                      0.8. z from each reply behind the next prompt of the batch. `kl` is the trainer's own.
rollouts              Given completions, four a prompt, with given rewards: the trainers' _generate_single_turn returns
                      them in place of sampling; all else is TRL's. Two prompts a batch, each batch used for five
                      steps (num_iterations 5), lr 2e-4, temperature 0.9, clip 0.2. The fourth prompt's rewards are
                      all equal.
  rloo                RLOOTrainer, beta 0.05.
  grpo, dr_grpo, dapo GRPOTrainer, beta 0.04 (k3 in the loss); dr_grpo with scale_rewards "none" and
                      max_completion_length 32. `zero_std` is the trainer's frac_reward_zero_std (of the steps that it
                      logs it for), `clipped` its share of clipped tokens (rloo: replies).
"""

import json
import pathlib
import tempfile

from datasets import Dataset
from peft import PeftModel
from transformers import LlamaForCausalLM
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, KTOConfig, KTOTrainer, RLOOConfig, RLOOTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

from make_tiny_llama import HERE, PAIRS, STEPS, VERSIONS, Recorded, ids_of, pairs_dataset, settings, trainable

TINY, ADAPTER = HERE / "tiny_llama.gguf", HERE / "tiny_adapter"
SAMPLES, PROMPTS, ITERATIONS, LONGEST, EOS = 4, 4, 5, 32, 2


class RecordedDpo(Recorded, DPOTrainer):
    pass


class RecordedCpo(Recorded, CPOTrainer):
    pass


class RecordedOrpo(Recorded, ORPOTrainer):
    pass


class RecordedKto(Recorded, KTOTrainer):
    pass


GIVEN = {}  # a prompt's ids and its text -> its completions with their rewards


class Given:
    """Completions that are given, not sampled."""

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        seen, completions = {}, []
        for ids in prompt_ids:
            place = seen.get(tuple(ids), 0)
            seen[tuple(ids)] = place + 1
            completions.append(list(GIVEN[tuple(ids)][place][0]))
        return (completions, None) if isinstance(self, GRPOTrainer) else completions


class RecordedGrpo(Given, Recorded, GRPOTrainer):
    pass


class RecordedRloo(Given, Recorded, RLOOTrainer):
    pass


def given_reward(prompts, completions, completion_ids, **_):
    return [dict((tuple(row), reward) for row, reward in GIVEN[prompt])[tuple(ids)]
            for prompt, ids in zip(prompts, completion_ids)]


def fill_given(tokenizer):
    rollouts = []
    for i in range(PROMPTS):
        prompt, chosen, rejected = PAIRS[i]
        other = PAIRS[i + PROMPTS][1]
        ids = [ids_of(tokenizer, chosen) + [EOS], ids_of(tokenizer, rejected) + [EOS],
               ids_of(tokenizer, other)[:LONGEST - 1] + [EOS], ids_of(tokenizer, chosen + rejected)[:LONGEST - 3]]
        assert len({tuple(row) for row in ids}) == SAMPLES
        rewards = [1.0] * SAMPLES if i == 3 else [round(((7 * i + 5 * k) % 11) / 4 - 1, 2) for k in range(SAMPLES)]
        prompt_ids = ids_of(tokenizer, prompt)
        GIVEN[tuple(prompt_ids)] = GIVEN[prompt] = list(zip(ids, rewards))
        rollouts += [{"prompt_ids": prompt_ids, "response_ids": row, "reward": reward}
                     for row, reward in zip(ids, rewards)]
    return rollouts


def adapted():
    model, tokenizer = trainable(LlamaForCausalLM, TINY)
    return PeftModel.from_pretrained(model, ADAPTER, is_trainable=True), tokenizer


def run(name, kind, config, dataset, names=(), micro=1, **arguments):
    """Ten steps. `names`: (ours, the trainer's) of metrics to keep; `micro`: losses a step."""
    with tempfile.TemporaryDirectory() as folder:
        model, tokenizer = adapted()
        trainer = kind(model, args=config(folder), train_dataset=dataset, processing_class=tokenizer, **arguments)
        trainer.train()
        logs = [entry for entry in trainer.state.log_history if "loss" in entry]
        assert len(logs) == STEPS and len(trainer.losses) == STEPS * micro, (len(logs), len(trainer.losses))
        losses = [sum(trainer.losses[i * micro:(i + 1) * micro]) / micro for i in range(STEPS)]
        print(name, [round(loss, 5) for loss in losses])
        steps = [{"loss": loss, "grad_norm": float(log["grad_norm"]),
                  **{ours: log[theirs] for ours, theirs in names if theirs in log}}
                 for loss, log in zip(losses, logs)]
        return steps, trainer.train_dataset


def pair_rows(dataset):
    return [{"prompt_ids": row["prompt_ids"], "chosen_ids": row["chosen_ids"], "rejected_ids": row["rejected_ids"]}
            for row in dataset]


def labelled_rows(dataset):
    """CPO's and ORPO's rows: a prompt's labels are -100."""
    out = []
    for row in dataset:
        start = sum(label == -100 for label in row["chosen_labels"])
        assert row["chosen_input_ids"][:start] == row["rejected_input_ids"][:start]
        out.append({"prompt_ids": row["chosen_input_ids"][:start], "chosen_ids": row["chosen_input_ids"][start:],
                    "rejected_ids": row["rejected_input_ids"][start:]})
    return out


def make_pairs():
    out = {}
    for name, loss, extra in (("ipo", "ipo", {}), ("hinge", "hinge", {}), ("robust-dpo", "robust",
                                                                           {"label_smoothing": 0.1})):
        steps, rows = run(name, RecordedDpo,
                          lambda folder: DPOConfig(beta=0.1, loss_type=loss, max_length=1024, **extra,
                                                   **settings(folder)), pairs_dataset())
        out[name] = {"beta": 0.1, **extra, "steps": steps}
        out["pairs"] = pair_rows(rows)
    for name, extra in (("cdpo", {"loss_type": "sigmoid", "beta": 0.1, "label_smoothing": 0.1}),
                        ("simpo", {"loss_type": "simpo", "beta": 2.0, "simpo_gamma": 1.0})):
        steps, rows = run(name, RecordedCpo,
                          lambda folder: CPOConfig(cpo_alpha=0.0, max_length=1024, **extra, **settings(folder)),
                          pairs_dataset())
        out[name] = {**extra, "steps": steps}
        out["cpo_pairs"] = labelled_rows(rows)
    without_prompts = Dataset.from_list([{"prompt": "", "chosen": c, "rejected": r} for _, c, r in PAIRS])
    one_by_one = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4}
    steps, rows = run("orpo", RecordedOrpo,
                      lambda folder: ORPOConfig(beta=0.1, max_length=1024, **{**settings(folder), **one_by_one}),
                      without_prompts, micro=4)
    out["orpo"] = {"lambda": 0.1, "steps": steps}
    out["orpo_pairs"] = labelled_rows(rows)
    assert all(row["prompt_ids"] == [1] for row in out["orpo_pairs"])
    return out


def make_kto():
    rows = [{"prompt": p, "completion": r if i % 3 == 2 else c, "label": i % 3 != 2}
            for i, (p, c, r) in enumerate(PAIRS)]
    weights = {"desirable_weight": 1.2, "undesirable_weight": 0.8}
    steps, used = run("kto", RecordedKto,
                      lambda folder: KTOConfig(beta=0.1, max_length=1024, **weights, **settings(folder)),
                      Dataset.from_list(rows), names=[("kl", "kl")])
    replies = [{"prompt_ids": row["prompt_ids"], "response_ids": row["completion_ids"],
                "mismatched_ids": row["KL_completion_ids"], "label": row["label"]} for row in used]
    return {"beta": 0.1, **weights, "replies": replies, "steps": steps}


def make_sampled():
    rollouts = fill_given(adapted()[1])
    prompts = Dataset.from_list([{"prompt": p} for p, _, _ in PAIRS[:PROMPTS]])

    def shared(folder):
        common = {key: value for key, value in settings(folder).items()
                  if key not in ("train_sampling_strategy", "per_device_train_batch_size", "learning_rate")}
        return dict(common, learning_rate=2e-4, per_device_train_batch_size=2 * SAMPLES, num_generations=SAMPLES,
                    num_iterations=ITERATIONS, steps_per_generation=1, temperature=0.9, epsilon=0.2, shuffle_dataset=False,
                    max_completion_length=LONGEST)

    metrics = [("zero_std", "frac_reward_zero_std"), ("clipped", "clip_ratio/region_mean")]
    out = {"rollouts": rollouts, "samples": SAMPLES, "iterations": ITERATIONS, "sampled_lr": 2e-4,
           "max_completion_length": LONGEST}
    steps, _ = run("rloo", RecordedRloo, lambda folder: RLOOConfig(beta=0.05, **shared(folder)), prompts,
                   names=metrics[1:], reward_funcs=given_reward)
    out["rloo"] = {"beta": 0.05, "steps": steps}
    for name, scale in (("grpo", "group"), ("dr_grpo", "none"), ("dapo", "group")):
        steps, _ = run(name, RecordedGrpo,
                       lambda folder: GRPOConfig(beta=0.04, loss_type=name, scale_rewards=scale, **shared(folder)),
                       prompts, names=metrics, reward_funcs=given_reward)
        out[name] = {"beta": 0.04, "steps": steps}
    return out


def main():
    content = {"made_by": pathlib.Path(__file__).name, "versions": VERSIONS, "adapter": ADAPTER.name, "lr": 1e-3,
               "batch_size": 4, **make_pairs(), "kto": make_kto(), **make_sampled()}
    path = HERE / "tiny_trl.json"
    path.write_text(json.dumps(content) + "\n")
    print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
