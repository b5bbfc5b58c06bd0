"""What the linear reward model must come to, by dense numerical optimisation in weight space.

    python tests/golden/make_linear_reward.py

writes linear_reward.json beside this script: random features and random answers of every kind, and per case the
mode of the posterior, minus the mean log-likelihood there, the learned tie threshold and the standard deviation of
the score of some probes. The mode is scipy's (BFGS from zero, then Newton steps on its Hessian by differences of the
gradient written here); nothing of it shares the program's parametrisation, which works on the answers' arguments.

Answers: ["preference", [better, worse], margin], ["tie", [a, b]], ["ranking", [best first ...], places given],
["good", [a]], ["bad", [a]]. With a threshold theta = exp(eta): a preference is sigmoid(u_a - u_b - margin - eta), a tie
1 - sigmoid(d - eta) - sigmoid(-d - eta). A learned eta has the prior half-normal(1). Weights ~ N(0, 1 / ridge).
"""

import json
import pathlib

import numpy as np
import scipy
from scipy.optimize import minimize
from scipy.special import log_expit, logsumexp

FEATURES, ITEMS = 5, 14
random = np.random.default_rng(20)
REPLIES = random.normal(size=(ITEMS, FEATURES)).astype(np.float32)
PROBES = random.normal(size=(4, FEATURES)).astype(np.float32)


def answers(kind, count):
    out = []
    for _ in range(count):
        items = [int(i) for i in random.permutation(ITEMS)]
        if kind == "preference":
            out.append([kind, items[:2], round(float(random.choice([0, 0.5, 1.5])), 2)])
        elif kind == "tie":
            out.append([kind, items[:2]])
        elif kind == "ranking":
            n = int(random.integers(2, 7))
            out.append([kind, items[:n], int(random.integers(1, n + 1))])
        else:
            out.append([kind, items[:1]])
    return out


def log_likelihood(u, eta, answer, half):
    kind, items = answer[:2]
    if kind == "preference":
        return log_expit(u[items[0]] - u[items[1]] - answer[2] - (0 if half else eta))
    if kind == "tie":
        d = u[items[0]] - u[items[1]]
        if half:
            return 0.5 * log_expit(d) + 0.5 * log_expit(-d)
        # 1 - q(d - eta) - q(-d - eta), over its common denominator
        return np.log(np.expm1(2 * eta)) - np.logaddexp(0, eta - d) - np.logaddexp(0, d + eta)
    if kind == "ranking":
        values = u[items]
        return sum(values[i] - logsumexp(values[i:]) for i in range(answer[2]))
    return log_expit((1 if kind == "good" else -1) * (u[items[0]] - THRESHOLD))


THRESHOLD = 0.3


def solve(name, given, ridge, tie_threshold=0.0, half=False):
    learned = not half and tie_threshold == 0 and any(a[0] == "tie" for a in given)
    fixed = np.log(tie_threshold) if tie_threshold else 0.0

    # The learned eta enters as its logarithm while searching, as itself in the Hessian.
    def energy(x):
        eta = np.exp(x[FEATURES]) if learned else fixed
        u = REPLIES.astype(float) @ x[:FEATURES]
        prior = 0.5 * ridge * x[:FEATURES] @ x[:FEATURES] + (0.5 * eta**2 if learned else 0)
        return prior - sum(log_likelihood(u, eta, a, half) for a in given)

    def gradient_at(f, x, h=1e-5):
        steps = h * np.eye(len(x))
        return np.array([(8 * (f(x + s) - f(x - s)) - (f(x + 2 * s) - f(x - 2 * s))) / (12 * h) for s in steps])

    def hessian_at(f, x, h=1e-3):
        n = len(x)
        out = np.empty((n, n))
        for i in range(n):
            step = h * np.eye(n)[i]
            out[i] = (8 * (gradient_at(f, x + step, h) - gradient_at(f, x - step, h))
                      - (gradient_at(f, x + 2 * step, h) - gradient_at(f, x - 2 * step, h))) / (12 * h)
        return (out + out.T) / 2

    x = np.concatenate([np.zeros(FEATURES), [np.log(0.5)] if learned else []])
    x = minimize(energy, x, method="BFGS", options={"gtol": 1e-9}).x
    for _ in range(3):
        x = x - np.linalg.solve(hessian_at(energy, x), gradient_at(energy, x, 1e-4))
    assert np.abs(gradient_at(energy, x, 1e-4)).max() < 1e-8, gradient_at(energy, x, 1e-4)

    def plain(y):
        return energy(np.concatenate([y[:FEATURES], np.log(y[FEATURES:])]))

    y = np.concatenate([x[:FEATURES], np.exp(x[FEATURES:])])
    covariance = np.linalg.inv(hessian_at(plain, y))[:FEATURES, :FEATURES]
    eta = y[FEATURES] if learned else fixed
    u = REPLIES.astype(float) @ y[:FEATURES]
    loss = -np.mean([log_likelihood(u, eta, a, half) for a in given])
    deviations = [float(np.sqrt(p @ covariance @ p)) for p in PROBES.astype(float)]
    theta = 1.0 if half else float(np.exp(eta))
    print(f"{name:24} loss {loss:.6f} theta {theta:.6f}")
    return {"name": name, "answers": given, "ridge": ridge, "tie_threshold": tie_threshold, "ties_as_half": half,
            "weights": [float(v) for v in y[:FEATURES]], "loss": float(loss), "theta": theta,
            "deviations": deviations}


def main():
    everything = [a for kind in ("preference", "tie", "ranking", "good", "bad") for a in answers(kind, 8)]
    cases = [
        solve("preferences", answers("preference", 12), 0.7),
        solve("ties as half", answers("preference", 8) + answers("tie", 5), 0.7, half=True),
        solve("ties, fixed threshold", answers("preference", 8) + answers("tie", 5), 0.7, tie_threshold=1.8),
        solve("ties, learned threshold", answers("preference", 8) + answers("tie", 5), 0.7),
        solve("rankings", answers("ranking", 8), 0.7),
        solve("good and bad", answers("good", 6) + answers("bad", 6), 0.7),
        solve("everything, learned", everything, 2.0),
        solve("everything, fixed", everything, 0.05, tie_threshold=3.0),
        solve("everything, half", everything, 0.05, half=True),
    ]
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    path = pathlib.Path(__file__).with_name("linear_reward.json")
    path.write_text(json.dumps({"made_by": "make_linear_reward.py", "versions": versions,
                                "absolute_threshold": THRESHOLD, "replies": REPLIES.tolist(),
                                "probes": PROBES.tolist(), "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
