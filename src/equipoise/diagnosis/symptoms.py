"""Symptoms: what can be wrong with samples, in words, by metrics beside their
baselines."""

from __future__ import annotations

from equipoise.diagnosis.evidence import RECALL_MARGIN, Evidence
from equipoise.diagnosis.missing import MAX_NAME, missing
from equipoise.errors import clipped
from equipoise.metrics.c2st import C2ST_ACCURACY
from equipoise.metrics.diversity import MEAN_PAIRWISE_DISTANCE
from equipoise.metrics.mmd import PHOTO_KERNEL
from equipoise.metrics.modes import MODE_SPREAD, REVERSE_KL
from equipoise.metrics.neighbours import COVERAGE, PRECISION, RECALL
from equipoise.metrics.result import MetricResult
from equipoise.metrics.series.autocorrelation import AUTOCORRELATION, SQUARED
from equipoise.metrics.series.cross_correlation import CROSS_CORRELATION
from equipoise.metrics.tables.two_sample import C2ST_AUC

# Multiples of the primary metric's baseline up to which a result is converged, close.
CONVERGED_RATIO = 3.0
CLOSE_RATIO = 10.0
MODE_SPREAD_RANGE = (0.7, 1.4)  # over that of real samples; outside it is a flaw
# Fractions of the baseline, the metric of real samples.
COLLAPSED_COVERAGE = 0.5  # of coverage; below, part of the data is missing if precision is high
SPARSE_COVERAGE = 0.7  # below, something is missing that the distance does not show
HIGH_PRECISION = 0.75  # from here the samples lie where the data does
# Coverage whose whole interval is this much below its baseline, which varies between
# draws of real samples, leaves something out.
COVERAGE_SCATTER = 0.01
IDENTICAL_DISTANCE = 0.3  # of the mean distance; below, the samples are nearly identical
MIN_IDENTICAL_SAMPLES = 5  # of two, both may show the same digit by chance
# C2ST accuracies.
DISTINCT_ACCURACY = 0.6  # from here samples that lie off the data are far from it
CERTAIN_ACCURACY = 0.95  # from here they are far from it even near the baseline
# C2ST ROC AUC from which rows of a table are far from the data: with every column right
# and independent of the others Adult has .99, with one of 15 so .94, trained .5 to .75.
FAR_AUC = 0.85
# Kernel distance of photographs from which they are far. The baseline of their Fréchet
# distance is mostly the bias of few images, so multiples of it say little. This
# distance has no bias. CIFAR-10's own images, each pixel the mean of 3 x 3, have .145,
# moved 30% towards the mean .027, as they are 0 (benchmarks.power).
FAR_KERNEL = 0.1
SHOWN_COLUMNS = 2  # of those that are off
MIN_RECALL_ROWS = 1_000  # held-out samples; recall is then off by less than RECALL_MARGIN


def far(e: Evidence) -> bool:
    """Whether samples clearly differ from the data: by the primary metric, of photos by
    the kernel distance, by a certain classifier, or because many lie off the data and a
    classifier finds them."""
    c2st, auc, kernel = e[C2ST_ACCURACY], e[C2ST_AUC], e[PHOTO_KERNEL]
    if e.baseline_ratio > CLOSE_RATIO or (auc is not None and auc.value >= FAR_AUC):
        return True
    if kernel is not None and kernel.value >= FAR_KERNEL:
        return True
    if c2st is None:
        return False
    certain = (
        e.baseline_ratio > CONVERGED_RATIO and c2st.low is not None and c2st.low >= CERTAIN_ACCURACY
    )
    return certain or (bool(off_data(e)) and c2st.value >= DISTINCT_ACCURACY)


def obvious(e: Evidence) -> bool:
    """Whether something is wrong that even few held-out samples show."""
    c2st = e[C2ST_ACCURACY]
    distinct = c2st is not None and c2st.low is not None and c2st.low > DISTINCT_ACCURACY
    return distinct or e.baseline_ratio > CLOSE_RATIO or nearly_identical(e)


def nearly_identical(e: Evidence) -> bool:
    """Whether the samples are nearly all the same."""
    distance = e[MEAN_PAIRWISE_DISTANCE]
    return (
        distance is not None
        and (distance.n_samples is None or distance.n_samples >= MIN_IDENTICAL_SAMPLES)
        and distance.value < IDENTICAL_DISTANCE * distance.baseline
    )


