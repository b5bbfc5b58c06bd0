"""Reliability curve and expected calibration error of scikit-learn and numpy, for tests/training.

    python tests/golden/make_calibration.py

writes calibration.json beside this script. scikit-learn 1.9 gives the curve of the bins that are not empty; the
expected calibration error is the usual weighted mean of its gaps, with the counts from numpy's histogram of the same
edges. The probabilities are thinned out so that a bin is empty, and some lie on edges, where scikit-learn takes the
lower bin.
"""

import json
import pathlib

import numpy
import sklearn
from sklearn.calibration import calibration_curve

HERE = pathlib.Path(__file__).parent
BINS = 10

draw = numpy.random.default_rng(7)
probabilities = numpy.round(draw.beta(0.8, 0.6, 300), 4)
probabilities = probabilities[(probabilities <= 0.4) | (probabilities > 0.5)]
probabilities = numpy.concatenate([probabilities, [0.0, 0.1, 0.2, 0.7, 1.0]])
outcomes = (draw.random(len(probabilities)) < 0.15 + 0.7 * probabilities).astype(int)

observed, predicted = calibration_curve(outcomes, probabilities, n_bins=BINS, strategy="uniform")
bins = numpy.searchsorted(numpy.linspace(0, 1, BINS + 1)[1:-1], probabilities)
counts = numpy.bincount(bins, minlength=BINS)
filled = counts[counts > 0]
golden = {
    "versions": {"scikit-learn": sklearn.__version__, "numpy": numpy.__version__},
    "probabilities": probabilities.tolist(),
    "outcomes": outcomes.tolist(),
    "counts": counts.tolist(),
    "observed": observed.tolist(),
    "predicted": predicted.tolist(),
    "expected_error": float(numpy.sum(filled * numpy.abs(observed - predicted)) / len(probabilities)),
    "accuracy": float(numpy.mean((probabilities > 0.5) == (outcomes == 1))),
}
(HERE / "calibration.json").write_text(json.dumps(golden, indent=1) + "\n")
print(len(probabilities), "predictions, counts", golden["counts"], "ECE", golden["expected_error"])
