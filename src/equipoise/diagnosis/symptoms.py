"""Symptoms: what can be wrong with samples, in words, by metrics beside their
baselines."""

from __future__ import annotations

from equipoise.diagnosis.evidence import LOST, Evidence
from equipoise.diagnosis.missing import missing
from equipoise.metrics.result import (
    C2ST,
    COVERAGE,
    DIVERSITY,
    PRECISION,
    RECALL,
    REVERSE_KL,
    SPREAD,
)

AT_FLOOR, NEAR_FLOOR = (
    3.0,
    10.0,
)  # multiples of the headline's floor up to which the result is called balanced, and close
SPREAD_RANGE = (
    0.7,
    1.4,
)  # the spread inside modes, over that of real samples, that is not called a flaw
# Share of real samples' coverage below which part of the data is missing, if what is
# made is precise.
COLLAPSED = 0.5
SPARSE = 0.7  # the same, below which something is missing that is finer than the distance shows
PRECISE = 0.75  # share of real samples' precision from which what is made lies where the data does
# The classifier two-sample test's accuracy from which samples that miss the data are
# far from it.
TOLD_APART = 0.6
CERTAIN = 0.95  # the same, from which they are far from it however near the headline
RECALL_ROWS = 1_000  # held-out samples from which recall is off by less than LOST by chance
ALIKE = 0.3  # of real samples' mean distance, below which the samples are nearly all alike


def far(e: Evidence) -> bool:
    """Whether samples are clearly not the data's: by the headline, by a classifier that
    is certain, or since many lie where no data does and a classifier tells them."""
    c2st = e[C2ST]
    if e.ratio > NEAR_FLOOR:
        return True
    if c2st is None:
        return False
    certain = e.ratio > AT_FLOOR and c2st.low is not None and c2st.low >= CERTAIN
    return certain or (bool(off_data(e)) and c2st.value >= TOLD_APART)


def plain(e: Evidence) -> bool:
    """Whether something is wrong that even few held-out samples show."""
    c2st = e[C2ST]
    told_apart = c2st is not None and c2st.low is not None and c2st.low > TOLD_APART
    return told_apart or e.ratio > NEAR_FLOOR or alike(e)


def alike(e: Evidence) -> bool:
    """Whether the samples are nearly all the same."""
    found = e[DIVERSITY]
    return found is not None and found.value < ALIKE * found.floor


def off_data(e: Evidence) -> str:
    """How many samples lie where no data does, in words; empty if hardly more than of
    real ones."""
    precise = e[PRECISION]
    if precise is None or precise.value >= PRECISE * precise.floor:
        return ""
    return f"{precise.value:.0%} of them lie where the data does, of real ones {precise.floor:.0%}"


def lost(e: Evidence) -> str:
    """What is missing, in words; empty if nothing is."""
    found = missing(
        {metric.name: metric.value for metric in e.metrics},
        {metric.name: metric.floor for metric in e.metrics},
    )
    covered, precise = e[COVERAGE], e[PRECISION]
    narrow = covered is not None and covered.value < COLLAPSED * covered.floor
    if found:
        return found
    if (distance := e[DIVERSITY]) is not None and alike(e):
        return (
            f"they are nearly all alike, {distance.value:.3g} from one another on average, "
            f"real ones {distance.floor:.3g}"
        )
    if covered and precise and narrow and precise.value > PRECISE * precise.floor:
        inside = "every mode is reached, but inside the modes " if e[REVERSE_KL] is not None else ""
        return (
            f"{inside}they come near {covered.value:.0%} of the real samples, where as "
            f"many real ones come near {covered.floor:.0%}"
        )
    return ""


def flaw(e: Evidence) -> str:
    """What is wrong where the samples lie where the data does, in words; empty if
    nothing is."""
    metric, covered, recall = e[SPREAD], e[COVERAGE], e[RECALL]
    if (
        metric is not None
        and not SPREAD_RANGE[0] * metric.floor <= metric.value <= SPREAD_RANGE[1] * metric.floor
    ):
        how = "narrow" if metric.value < metric.floor else "wide"
        return (
            f"they are too {how} inside the modes (spread {metric.value:.2f}, real ones "
            f"{metric.floor:.2f})"
        )
    if covered is not None and covered.value < SPARSE * covered.floor:
        return (
            f"they leave out part of its spread (they come near {covered.value:.0%} of the "
            f"real samples, real ones {covered.floor:.0%})"
        )
    if recall is not None and e.held_out >= RECALL_ROWS and recall.value < recall.floor - LOST:
        return (
            f"they leave out part of the data ({recall.value:.0%} of the real samples lie "
            "among them, "
            f"as many real ones hold {recall.floor:.0%})"
        )
    return f"not all do: {off_data(e)}" if off_data(e) else ""
