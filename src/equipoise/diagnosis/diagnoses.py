"""The diagnoses: each asks for the evidence of one cause.

The first that finds it speaks, and causes come before symptoms, since samples can be
far from the data for many reasons.

benchmarks/RESULTS.md has how often they are right of runs that were made sick on
purpose.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from equipoise.diagnosis.advice import (
    Name,
    Verdict,
    longer,
    margin,
    on,
    recipe,
    steadier,
    typed,
    use,
)
from equipoise.diagnosis.evidence import Evidence
from equipoise.diagnosis.symptoms import (
    AT_FLOOR,
    NEAR_FLOOR,
    alike,
    far,
    flaw,
    lost,
    off_data,
    plain,
)
from equipoise.metrics.c2st import MARGIN
from equipoise.metrics.labels import readable
from equipoise.metrics.result import (
    AGREEMENT,
    C2ST,
    COPIED,
    DIGIT_FREQUENCY,
    DIMENSION,
    FINITE,
    PATCHES,
    READ_ALIKE,
    WORST_COLUMN,
)
from equipoise.recipes import DEFAULT

HEALTHY: frozenset[Name] = frozenset(
    {"converged", "close", "still improving", "recovered from trouble"}
)
MIN_HELD_OUT = 100  # below which only what is plain is said
MIN_POWER = (
    0.25  # of the test of equivalence, below which the data cannot show a sampler to be good
)
# Share of the real samples' intrinsic dimension below which a latent of fewer numbers
# is to blame.
LOST_DIMENSIONS = 0.7
FELL_APART = (
    5.0  # times the best figure before it, to which the headline must not rise while training
)
# D's balance at the end from which it is too far ahead; a gradient penalty keeps it
# from 1. Below, it tells too little.
D_AHEAD = 0.6
D_SURE = 0.97
D_WRONG, MISLED = (
    0.35,
    0.1,
)  # balance below which D is wrong, and the share of reports from which that decides
# The classifier two-sample test's accuracy from which a distribution is not all but the
# data's, however near the headline.
SUSPECTED = 0.55
TOLD = (
    0.8  # the classifier two-sample test's accuracy from which a D that tells nothing is to blame
)
HEARD = 0.5  # share of the way from chance to real samples' agreement that labels must have come
COPIES = 0.3
ENOUGH_ROWS = 10_000  # of which 1,000 are held out, for a power of 76%
MAX_OF = 0.9  # share of the usual samples from which a run that stands still is at its end
EXPLODED, RUNAWAY = (
    100.0,
    10_000.0,
)  # times the real standard deviation, and the headline's floor, which few samples make large
LAST = 0.25  # share of the reports that count as the end


def diagnose(evidence: Evidence) -> Verdict:
    """The first diagnosis that the evidence supports."""
    found = next(found for diagnose in DIAGNOSES if (found := diagnose(evidence)) is not None)
    gone = lost(evidence)
    if gone and gone not in found.sentence and found.name not in ("diverged", "undecided"):
        found = replace(found, sentence=f"{found.sentence} The samples lack variety: {gone}.")
    found = for_the_data(evidence, found)
    if evidence.held_out >= MIN_HELD_OUT or found.name in ("diverged", "undecided"):
        return found
    caveat = f" Only {evidence.held_out:,} samples were held out, too few for finer differences."
    return replace(found, sentence=found.sentence + caveat)


def for_the_data(e: Evidence, found: Verdict) -> Verdict:
    """The verdict with what helps where the data itself stands in the way: extreme
    outliers, or too few rows, which no longer training mends."""
    if found.name not in ("mode collapse", "stalled", "close", "diverged", "still improving"):
        return found
    if e.outliers:
        advice = (
            "Next: correct or remove the extreme outliers: beside them the other rows "
            "look alike to a network."
        )
        return replace(found, advice=advice, command="")
    if (
        e.held_out < MIN_HELD_OUT
        and not e.short
        and found.name in ("mode collapse", "stalled", "close")
    ):
        return replace(found, advice=more_rows(e), command="")
    return found


def diverged(e: Evidence) -> Verdict | None:
    """Numbers that are not finite, samples far outside the data, or a figure that was
    good once."""
    why, std, column = e.gave_up, e["standard deviation"], e[WORST_COLUMN]
    if not why:
        (before, after), measured = (
            e.leap,
            e.headline.floor > 0,
        )  # of a floor of 0 all is too many times, be it ever so little
        exploded = std is not None and 0 < EXPLODED * std.floor < std.value
        exploded |= column is not None and column.value > EXPLODED * max(column.floor, 1.0)
        if exploded or not math.isfinite(e.headline.value) or (measured and e.ratio > RUNAWAY):
            why = f"the samples lie far outside the data: {e.told}"
        elif measured and after > FELL_APART * before and far(e):
            why = (
                f"{e.headline.name} was {before:.3g} while training, and rose to "
                f"{after:.3g} after. {e.said}"
            )
    if e.headline.name == FINITE:
        why = why or f"{1 - e.headline.value:.0%} of the samples are not numbers"
    return Verdict("diverged", f"Training ran away: {why}.", "sure", *steadier(e)) if why else None


def too_little_data(e: Evidence) -> Verdict | None:
    """Too few held-out samples to say anything but what is plain."""
    return undecided(e) if e.held_out < MIN_HELD_OUT and not plain(e) else None


def undecided(e: Evidence) -> Verdict:
    """Nothing is wrong as far as can be seen, but a fault could not have been seen."""
    number = f"{e.held_out:,} held-out sample{'s are' if e.held_out != 1 else ' is'}"
    said = (
        f"{number} too few to tell good from bad: even a perfect sampler would pass the test of "
        f"equivalence with a probability of only {e.power:.0%}. {e.said}."
    )
    return Verdict("undecided", said, "sure", more_rows(e))


def more_rows(e: Evidence) -> str:
    """The advice to use as much data as a verdict needs."""
    rows, part = (2 * ENOUGH_ROWS, "twentieth") if e.early_stopping else (ENOUGH_ROWS, "tenth")
    return f"Next: use more data, at least {rows:,} rows: a {part} is held out for testing."


def labels_ignored(e: Evidence) -> Verdict | None:
    """What is asked for does not come, though a reader of real samples could tell."""
    found, alike = e[AGREEMENT], e[READ_ALIKE]
    if found is None or sum(fraction > 0 for fraction in e.class_frequencies) < 2:
        return None
    most, chance = (
        max(e.class_frequencies),
        sum(fraction**2 for fraction in e.class_frequencies),
    )  # of one who always says the same, or draws at random
    if not readable(found.floor, most):
        if (
            alike is not None
            and alike.low is not None
            and alike.low > alike.floor
            and readable(alike.value, alike.floor)
        ):
            # a rare class that overlaps with a common one: whether it is heeded does
            # not show in how many are read rightly.
            return None
        said = (
            "a classifier reads held-out real samples as their label in "
            f"{found.floor:.0%}, always to name the commonest gives {most:.0%}"
        )
        advice = "Next: check that labels and samples are in the same order."
        return Verdict(
            "labels ignored",
            f"Labels cannot be learned, for they say nothing about the data: {said}.",
            "sure",
            advice,
        )
    fraction = (found.value - chance) / (found.floor - chance)
    if fraction >= HEARD or (e.short and fraction > 0.1):
        return None
    said = (
        f"{found.value:.0%} of the samples are read as the label that was asked for, real "
        f"ones {found.floor:.0%}, by chance {chance:.0%}"
    )
    other = e.recipe != "cgan"
    advice = (
        "Next: check that labels and samples are in the same "
        f"order{'; if they are, take the recipe cgan' if other else ''}."
    )
    sure = margin(found, chance + HEARD * (found.floor - chance))
    command = typed(e, "--recipe cgan") if other else ""
    return Verdict(
        "labels ignored", f"The generator ignores the labels: {said}.", sure, advice, command
    )


def memorising(e: Evidence) -> Verdict | None:
    """Samples that lie where the data does, and nearer to the training samples than
    fresh ones would."""
    found = e[COPIED]
    if found is None or found.value < COPIES or found.low is None or found.low <= 0 or off_data(e):
        return None
    said = f"{found.value:.0%} of the samples are copied, or all but copied, from the training data"
    advice = "Next: train on more data, or shorter; for few images, with augmentation."
    command = (
        typed(e, "--augment color,translation,cutout")
        if e[DIGIT_FREQUENCY + "0"] or e[PATCHES]
        else ""
    )
    return Verdict(
        "memorising",
        f"The generator repeats what it was shown: {said}.",
        margin(found, COPIES),
        advice,
        command,
    )


def latent_too_small(e: Evidence) -> Verdict | None:
    """Samples of fewer dimensions than the data, from a latent of fewer numbers than
    those."""
    found = e[DIMENSION]
    if (
        found is None
        or not e.latent_dim < found.floor - 0.5
        or found.value > LOST_DIMENSIONS * found.floor
    ):
        return None
    needed = 2 * math.ceil(found.floor)
    said = (
        f"the data spreads in about {found.floor:.1f} dimensions, the samples in "
        f"{found.value:.1f}, the latent has {e.latent_dim}"
    )
    return Verdict(
        "latent too small",
        f"The latent has too few numbers: {said}. {e.said}.",
        "sure",
        f"Next: give the latent {needed} numbers.",
        typed(e, f"{recipe(e)}--latent-dim {needed}"),
    )


def still_improving_early(e: Evidence) -> Verdict | None:
    """A run that has hardly begun, and was getting better as far as can be seen."""
    if (
        not (e.hardly_begun or (e.short and e.improving))
        or e.early_stopped
        or e.ratio <= AT_FLOOR
        or (alike(e) and e.changed)
    ):
        return None
    return longer(e, lost(e))


def discriminator_misled(e: Evidence) -> Verdict | None:
    """A D that is wrong more often than right for a good part of the training: it
    swings, and G follows it anywhere."""
    curve = e.curve("balance")
    wrong = sum(value < D_WRONG for value in curve)
    if not far(e) or wrong < max(MISLED * len(curve), 1) or e.hardly_begun:
        return None
    said = (
        f"at {wrong} of {len(curve)} reports D was right about less than {D_WRONG:.0%} of "
        f"what it saw. {e.said}"
    )
    return Verdict(
        "generator won", f"The discriminator was led astray: {said}.", "sure", *steadier(e)
    )


def one_network_won(e: Evidence) -> Verdict | None:
    """D tells every sample, or none, at the end, and the result is far off."""
    curve = e.curve("balance")
    if not curve or not far(e) or e.improving or e.hardly_begun:
        return None
    balance = median(curve[-max(int(len(curve) * LAST), 1) :])
    told = e[C2ST]
    if balance >= D_AHEAD:
        said = (
            f"D is right about {balance:.1%} of what it sees, where 50% is the end of a "
            f"good training. {e.said}"
        )
        return Verdict(
            "discriminator won",
            f"The discriminator has won: {said}.",
            "sure" if balance > D_SURE else "likely",
            *steadier(e),
        )
    if told is not None and told.value >= TOLD:
        said = (
            f"D is right about {balance:.1%} of what it sees, where a new classifier is "
            f"about {told.value:.1%}. {e.said}"
        )
        return Verdict(
            "generator won",
            f"The discriminator has lost sight: {said}.",
            margin(told, TOLD),
            *steadier(e),
        )
    return None


def mode_collapse(e: Evidence) -> Verdict | None:
    """Modes, digits or whole regions of the data that samples do not reach, and no
    progress."""
    gone = lost(e)
    if not gone or (e.improving and far(e) and not alike(e)):
        return None
    if e.recipe != DEFAULT:
        advice, command = (
            f"Next: use the recipe {DEFAULT}, which is made to keep every mode.",
            typed(e),
        )
    else:
        advice, command = steadier(e) if e.changed else on(e)
    return Verdict(
        "mode collapse", f"The samples lack variety: {gone}. {e.said}.", "sure", advice, command
    )


def fine(e: Evidence) -> Verdict | None:
    """At the floor, or near it."""
    if far(e):
        return None
    wrong, c2st = flaw(e), e[C2ST]
    if wrong:
        return Verdict(
            "close", f"The samples lie where the data does, but {wrong}. {e.said}.", "sure", *on(e)
        )
    if e.equivalent:
        return Verdict(
            "converged",
            f"Generated and real data can hardly be told apart: {e.told}.",
            "sure",
            *use(e),
        )
    told = c2st is not None and c2st.low is not None and c2st.low > c2st.floor
    suspected = c2st is not None and (c2st.value >= SUSPECTED and told)
    if e.ratio <= AT_FLOOR and not suspected:
        if not told and e.power < MIN_POWER:
            return undecided(e)
        said = (
            "No difference that matters was found, though a small one could have been "
            f"missed: {e.told}."
        )
        return Verdict("converged", said, "likely", *use(e))
    if e.improving:
        return longer(e)
    said = f"The samples are close to the data, with a difference that can be measured: {e.told}."
    if c2st is not None and e.ratio <= AT_FLOOR:  # the classifier alone tells
        return Verdict("close", said, margin(c2st, 0.5 + MARGIN), *on(e))
    return Verdict("close", said, margin(e.headline, NEAR_FLOOR * e.headline.floor), *on(e))


def recovered(e: Evidence) -> Verdict | None:
    """Roll-backs, however it ended."""
    if not e.recoveries:
        return None
    times = "once" if e.recoveries == 1 else f"{e.recoveries} times"
    said = (
        f"{times} a loss was no longer finite, and it went back to the last good weights, "
        "with half the step size"
    )
    return Verdict(
        "recovered from trouble",
        f"Training was in trouble and went on: {said}. {e.said}.",
        "sure",
        *steadier(e),
    )


def unfinished(e: Evidence) -> Verdict:
    """Far off: still falling, or at a stand.

    Of a recipe that gets better too slowly more of the same is no advice: there is a
    better one.
    """
    begun = e.samples_seen < MAX_OF * e.usual_samples
    more = (
        begun or e.improving
        if e.recipe == DEFAULT
        else (begun and not e.evaluated_enough) or e.promising
    )
    if more and not e.early_stopped:
        return longer(e, lost(e))
    off = off_data(e)
    slow = (
        "it gets better too slowly for more training to mend it"
        if e.improving
        else "it no longer gets better"
    )
    said = f"The samples can be told from real ones{off and f' ({off})'}, and {slow}: {e.told}."
    return Verdict("stalled", said, "likely", *steadier(e))


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
    fine,
    unfinished,
)
