"""The diagnoses: each looks for the evidence of one cause.

The first that finds it gives the verdict. Causes come before symptoms, since samples
can be far from the data for many reasons.

benchmarks/RESULTS.md has how often they are right on runs with a planted fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from equipoise.diagnosis.advice import (
    Verdict,
    margin,
    recipe_option,
    stabilise,
    still_improving,
    train_command,
    train_longer,
    use,
)
from equipoise.diagnosis.evidence import Evidence
from equipoise.diagnosis.symptoms import (
    CLOSE_RATIO,
    CONVERGED_RATIO,
    collapse,
    far,
    flaw,
    nearly_identical,
    obvious,
    off_data,
)
from equipoise.metrics.c2st import C2ST_ACCURACY, MARGIN
from equipoise.metrics.conditional import LABEL_ACCURACY, REAL_BALANCED_ACCURACY
from equipoise.metrics.copies import COPIED_FRACTION
from equipoise.metrics.digit_frequencies import RECOGNISED
from equipoise.metrics.finite import FINITE_FRACTION
from equipoise.metrics.intrinsic_dimension import INTRINSIC_DIMENSION
from equipoise.metrics.labels import above_chance
from equipoise.metrics.moments import STANDARD_DEVIATION
from equipoise.metrics.patch_swd import PATCH_SWD
from equipoise.metrics.wasserstein import WORST_COLUMN
from equipoise.recipes import DEFAULT

MIN_HELD_OUT = 100  # samples; fewer show only what is obvious
# Of the test of equivalence; with less the data cannot show a sampler to be good.
MIN_POWER = 0.25
MIN_DIMENSION_FRACTION = 0.7  # of the real samples' intrinsic dimension
FALLEN_APART = 5.0  # a rise of the primary metric over its best value before
# D's balance at the end of a training, as a fraction of samples that it is right about.
D_AHEAD = 0.6  # from here D is too far ahead; a gradient penalty keeps it from 1
D_SURELY_AHEAD = 0.97
D_WRONG = 0.35  # below, D is wrong more often than right
WRONG_REPORTS = 0.1  # fraction of reports with D wrong, from which D was misled
FINAL_REPORTS = 0.25  # fraction of reports that count as the end
# C2ST accuracies.
SUSPECT_ACCURACY = 0.55  # from here a result near the baseline is not converged
BLIND_ACCURACY = 0.8  # from here a D that finds no difference has failed
# Fraction of the way from chance to the accuracy on real samples, from which G is
# conditioned on the labels; after a short training the second one.
CONDITIONED = 0.5
CONDITIONED_SHORT = 0.1
MEMORISED_FRACTION = 0.3  # of samples that are copies
RECOMMENDED_ROWS = 10_000  # 1,000 are held out, for a power of 76%
FULL_LENGTH = 0.9  # fraction of the usual samples; a run that long has had its time
EXPLODED_STDS = 100.0  # times the real standard deviation
EXPLODED_RATIO = 10_000.0  # times the baseline, which few samples make large


def diagnose(evidence: Evidence) -> Verdict:
    """The first diagnosis that the evidence supports.

    Args:
        evidence: Metrics, log and settings of a run.

    Returns:
        The verdict with its advice.
    """
    found = next(found for diagnose in DIAGNOSES if (found := diagnose(evidence)) is not None)
    lacking = collapse(evidence)
    if lacking and lacking not in found.sentence and found.name not in ("diverged", "undecided"):
        found = replace(found, sentence=f"{found.sentence} The samples lack variety: {lacking}.")
    found = with_data_advice(evidence, found)
    if evidence.held_out >= MIN_HELD_OUT or found.name in ("diverged", "undecided"):
        return found
    caveat = f" Only {evidence.held_out:,} samples were held out, too few for finer differences."
    return replace(found, sentence=found.sentence + caveat)


def with_data_advice(e: Evidence, found: Verdict) -> Verdict:
    """The verdict with advice on the data where that is the cause: extreme outliers, or
    too few rows, which no longer training helps."""
    if found.name not in ("mode collapse", "stalled", "close", "diverged", "still improving"):
        return found
    if e.outliers:
        advice = (
            "Next: correct or remove the extreme outliers: beside them the other rows "
            "look the same to a network."
        )
        return replace(found, advice=advice, command="")
    if (
        e.held_out < MIN_HELD_OUT
        and not e.is_short
        and found.name in ("mode collapse", "stalled", "close")
    ):
        return replace(found, advice=more_rows(e), command="")
    return found


def diverged(e: Evidence) -> Verdict | None:
    """Samples that are not finite or far outside the data, or a primary metric that was
    good once."""
    why = e.failure or _explosion(e)
    if e.primary.key == FINITE_FRACTION.key:
        why = why or f"{1 - e.primary.value:.0%} of the samples are not finite numbers"
    if not why:
        return None
    return Verdict("diverged", f"Training diverged: {why}.", "sure", *stabilise(e))


def _explosion(e: Evidence) -> str:
    """How the samples left the data, in words; empty if they did not."""
    std, column = e[STANDARD_DEVIATION], e[WORST_COLUMN]
    has_baseline = e.primary.baseline > 0  # any value is infinitely many times a baseline of 0
    exploded = std is not None and 0 < EXPLODED_STDS * std.baseline < std.value
    exploded |= column is not None and column.value > EXPLODED_STDS * max(column.baseline, 1.0)
    exploded |= not math.isfinite(e.primary.value)
    if exploded or (has_baseline and e.baseline_ratio > EXPLODED_RATIO):
        return f"the samples lie far outside the data: {e.summary}"
    before, after = e.greatest_rise
    if has_baseline and after > FALLEN_APART * before and far(e):
        return (
            f"{e.primary.label} was {before:.3g} while training, and rose to {after:.3g} "
            f"after. {e.summary_sentence}"
        )
    return ""


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
    if e.early_stopping:
        rows, part = 2 * RECOMMENDED_ROWS, "twentieth"
    return f"Next: use more data, at least {rows:,} rows: a {part} is held out for testing."


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


def memorising(e: Evidence) -> Verdict | None:
    """Samples that lie where the data does, and nearer to the training samples than new
    ones would."""
    found = e[COPIED_FRACTION]
    if found is None or found.value < MEMORISED_FRACTION or found.low is None or found.low <= 0:
        return None
    if off_data(e):
        return None
    images = e[RECOGNISED] is not None or e[PATCH_SWD] is not None
    return Verdict(
        "memorising",
        "The generator repeats its training data: "
        f"{found.value:.0%} of the samples are copies, or nearly copies, of training samples.",
        margin(found, MEMORISED_FRACTION),
        "Next: train on more data, or shorter; for few images, with augmentation.",
        train_command(e, "--augment color,translation,cutout") if images else "",
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


def still_improving_early(e: Evidence) -> Verdict | None:
    """A run that has hardly begun, and was improving as far as the log shows."""
    if (
        not (e.hardly_begun or (e.is_short and e.improving))
        or e.early_stopped
        or e.baseline_ratio <= CONVERGED_RATIO
        or (nearly_identical(e) and e.changed)
    ):
        return None
    return still_improving(e, collapse(e))


def discriminator_misled(e: Evidence) -> Verdict | None:
    """A D that was wrong more often than right for much of the training: it oscillates,
    and G follows it anywhere."""
    curve = e.curve("balance")
    wrong = sum(value < D_WRONG for value in curve)
    if not far(e) or wrong < max(WRONG_REPORTS * len(curve), 1) or e.hardly_begun:
        return None
    evidence = (
        f"at {wrong} of {len(curve)} reports D was right about less than {D_WRONG:.0%} of "
        f"what it saw. {e.summary_sentence}"
    )
    return Verdict(
        "generator won", f"The discriminator was misled: {evidence}.", "sure", *stabilise(e)
    )


def one_network_won(e: Evidence) -> Verdict | None:
    """A D that is right about every sample at the end, or about none, and a result far
    from the data."""
    curve = e.curve("balance")
    if not curve or not far(e) or e.improving or e.hardly_begun:
        return None
    balance = median(curve[-max(int(len(curve) * FINAL_REPORTS), 1) :])
    right = f"D is right about {balance:.1%} of what it sees"
    if balance >= D_AHEAD:
        return Verdict(
            "discriminator won",
            f"The discriminator has won: {right}; at the end of a good training it is right "
            f"about 50%. {e.summary_sentence}.",
            "sure" if balance > D_SURELY_AHEAD else "likely",
            *stabilise(e),
        )
    c2st = e[C2ST_ACCURACY]
    if c2st is not None and c2st.value >= BLIND_ACCURACY:
        return Verdict(
            "generator won",
            f"The discriminator has failed: {right}, a new classifier about "
            f"{c2st.value:.1%}. {e.summary_sentence}.",
            margin(c2st, BLIND_ACCURACY),
            *stabilise(e),
        )
    return None


def mode_collapse(e: Evidence) -> Verdict | None:
    """Modes, digits or regions of the data that the samples lack, and no progress."""
    lacking = collapse(e)
    if not lacking or (e.improving and far(e) and not nearly_identical(e)):
        return None
    if e.recipe != DEFAULT:
        advice, command = (
            f"Next: use the recipe {DEFAULT}, which is designed to keep every mode.",
            train_command(e),
        )
    else:
        advice, command = stabilise(e) if e.changed else train_longer(e)
    sentence = f"The samples lack variety: {lacking}. {e.summary_sentence}."
    return Verdict("mode collapse", sentence, "sure", advice, command)


def near_the_data(e: Evidence) -> Verdict | None:
    """Converged, or close."""
    if far(e):
        return None
    if wrong := flaw(e):
        sentence = f"The samples lie where the data does, but {wrong}. {e.summary_sentence}."
        return Verdict("close", sentence, "sure", *train_longer(e))
    if e.equivalent:
        sentence = f"Generated and real data can hardly be distinguished: {e.summary}."
        return Verdict("converged", sentence, "sure", *use(e))
    c2st = e[C2ST_ACCURACY]
    distinguished = c2st is not None and c2st.low is not None and c2st.low > c2st.baseline
    suspected = c2st is not None and c2st.value >= SUSPECT_ACCURACY and distinguished
    if e.baseline_ratio <= CONVERGED_RATIO and not suspected:
        if not distinguished and e.equivalence_power < MIN_POWER:
            return undecided(e)
        sentence = (
            "No difference that matters was found, though a small one could have been "
            f"missed: {e.summary}."
        )
        return Verdict("converged", sentence, "likely", *use(e))
    if e.improving:
        return still_improving(e)
    sentence = f"The samples are close to the data, with a measurable difference: {e.summary}."
    if c2st is not None and e.baseline_ratio <= CONVERGED_RATIO:  # only the classifier finds one
        sure = margin(c2st, 0.5 + MARGIN)
    else:
        sure = margin(e.primary, CLOSE_RATIO * e.primary.baseline)
    return Verdict("close", sentence, sure, *train_longer(e))


def recovered(e: Evidence) -> Verdict | None:
    """Roll-backs, however the training ended."""
    if not e.rollbacks:
        return None
    times = "once" if e.rollbacks == 1 else f"{e.rollbacks} times"
    evidence = (
        f"{times} a loss was no longer finite, and training went back to the last good "
        f"weights with half the step size. {e.summary_sentence}"
    )
    return Verdict(
        "recovered from trouble",
        f"Training was in trouble and went on: {evidence}.",
        "sure",
        *stabilise(e),
    )


def far_from_the_data(e: Evidence) -> Verdict:
    """Still improving, or stalled.

    A recipe that improves too slowly needs no more training: there is a better one.
    """
    unfinished = e.samples_seen < FULL_LENGTH * e.usual_samples
    if e.recipe == DEFAULT:
        go_on = unfinished or e.improving
    else:
        go_on = (unfinished and not e.shows_trend) or e.promising
    if go_on and not e.early_stopped:
        return still_improving(e, collapse(e))
    off = off_data(e)
    slow = "improve too slowly for more training to help" if e.improving else "no longer improve"
    sentence = f"The samples differ from real ones{off and f' ({off})'} and {slow}: {e.summary}."
    return Verdict("stalled", sentence, "likely", *stabilise(e))


DIAGNOSES: tuple[Callable[[Evidence], Verdict | None], ...] = (
    diverged,
    memorising,
    too_little_data,
    labels_ignored,
    latent_too_small,
    discriminator_misled,
    one_network_won,
    recovered,
    still_improving_early,
    mode_collapse,
    near_the_data,
    far_from_the_data,
)