def off_data(e: Evidence) -> str:
    """How many samples lie where the data does, in words; empty if hardly fewer than of
    real ones."""
    precision = e[PRECISION]
    if precision is None or precision.value >= HIGH_PRECISION * precision.baseline:
        return ""
    of_real = f"of real ones {precision.baseline:.0%}"
    return f"{precision.value:.0%} of them lie where the data does, {of_real}"


def collapse(e: Evidence) -> str:
    """What the samples lack of the data's variety, in words; empty if nothing."""
    found = missing(
        {metric.key: metric.value for metric in e.metrics},
        {metric.key: metric.baseline for metric in e.metrics},
    )
    if found:
        return found
    if e.missing_categories:
        first, *others = e.missing_categories
        more = f", and {len(others)} more categories are missing" if others else ""
        return f"hardly any of them have {first}{more}"
    if (distance := e[MEAN_PAIRWISE_DISTANCE]) is not None and nearly_identical(e):
        return (
            f"they are nearly identical, {distance.value:.3g} from one another on average, "
            f"real ones {distance.baseline:.3g}"
        )
    covered, precision = e[COVERAGE], e[PRECISION]
    if (
        covered
        and precision
        and covered.value < COLLAPSED_COVERAGE * covered.baseline
        and precision.value > HIGH_PRECISION * precision.baseline
    ):
        inside = "every mode is reached, but inside the modes " if e[REVERSE_KL] is not None else ""
        return (
            f"{inside}they come near {covered.value:.0%} of the real samples, while "
            f"as many real ones come near {covered.baseline:.0%}"
        )
    return ""


def _surely_below(coverage: MetricResult) -> bool:
    """Whether the whole interval of coverage is below its baseline."""
    return coverage.high is not None and coverage.high < coverage.baseline - COVERAGE_SCATTER


def columns_off(e: Evidence) -> str:
    """Which columns of a table are off, in words; empty if none is."""
    off = e.columns_off
    if not off:
        return ""
    named = [
        f"{clipped(repr(shape.detail), MAX_NAME)} ({shape.value:.2f}, {shape.baseline:.2f} with "
        "other real rows)"
        for shape in off[:SHOWN_COLUMNS]
    ]
    more = f" and {len(off) - len(named)} more" if len(off) > len(named) else ""
    if len(off) == 1:
        return f"the shape of one column is off: {named[0]}"
    return f"the shapes of {len(off)} columns are off: {', '.join(named)}{more}"


def order_off(e: Evidence) -> str:
    """What is off in the order of windows of series, in words; empty if nothing is."""
    off = e.correlations_off
    if not off:
        return ""
    means = {
        AUTOCORRELATION.key: "their autocorrelations",
        SQUARED.key: "the autocorrelations of their squares",
        CROSS_CORRELATION.key: "the correlations between channels",
    }
    named = [
        f"{means[found.key]} ({found.value:.2f} on average, {found.baseline:.2f} between real "
        "windows)"
        for found in off
    ]
    return f"the order in time is off by {' and '.join(named)}"


def flaw(e: Evidence) -> str:
    """What is wrong with samples near the data, in words; empty if nothing is."""
    if off := columns_off(e) or order_off(e):
        return off
    spread, covered, recall = e[MODE_SPREAD], e[COVERAGE], e[RECALL]
    low, high = MODE_SPREAD_RANGE
    if spread is not None and not low * spread.baseline <= spread.value <= high * spread.baseline:
        how = "narrow" if spread.value < spread.baseline else "wide"
        return (
            f"they are too {how} inside the modes (spread {spread.value:.2f}, real ones "
            f"{spread.baseline:.2f})"
        )
    if covered is not None and (
        covered.value < SPARSE_COVERAGE * covered.baseline or _surely_below(covered)
    ):
        return (
            f"they leave out part of its spread (they come near {covered.value:.0%} of the "
            f"real samples, real ones {covered.baseline:.0%})"
        )
    if (
        recall is not None
        and e.held_out >= MIN_RECALL_ROWS
        and recall.value < recall.baseline - RECALL_MARGIN
    ):
        return (
            f"they leave out part of the data ({recall.value:.0%} of the real samples lie "
            f"among them, {recall.baseline:.0%} among as many real ones)"
        )
    return f"not all do: {off_data(e)}" if off_data(e) else ""
