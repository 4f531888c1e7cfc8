"""How surely the shipped classifier recognises digits, and the frequency of each."""

from __future__ import annotations

import numpy as np

from equipoise.metrics.reference import Array, DigitReference
from equipoise.metrics.registry import Metric, register

CONFIDENT = 0.9  # probability from which a digit counts as recognised

RECOGNISED = Metric(
    "recognised_fraction",
    "recognised at 90%",
    "higher",
    "fraction of images that the digit classifier is at least 90% sure about",
)
SMALLEST_FREQUENCY = Metric(
    "smallest_class_frequency",
    "smallest class frequency",
    "higher",
    "frequency of the digit that is generated least often",
)
DIGIT_FREQUENCY = Metric(
    "digit_frequency",
    "frequency of digit {}",
    "near",
    "frequency of this digit, read by the digit classifier",
    in_table=False,
)


@register(
    RECOGNISED,
    SMALLEST_FREQUENCY,
    DIGIT_FREQUENCY,
    kinds=["digits"],
    position=20,
    while_training=True,
)
def digit_frequencies(reference: DigitReference, rows: Array) -> dict[str, float]:
    """Of the digits that the classifier reads."""
    probabilities = reference.probabilities_of(rows)
    frequencies = np.bincount(probabilities.argmax(1), minlength=10) / len(rows)
    return {
        RECOGNISED.key: float((probabilities.max(1) >= CONFIDENT).mean()),
        SMALLEST_FREQUENCY.key: float(frequencies.min()),
        **{
            DIGIT_FREQUENCY.at(digit): float(frequency)
            for digit, frequency in enumerate(frequencies)
        },
    }
