"""Losses, advantages and optimiser steps as public implementations compute them, for tests/losses and
tests/training/optimizer_test.cpp.

    pip install trl==0.24.0 transformers==4.57.1 "datasets<4.4" stable-baselines3 keras torch
    KERAS_BACKEND=torch python tests/golden/make_losses.py

writes losses.json beside this script, from seeded random numbers in double:

pairs       TRL's own loss methods: DPOTrainer.dpo_loss (DPO, label-smoothed DPO, robust DPO, IPO on sums and on
            means, hinge), CPOTrainer.cpo_loss (SimPO), ORPOTrainer.odds_ratio_loss (in float32), with gradients with
            respect to the policy's log-probabilities of the sum of losses. 0.24 is the last TRL line in which these
            are methods of their own.
kto         KTOTrainer.kto_loss.
ppo         the source lines of TRL's PPOTrainer.train, from "# 4. compute rewards" to the whitened advantages and from
            the clipped values to the policy's losses, run on padded rows of different lengths; every reply ends
            with its EOS, so the score stands on the last real token. Values are given packed. Explained variance by
            stable-baselines3.
optimizers  torch.optim.AdamW and SGD, and keras.optimizers.AdamW, whose epsilon stands outside the bias correction as
            TensorFlow's does; keras decays weights by lr * weight_decay too. keras computes in float32.
"""

import importlib.metadata
import inspect
import json
import pathlib
import textwrap
from types import SimpleNamespace

import keras
import numpy as np
import torch
from stable_baselines3.common.utils import explained_variance
from trl.core import masked_mean, masked_whiten
from trl.trainer.cpo_trainer import CPOTrainer
from trl.trainer.dpo_config import FDivergenceType
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.kto_trainer import KTOTrainer
from trl.trainer.orpo_trainer import ORPOTrainer
from trl.trainer.ppo_trainer import PPOTrainer

HERE = pathlib.Path(__file__).parent
ACCELERATOR = SimpleNamespace(device="cpu", gather_for_metrics=lambda x: x)
generator = torch.Generator().manual_seed(7)


def normal(*shape, scale=1.0, mean=0.0):
    return mean + scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


def with_gradients(function, *policy):
    """Losses and rewards of `function`, and the gradients of the sum of losses."""
    leaves = [p.clone().requires_grad_(True) for p in policy]
    losses, *rewards = function(*leaves)
    losses.sum().backward()
    return {"losses": losses.tolist(), "rewards": [r.tolist() for r in rewards[:2]],
            "gradients": [leaf.grad.tolist() for leaf in leaves]}


def make_pairs():
    rows = {name: normal(6, scale=4, mean=-20) for name in
            ("policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected")}
    tokens = {"chosen_tokens": torch.tensor([5., 9, 12, 3, 30, 8]), "rejected_tokens": torch.tensor([7., 9, 4, 16, 2, 11])}
    beta, smoothing, gamma, weight = 0.3, 0.2, 0.7, 0.25
    shared = dict(beta=beta, accelerator=ACCELERATOR, reference_free=False, f_divergence_params=None,
                  f_divergence_type=FDivergenceType.REVERSE_KL)

    def dpo(kind, label_smoothing=0.0, means=False):
        c, r = (tokens["chosen_tokens"], tokens["rejected_tokens"]) if means else (1, 1)
        me = SimpleNamespace(label_smoothing=label_smoothing, **shared)
        return with_gradients(
            lambda chosen, rejected: DPOTrainer.dpo_loss(me, chosen / c, rejected / r, rows["reference_chosen"] / c,
                                                         rows["reference_rejected"] / r, loss_type=kind),
            rows["policy_chosen"], rows["policy_rejected"])

    def simpo(chosen, rejected):
        me = SimpleNamespace(beta=beta, simpo_gamma=gamma, label_smoothing=0.0, loss_type="simpo", alpha=0.0,
                             accelerator=ACCELERATOR)
        return CPOTrainer.cpo_loss(me, chosen / tokens["chosen_tokens"], rejected / tokens["rejected_tokens"])

    def orpo(chosen, rejected):
        me = SimpleNamespace(beta=weight, accelerator=ACCELERATOR)
        mean = chosen / tokens["chosen_tokens"]
        ratio, *rewards = ORPOTrainer.odds_ratio_loss(me, mean, rejected / tokens["rejected_tokens"])
        return -mean - ratio, *rewards

    policy = rows["policy_chosen"], rows["policy_rejected"]
    return {"beta": beta, "label_smoothing": smoothing, "simpo_gamma": gamma, "orpo_lambda": weight,
            "rows": {name: values.tolist() for name, values in {**rows, **tokens}.items()},
            "dpo": dpo("sigmoid"), "cdpo": dpo("sigmoid", smoothing), "robust-dpo": dpo("robust", smoothing),
            "ipo": dpo("ipo", means=True), "ipo_sum": dpo("ipo"), "hinge": dpo("hinge"),
            "simpo": with_gradients(simpo, *policy), "orpo": with_gradients(orpo, *policy)}


def make_kto():
    good, bad, reference_good, reference_bad = normal(3, mean=-9), normal(4, mean=-9), normal(3, mean=-9), normal(4, mean=-9)
    kl, reference_kl = normal(7, mean=-8), normal(7, mean=-9)
    me = SimpleNamespace(beta=0.4, desirable_weight=1.5, undesirable_weight=0.8, calculate_KL=True, loss_type="kto",
                         accelerator=ACCELERATOR)
    out = with_gradients(lambda g, b: KTOTrainer.kto_loss(me, g, b, kl, reference_good, reference_bad, reference_kl),
                         good, bad)
    z = KTOTrainer.kto_loss(me, good, bad, kl, reference_good, reference_bad, reference_kl)[3]
    return {"beta": 0.4, "desirable_weight": 1.5, "undesirable_weight": 0.8, "z": z.item(), "policy_kl": kl.tolist(),
            "reference_kl": reference_kl.tolist(), "policy": good.tolist() + bad.tolist(),
            "reference": reference_good.tolist() + reference_bad.tolist(), **out}


