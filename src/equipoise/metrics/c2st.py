"""The classifier two-sample test (C2ST): the accuracy of a newly trained classifier of
real and generated samples.

Lopez-Paz, Oquab: "Revisiting Classifier Two-Sample Tests", ICLR 2017. An accuracy of .5
means that this classifier, trained on this many samples, finds no difference; another
one may.

A test that does not reject shows nothing: with few samples it never rejects. Samples
count as indistinguishable only where the interval of the accuracy ends below `.5 +
MARGIN`, which few samples cannot show either (`intervals.equivalence_power`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.metrics.classifier import IMAGE_STEPS, train_classifier
from equipoise.metrics.intervals import equivalence_power, proportion_interval
from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, describe
from equipoise.metrics.result import MetricResult

# Accuracy above .5 that does not matter; a missing tenth of the data gives .05 at most.
MARGIN = 0.03
MIN_C2ST = 10  # held-out samples; fewer have no test

C2ST_ACCURACY = describe(
    Metric(
        "c2st_accuracy",
        "C2ST accuracy",
        "lower",
        "accuracy of a newly trained real-vs-generated classifier (0.5 is best)",
    )
)


@dataclass(frozen=True)
class TwoSampleTest:
    """The accuracy of a classifier on unseen samples, half of them real."""

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


def c2st_metric(
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    seed: int = 0,
    image_steps: int = IMAGE_STEPS,
) -> MetricResult:
    """The accuracy as a metric; the arguments are those of `two_sample_test`."""
    found = two_sample_test(train, test, seed, image_steps)
    kind = "MLP" if test[0].ndim == 2 else "convolutional network"
    return accuracy_metric(found, f"a new {kind}", 2 * min(map(len, train)))


def accuracy_metric(
    found: TwoSampleTest, classifier: str, trained: int, note: str = ""
) -> MetricResult:
    """The accuracy as a metric.

    Args:
        found: The test.
        classifier: What was trained, in words.
        trained: Samples that it was trained on, half of them real.
        note: Added to the protocol.
    """
    protocol = (
        f"{classifier} trained on {trained:,} samples and tested on "
        f"{found.n:,} others, half of them real; a perfect sampler shows in "
        f"{found.power:.0%} of such tests that it is below {0.5 + MARGIN}{note}"
    )
    return MetricResult.of(
        C2ST_ACCURACY, found.accuracy, 0.5, protocol, found.low, found.high, n=found.n // 2
    )


def two_sample_test(
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    seed: int = 0,
    image_steps: int = IMAGE_STEPS,
) -> TwoSampleTest:
    """Train a classifier on real and generated samples, and test it on others.

    Args:
        train: Real and generated samples to train on, (N, D) or (N, C, H, W) each. Both
            are cut to the size of the smaller.
        test: Others of both to test on, none of which may be in `train`.
        seed: Of the weights, the batches, and the choice among samples.
        image_steps: Training steps of a classifier of images.

    Returns:
        The accuracy with its interval.
    """
    rng = np.random.default_rng(seed)
    real, fake = equally_many(train, rng)
    classifier = train_classifier(
        np.concatenate([real, fake]), np.arange(2).repeat(len(real)), 2, seed, image_steps
    )
    unseen = equally_many(test, rng)
    right = sum(int((classifier.predict(part) == kind).sum()) for kind, part in enumerate(unseen))
    n = 2 * len(unseen[0])
    return TwoSampleTest(right / n, *proportion_interval(right, n), n)


def equally_many(
    parts: tuple[Array, Array], rng: np.random.Generator, most: int | None = None
) -> list[Array]:
    """As many samples of both, at most `most`, chosen by `rng`."""
    n = min(*map(len, parts), *([] if most is None else [most]))
    return [part[rng.permutation(len(part))[:n]] for part in parts]
