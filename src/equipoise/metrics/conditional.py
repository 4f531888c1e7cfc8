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
    source: Source, fake: Array, labels: Classes, seed: int, budget: Budget
) -> list[MetricResult]:
    """The metrics of samples that were conditioned on labels.

    Args:
        source: Labelled real data with the same classes.
        fake: Generated samples, (N, *shape), as metrics compare them.
        labels: The classes that they were conditioned on, (N,).
        seed: Of the classifiers.
        budget: How many samples are measured.

    Returns:
        The results; none where there are too few labelled samples.
    """
    train, test = (
        _labelled(source, budget.labelled, seed, held_out=part) for part in (False, True)
    )
    if train is None or test is None or len(test.x) < MIN_HELD_OUT:
        return []
    number, steps = len(source.schema.classes or ()), budget.image_steps
    generated = _Labelled(fake[: budget.labelled], labels[: budget.labelled])
    on_real, on_fake = (
        train_classifier(part.x, part.y, number, seed, steps) for part in (train, generated)
    )
    classifier = None if source.is_digits else on_real
    label_accuracy, *others = _label_metrics(source, generated, train, test, classifier)
    kl, *frequencies = others
    tstr = _tstr((on_fake, on_real), generated, train, test)
    found = [label_accuracy, kl, tstr, *frequencies]
    counts = source.schema.class_counts or np.bincount(train.y)
    if source.is_digits or above_chance(label_accuracy.baseline, max(counts) / sum(counts)):
        return found
    return [*found, _real_balanced_accuracy(train, number, seed, steps)]


def _label_metrics(
    source: Source,
    generated: _Labelled,
    train: _Labelled,
    test: _Labelled,
    classifier: Classifier | None,
) -> list[MetricResult]:
    """Label accuracy, KL of label marginals and the frequency of each class, by a
    classifier, or by the digit classifier where there is none."""

    def predict(values: Array) -> Classes:
        return _digits(values) if classifier is None else classifier.predict(values)

    labels, n = source.schema.classes or (), len(generated.x)
    by = (
        "the shipped digit classifier"
        if classifier is None
        else f"a classifier trained on {len(train.x):,} real samples"
    )
    protocol = f"{n:,} samples, classified by {by}; baseline: {len(test.x):,} held-out samples"
    predicted, predicted_test = predict(generated.x), predict(test.x)
    frequencies, of_generated, of_test = (
        class_frequencies(y, len(labels)) for y in (train.y, predicted, predicted_test)
    )
    return [
        MetricResult.of(
            LABEL_ACCURACY,
            accuracy(predicted, generated.y),
            accuracy(predicted_test, test.y),
            protocol,
            *_interval(predicted == generated.y),
            n=n,
        ),
        MetricResult.of(
            LABEL_KL,
            label_kl(of_generated, frequencies),
            label_kl(of_test, frequencies),
            protocol,
            n=n,
        ),
        *(
            MetricResult.of(
                CLASS_FREQUENCY, float(value), float(baseline), protocol, detail=label, n=n
            )
            for label, value, baseline in zip(labels, of_generated, of_test, strict=True)
        ),
    ]


def _tstr(
    classifiers: tuple[Classifier, Classifier],
    generated: _Labelled,
    train: _Labelled,
    test: _Labelled,
) -> MetricResult:
    """The accuracy on held-out samples of a classifier trained on generated ones; the
    baseline is that of one trained on real ones."""
    on_fake, on_real = (classifier.predict(test.x) for classifier in classifiers)
    protocol = (
        f"{len(test.x):,} held-out samples, classified by a classifier trained on "
        f"{len(generated.x):,} generated ones; baseline: on {len(train.x):,} real ones"
    )
    return MetricResult.of(
        TSTR_ACCURACY,
        accuracy(on_fake, test.y),
        accuracy(on_real, test.y),
        protocol,
        *_interval(on_fake == test.y),
        n=len(generated.x),
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
        f"mean over classes of {len(train.x):,} real samples, each half classified by a "
        f"classifier trained on the other; by chance 1 / {number}"
    )
    ends = value - half_width, value + half_width
    return MetricResult.of(REAL_BALANCED_ACCURACY, value, 1 / number, protocol, *ends)


def _labelled(source: Source, most: int, seed: int, *, held_out: bool) -> _Labelled | None:
    found = source.labelled(most, seed, held_out=held_out)
    if found is None:
        return None
    return _Labelled(source.measured(found[0]).double().numpy(), found[1].numpy())


def _digits(values: Array) -> Classes:
    images = torch.from_numpy(values.reshape(len(values), *values.shape[-2:])).to(torch.uint8)
    predicted: Classes = read_digits(images)[1].argmax(1).numpy()
    return predicted


def _interval(right: NDArray[np.bool_]) -> tuple[float, float]:
    return proportion_interval(int(np.sum(right)), len(right))