def between(text, first, last):
    """The lines from the one that contains `first` to the one that contains `last`, dedented."""
    lines = text.splitlines()
    begin = next(i for i, line in enumerate(lines) if first in line)
    end = next(i for i, line in enumerate(lines) if i >= begin and last in line)
    return textwrap.dedent("\n".join(lines[begin:end + 1]))


def make_ppo():
    lengths = torch.tensor([5, 2, 7, 1])   # real tokens, the EOS included
    rows, columns = len(lengths), 8
    padding_mask = torch.arange(columns) >= lengths[:, None]
    args = SimpleNamespace(kl_estimator="k1", kl_coef=0.2, gamma=0.97, lam=0.9, whiten_rewards=False, cliprange=0.2,
                           cliprange_value=0.2, vf_coef=0.1)
    logprobs, ref_logprobs = normal(rows, columns, mean=-2), normal(rows, columns, mean=-2)
    values, scores = normal(rows, columns), normal(rows)
    source = inspect.getsource(PPOTrainer.train)
    out = {"lengths": lengths.tolist(), "beta": args.kl_coef, "gamma": args.gamma, "lambda": args.lam,
           "scores": scores.tolist()}

    def packed(tensor):
        return tensor[~padding_mask].tolist()

    for whiten_rewards in (False, True):
        args.whiten_rewards = whiten_rewards
        names = dict(args=args, torch=torch, masked_whiten=masked_whiten, empty_cache=lambda: None, scores=scores,
                     logprobs=torch.masked_fill(logprobs, padding_mask, 1.0),
                     ref_logprobs=torch.masked_fill(ref_logprobs, padding_mask, 1.0),
                     values=torch.masked_fill(values, padding_mask, 0), responses=torch.zeros(rows, columns),
                     # No token beyond the EOS: both ends that TRL keeps are the last real token's.
                     padding_mask=padding_mask, padding_mask_p1=padding_mask, sequence_lengths=lengths - 1,
                     sequence_lengths_p1=lengths - 1)
        exec(between(source, "# 4. compute rewards", "advantages = torch.masked_fill(advantages"), names)
        out["whitened_rewards" if whiten_rewards else "plain"] = {
            "rewards": packed(names["rewards"]), "returns": packed(names["returns"]),
            "advantages": packed(names["advantages"])}
        if not whiten_rewards:
            first = names

    new_logprobs = logprobs + normal(rows, columns, scale=0.3)
    vpred = values + normal(rows, columns, scale=0.4)
    names = dict(args=args, torch=torch, masked_mean=masked_mean, padding_mask=padding_mask,
                 padding_mask_p1=padding_mask, micro_batch_inds=slice(None), vpred=vpred, mb_values=values,
                 mb_return=first["returns"], mb_advantage=first["advantages"], new_logprobs=new_logprobs,
                 mb_logprobs=logprobs)
    exec(between(source, "vpredclipped = torch.clamp(", "pg_loss = masked_mean"), names)
    exec(between(source, "pg_clipfrac = masked_mean(", "pg_losses2 > pg_losses") + ")", names)
    out.update(logprobs=packed(logprobs), reference_logprobs=packed(ref_logprobs), values=packed(values),
               new_logprobs=packed(new_logprobs), new_values=packed(vpred), clip_range=args.cliprange,
               value_clip_range=args.cliprange_value, value_losses=packed(0.5 * names["vf_loss_max"]),
               policy_losses=packed(names["pg_loss_max"]), policy_loss=names["pg_loss"].item(),
               value_loss=names["vf_loss"].item(), clipfrac=names["pg_clipfrac"].item(),
               approxkl=(0.5 * masked_mean(names["logprobs_diff"] ** 2, ~padding_mask)).item(),
               explained_variance=float(explained_variance(values[~padding_mask].numpy(),
                                                           first["returns"][~padding_mask].numpy())))
    return out


def make_optimizers():
    start, steps = normal(4), [normal(4, scale=0.01) for _ in range(6)]
    lr, decay, epsilon, betas = 0.01, 0.1, 1e-3, (0.8, 0.95)

    def run_torch(kind, **settings):
        p = start.clone().requires_grad_(True)
        optimizer, out = kind([p], lr=lr, weight_decay=decay, **settings), []
        for grad in steps:
            p.grad = grad.clone()
            optimizer.step()
            out.append(p.tolist())
        return out

    variable, outside = keras.Variable(start.numpy().astype(np.float32)), []
    optimizer = keras.optimizers.AdamW(learning_rate=lr, weight_decay=decay, beta_1=betas[0], beta_2=betas[1],
                                       epsilon=epsilon)
    for grad in steps:
        optimizer.apply([grad.float()], [variable])
        outside.append(variable.value.detach().double().tolist())
    return {"start": start.tolist(), "gradients": [g.tolist() for g in steps], "lr": lr, "weight_decay": decay,
            "epsilon": epsilon, "betas": betas, "sgd": run_torch(torch.optim.SGD),
            "adamw_pytorch": run_torch(torch.optim.AdamW, betas=betas, eps=epsilon), "adamw_tensorflow": outside}


def main():
    versions = {name: importlib.metadata.version(name) for name in
                ("trl", "transformers", "torch", "stable-baselines3", "keras")}
    out = {"versions": versions, "pairs": make_pairs(), "kto": make_kto(), "ppo": make_ppo(),
           "optimizers": make_optimizers()}
    (HERE / "losses.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
