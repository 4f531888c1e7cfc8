"""The classifier two-sample test (C2ST): can a new small classifier tell real from
generated samples?

Lopez-Paz, Oquab: "Revisiting Classifier Two-Sample Tests", ICLR 2017. An accuracy of .5
means that this classifier, trained on so many samples, cannot tell; another one may.

That a test rejects nothing shows nothing: with few samples it never rejects. Samples
count as indistinguishable only where the interval of the accuracy ends below `.5 +
MARGIN`, which few samples cannot show either (`intervals.equivalence_power`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.classifier import IMAGE_STEPS, learn
from equipoise.metrics.intervals import equivalence_power, proportion_interval

Array = NDArray[np.float64]
MARGIN = (
    0.03  # of accuracy above .5 that does not matter; a tenth of the data missing gives .05 at most
)


@dataclass(frozen=True)
class Detection:
    """The accuracy of a classifier on samples that it did not see, half of them real."""

    accuracy: float
    low: float
    """With `high`, the 95% interval of the true accuracy (Clopper & Pearson 1934)."""
    high: float
    n: int
    """Samples that it was tested on."""

    @property
    def power(self) -> float:
        """The probability that this many samples show a perfect sampler to be
        indistinguishable."""
        return equivalence_power(self.n, 0.5 + MARGIN)


def detect(
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    seed: int = 0,
    image_steps: int = IMAGE_STEPS,
) -> Detection:
    """Train a classifier on real and generated samples, and test it on others.

    Args:
        train: Real and generated samples to learn from, (N, D) or (N, C, H, W) each. Of
            the larger kind as many are taken as there are of the smaller.
        test: The same to be tested on; none of them may be in `train`.
        seed: Of the weights, the batches, and the choice among samples.
        image_steps: Training steps of a classifier of images.

    Returns:
        The accuracy with its interval.
    """
    rng = np.random.default_rng(seed)
    real, fake = _equally_many(train, rng)
    classifier = learn(
        np.concatenate([real, fake]), np.arange(2).repeat(len(real)), 2, seed, image_steps
    )
    unseen = _equally_many(test, rng)
    right = sum(int((classifier.read(part) == kind).sum()) for kind, part in enumerate(unseen))
    n = 2 * len(unseen[0])
    return Detection(right / n, *proportion_interval(right, n), n)


def _equally_many(parts: tuple[Array, Array], rng: np.random.Generator) -> list[Array]:
    n = min(map(len, parts))
    return [part[rng.permutation(len(part))[:n]] for part in parts]
