"""Metrics of a conditional generator: whether samples have the label that was asked
for, and what a classifier trained on them is worth.

Esteban, Hyland, Rätsch: "Real-valued (Medical) Time Series Generation with Recurrent
Conditional GANs", 2017 (TSTR: train on synthetic, test on real).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.sources import Source
from equipoise.metrics.budget import Budget
from equipoise.metrics.classifier import Classifier, cross_predict, train_classifier
from equipoise.metrics.digits import read_digits
from equipoise.metrics.intervals import proportion_interval
from equipoise.metrics.labels import (
    above_chance,
    accuracy,
    balanced_accuracy,
    class_frequencies,
    label_kl,
)
from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, describe
from equipoise.metrics.result import MetricResult

Classes = NDArray[np.int64]
MIN_HELD_OUT = 40  # labelled samples

LABEL_ACCURACY = describe(
    Metric(
        "label_accuracy",
        "label accuracy",
        "higher",
        "fraction of samples that a classifier assigns to the class that was asked for",
    )
)
LABEL_KL = describe(
    Metric(
        "label_kl",
        "KL of label marginals",
        "lower",
        "KL divergence between the class frequencies of generated and real samples",
    )
)
TSTR_ACCURACY = describe(
    Metric(
        "tstr_accuracy",
        "TSTR accuracy",
        "higher",
        "accuracy on real data of a classifier trained on generated samples only",
    )
)
CLASS_FREQUENCY = describe(
    Metric(
        "class_frequency",
        "frequency of class {}",
        "near",
        "frequency of this class, predicted by a classifier",
        in_table=False,
    )
)
REAL_BALANCED_ACCURACY = describe(
    Metric(
        "real_balanced_accuracy",
        "balanced accuracy on real samples",
        "higher",
        "accuracy of a classifier on real samples, averaged over the classes",
        in_table=False,
    )
)


@dataclass(frozen=True)
class _Labelled:
    """Samples, (N, *shape), and their classes, (N,)."""

    x: Array
    y: Classes


def conditional_metrics(
    source: Source, fake: Array, asked: Classes, seed: int, budget: Budget
) -> list[MetricResult]:
    """The metrics of samples of classes that were asked for.

    Args:
        source: Labelled real data with the same classes.
        fake: Generated samples, (N, *shape), in the user's units.
        asked: The classes that were asked for, (N,).
        seed: Of the classifiers.
        budget: How many samples are taken.

    Returns:
        The results; none where there are too few labelled samples.
    """
    train, test = (
        _labelled(source, budget.labelled, seed, held_out=part) for part in (False, True)
    )
    if train is None or test is None or len(test.x) < MIN_HELD_OUT:
        return []
    number, steps = len(source.schema.classes or ()), budget.image_steps
    made = _Labelled(fake[: budget.labelled], asked[: budget.labelled])
    on_real = None if source.is_digits else train_classifier(train.x, train.y, number, seed, steps)
    on_fake = train_classifier(made.x, made.y, number, seed, steps)
    real_accuracy, found = _label_metrics(source, made, train, test, on_real)
    if on_real is None:
        on_real = train_classifier(train.x, train.y, number, seed, steps)
        readable = True
    else:
        counts = source.schema.class_counts or np.bincount(train.y)
        readable = above_chance(real_accuracy, max(counts) / sum(counts))
    found.insert(2, _tstr(on_fake, on_real, (made, train, test)))
    return found if readable else [*found, _real_balanced_accuracy(train, number, seed, steps)]


def _label_metrics(
    source: Source,
    made: _Labelled,
    train: _Labelled,
    test: _Labelled,
    classifier: Classifier | None,
) -> tuple[float, list[MetricResult]]:
    """What a classifier, or the digit classifier, predicts of generated samples.

    Returns:
        Its accuracy on held-out samples, and the metrics.
    """

    def predict(values: Array) -> Classes:
        return _digits(values) if classifier is None else classifier.predict(values)

    labels = source.schema.classes or ()
    by = (
        "the shipped digit classifier"
        if classifier is None
        else f"a classifier trained on {len(train.x):,} real samples"
    )
    protocol = f"{len(made.x):,} samples, read by {by}; floor: {len(test.x):,} held-out samples"
    predicted, predicted_test = predict(made.x), predict(test.x)
    frequencies, of_made, of_test = (
        class_frequencies(y, len(labels)) for y in (train.y, predicted, predicted_test)
    )
    real_accuracy, n = accuracy(predicted_test, test.y), len(made.x)
    label_accuracy = MetricResult.of(
        LABEL_ACCURACY,
        accuracy(predicted, made.y),
        real_accuracy,
        protocol,
        *_interval(predicted == made.y),
        n=n,
    )
    kl = MetricResult.of(
        LABEL_KL, label_kl(of_made, frequencies), label_kl(of_test, frequencies), protocol, n=n
    )
    return real_accuracy, [
        label_accuracy,
        kl,
        *(
            MetricResult.of(
                CLASS_FREQUENCY, float(value), float(floor), protocol, detail=label, n=n
            )
            for label, value, floor in zip(labels, of_made, of_test, strict=True)
        ),
    ]


def _tstr(
    on_fake: Classifier,
    on_real: Classifier,
    parts: tuple[_Labelled, _Labelled, _Labelled],
) -> MetricResult:
    """The accuracy on held-out samples of a classifier trained on generated ones."""
    made, train, test = parts
    predicted = on_fake.predict(test.x)
    protocol = (
        f"{len(test.x):,} held-out samples, read by a classifier trained on "
        f"{len(made.x):,} generated ones; floor: on {len(train.x):,} real ones"
    )
    return MetricResult.of(
        TSTR_ACCURACY,
        accuracy(predicted, test.y),
        accuracy(on_real.predict(test.x), test.y),
        protocol,
        *_interval(predicted == test.y),
        n=len(made.x),
    )


def _real_balanced_accuracy(
    train: _Labelled, number: int, seed: int, image_steps: int
) -> MetricResult:
    """Whether labels of real samples can be predicted at all, where the accuracy is
    hardly above always naming the commonest class: a rare class that overlaps with a
    common one is never the likeliest."""
    predicted = cross_predict(train.x, train.y, number, seed, image_steps)
    value, half_width = balanced_accuracy(predicted, train.y, number)
    # By chance the classifiers of both halves are right together, as if there were one
    # half.
    half_width *= math.sqrt(2)
    protocol = (
        f"mean over classes of {len(train.x):,} real samples, each half read by a "
        f"classifier trained on the other; by chance 1 / {number}"
    )
    ends = value - half_width, value + half_width
    return MetricResult.of(REAL_BALANCED_ACCURACY, value, 1 / number, protocol, *ends)


def _labelled(source: Source, most: int, seed: int, *, held_out: bool) -> _Labelled | None:
    found = source.labelled(most, seed, held_out=held_out)
    return None if found is None else _Labelled(found[0].double().numpy(), found[1].numpy())


def _digits(values: Array) -> Classes:
    images = torch.from_numpy(values.reshape(len(values), *values.shape[-2:])).to(torch.uint8)
    predicted: Classes = read_digits(images)[1].argmax(1).numpy()
    return predicted


def _interval(right: NDArray[np.bool_]) -> tuple[float, float]:
    return proportion_interval(int(np.sum(right)), len(right))
