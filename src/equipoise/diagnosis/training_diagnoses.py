"""Diagnoses of a training: divergence, roll-backs, and one network that won."""

from __future__ import annotations

import math
from statistics import median

from equipoise.diagnosis.advice import Verdict, margin, stabilise, still_improving
from equipoise.diagnosis.evidence import Evidence
from equipoise.diagnosis.symptoms import CONVERGED_RATIO, collapse, far, nearly_identical
from equipoise.metrics.c2st import C2ST_ACCURACY
from equipoise.metrics.finite import FINITE_FRACTION
from equipoise.metrics.moments import STANDARD_DEVIATION
from equipoise.metrics.wasserstein import WORST_COLUMN

FALLEN_APART = 5.0  # a rise of the primary metric over its best value before
# D's balance at the end of a training, as a fraction of samples that it is right about.
D_AHEAD = 0.6  # from here D is too far ahead; a gradient penalty keeps it from 1
D_SURELY_AHEAD = 0.97
D_WRONG = 0.35  # below, D is wrong more often than right
WRONG_REPORTS = 0.1  # fraction of reports with D wrong, from which D was misled
FINAL_REPORTS = 0.25  # fraction of reports that count as the end
BLIND_ACCURACY = 0.8  # of the C2ST; from here a D that finds no difference has failed
EXPLODED_STDS = 100.0  # times the real standard deviation
EXPLODED_RATIO = 10_000.0  # times the baseline, which few samples make large


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
    if balance >= (D_AHEAD if e.ends_level else D_SURELY_AHEAD):
        good = "; at the end of a good training it is right about 50%" if e.ends_level else ""
        return Verdict(
            "discriminator won",
            f"The discriminator has won: {right}{good}. {e.summary_sentence}.",
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
