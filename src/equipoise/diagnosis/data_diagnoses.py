"""Diagnoses of the data, and of a generator that does not fit it."""

from __future__ import annotations

import math

from equipoise.diagnosis.advice import Verdict, margin, recipe_option, train_command
from equipoise.diagnosis.evidence import Evidence
from equipoise.diagnosis.symptoms import obvious, off_data
from equipoise.metrics.conditional import LABEL_ACCURACY, REAL_BALANCED_ACCURACY
from equipoise.metrics.copies import COPIED_FRACTION
from equipoise.metrics.digit_frequencies import RECOGNISED
from equipoise.metrics.intrinsic_dimension import INTRINSIC_DIMENSION
from equipoise.metrics.labels import above_chance
from equipoise.metrics.patch_swd import PATCH_SWD
from equipoise.metrics.tables.training_distances import EXACT_COPIES

MIN_HELD_OUT = 100  # samples; fewer show only what is obvious
MIN_DIMENSION_FRACTION = 0.7  # of the real samples' intrinsic dimension
# Fraction of the way from chance to the accuracy on real samples, from which G is
# conditioned on the labels; after a short training the second one.
CONDITIONED = 0.5
CONDITIONED_SHORT = 0.1
MEMORISED_FRACTION = 0.3  # of samples that are copies
# The interval of that fraction must lie above this one. With 300 held-out samples it is
# .27 wide on either side, and a generator with 7% copies shows .30 in one of 20 cases.
HARMLESS_FRACTION = 0.1
RECOMMENDED_ROWS = 10_000  # 1,000 are held out, for a power of 76%


def memorising(e: Evidence) -> Verdict | None:
    """Samples that lie where the data does, and nearer to the training samples than new
    ones would; the whole interval of the fraction of copies must say so."""
    if copies := exact_copies(e):
        return copies
    found = e[COPIED_FRACTION]
    if found is None or found.value < MEMORISED_FRACTION or found.low is None:
        return None
    if found.low <= HARMLESS_FRACTION or off_data(e):
        return None
    images = e[RECOGNISED] is not None or e[PATCH_SWD] is not None
    return Verdict(
        "memorising",
        "The generator repeats its training data: "
        f"{found.value:.0%} of the samples are copies, or nearly copies, of training samples.",
        margin(found, MEMORISED_FRACTION),
        "Next: train on more rows, or shorter."
        if e.is_table
        else "Next: train on more windows, or shorter."
        if e.is_series
        else "Next: train on more data, or shorter; for few images, with augmentation.",
        train_command(e, f"{recipe_option(e)}--augment color,translation,cutout")
        if images and "augment" not in e.changed
        else "",
    )


def exact_copies(e: Evidence) -> Verdict | None:
    """Rows of a table that equal training rows, many more than held-out rows do: these
    show how often two people are the same."""
    found = e[EXACT_COPIES]
    if found is None or found.low is None or found.low <= found.baseline + HARMLESS_FRACTION:
        return None
    return Verdict(
        "memorising",
        f"The generator repeats its training data: {found.value:.0%} of the rows equal a training "
        f"row in every column, {found.baseline:.1%} of held-out rows do.",
        "sure",
        "Next: train on more rows, or shorter.",
    )


def too_little_data(e: Evidence) -> Verdict | None:
    """Too few held-out samples for anything but what is obvious."""
    return undecided(e) if e.held_out < MIN_HELD_OUT and not obvious(e) else None


def undecided(e: Evidence) -> Verdict:
    """No fault was found, but there is too little data to find one."""
    number = f"{e.held_out:,} held-out sample{'s are' if e.held_out != 1 else ' is'}"
    sentence = (
        f"{number} too few for a verdict: even a perfect sampler would pass the test of "
        f"equivalence with a probability of only {e.equivalence_power:.0%}. "
        f"{e.summary_sentence}."
    )
    return Verdict("undecided", sentence, "sure", more_rows(e))


def more_rows(e: Evidence) -> str:
    """The advice to use as much data as a verdict needs."""
    rows, part = RECOMMENDED_ROWS, "tenth"
    if e.has_validation:
        rows, part = 2 * RECOMMENDED_ROWS, "twentieth"
    kind = "windows" if e.is_series else "rows"
    return f"Next: use more data, at least {rows:,} {kind}: a {part} is held out for testing."


def labels_ignored(e: Evidence) -> Verdict | None:
    """Samples that are not conditioned on the labels, though labels of real samples can
    be predicted."""
    found, frequencies = e[LABEL_ACCURACY], e.class_frequencies
    if found is None or sum(frequency > 0 for frequency in frequencies) < 2:
        return None
    if not above_chance(found.baseline, max(frequencies)):
        return labels_uninformative(e)
    chance = sum(frequency**2 for frequency in frequencies)  # of labels drawn at random
    conditioned = (found.value - chance) / (found.baseline - chance)
    if conditioned >= CONDITIONED or (e.is_short and conditioned > CONDITIONED_SHORT):
        return None
    evidence = (
        f"their label accuracy is {found.value:.0%}, that of real samples {found.baseline:.0%}, "
        f"and by chance {chance:.0%}"
    )
    advice, command = "Next: check that labels and samples are in the same order", ""
    if e.recipe != "cgan":
        advice, command = (
            f"{advice}; if they are, use the recipe cgan",
            train_command(e, "--recipe cgan"),
        )
    return Verdict(
        "labels ignored",
        f"The samples are not conditioned on the labels: {evidence}.",
        margin(found, chance + CONDITIONED * (found.baseline - chance)),
        f"{advice}.",
        command,
    )


def labels_uninformative(e: Evidence) -> Verdict | None:
    """Labels that cannot be predicted from real samples.

    With imbalanced classes accuracy cannot show it: a rare class that overlaps with a
    common one is never the likeliest. There the balanced accuracy decides.
    """
    found, balanced = e[LABEL_ACCURACY], e[REAL_BALANCED_ACCURACY]
    if found is None or (
        balanced is not None
        and balanced.low is not None
        and balanced.low > balanced.baseline
        and above_chance(balanced.value, balanced.baseline)
    ):
        return None
    evidence = (
        f"a classifier's accuracy on held-out real samples is {found.baseline:.0%}, that of "
        f"always naming the commonest class {max(e.class_frequencies):.0%}"
    )
    return Verdict(
        "labels ignored",
        f"The labels are not related to the data: {evidence}.",
        "sure",
        "Next: check that labels and samples are in the same order.",
    )


def latent_too_small(e: Evidence) -> Verdict | None:
    """Samples of fewer dimensions than the data, from a latent of fewer than those."""
    found = e[INTRINSIC_DIMENSION]
    if found is None or not e.latent_dim < found.baseline - 0.5:
        return None
    if found.value > MIN_DIMENSION_FRACTION * found.baseline:
        return None
    needed = 2 * math.ceil(found.baseline)
    evidence = (
        f"the data has about {found.baseline:.1f} dimensions, the samples {found.value:.1f}, "
        f"the latent {e.latent_dim}"
    )
    return Verdict(
        "latent too small",
        f"The latent has too few dimensions: {evidence}. {e.summary_sentence}.",
        "sure",
        f"Next: give the latent {needed} dimensions.",
        train_command(e, f"{recipe_option(e)}--latent-dim {needed}"),
    )
