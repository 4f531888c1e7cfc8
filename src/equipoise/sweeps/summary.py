"""The result of a sweep in plain words."""

from __future__ import annotations

import math
from collections import Counter

from equipoise.metrics.registry import label_of
from equipoise.sweeps.comparison import CONFIDENCE, Comparison, gain, mean_of, spread_of
from equipoise.sweeps.result import End, SweepResult
from equipoise.sweeps.storage import DEFAULT
from equipoise.utils.formatting import number

# Fraction of the search's gain from which "all of it" held.
ALL = 0.95
HEADLINES = {
    "better": "Better than the default",
    "no better": "No better than the default",
    "worse": "Worse than the default",
}


def headline(result: SweepResult) -> str:
    """The outcome in a few words."""
    if result.comparison is None:
        return "Not compared yet"
    return HEADLINES[result.comparison.verdict]


def sentences(result: SweepResult) -> list[str]:
    """What the search found, how much of it held on fresh seeds, the final figures and
    what they cannot tell."""
    said = [_of_search(result)]
    compared = result.comparison
    if compared is None:
        return said
    if not compared.best:
        return [*said, _of_default(compared)]
    return [*said, _held(result, compared), _figures(compared), _power(compared)]


def counts(result: SweepResult) -> str:
    """How many trials there were, and how they ended."""
    found = Counter(trial.end for trial in result.trials)
    shown: tuple[End, ...] = ("pruned", "diverged", "refused", "running")
    ends = ", ".join(f"{found[end]} {end}" for end in shown if found[end])
    return f"{len(result.trials)} trials" + (f", of which {ends}" if ends else "")


def _of_search(result: SweepResult) -> str:
    """The best trial beside the default."""
    best, default, name = result.best, result.default, label_of(result.config.metric)
    if best.is_default:
        return (
            f"In the search no setting had a lower {name} than the default, {number(best.score)}."
        )
    lower = gain(best.score, default.score)
    by = "" if math.isnan(lower) else f", {lower:.0%} lower"
    return (
        f"In the search trial {best.number} had the lowest {name}, {number(best.score)}; the "
        f"default had {number(default.score)}{by}. Each was trained once, and the best of many "
        "trials was lucky too."
    )


def _held(result: SweepResult, compared: Comparison) -> str:
    """How much of the search's gain there is on fresh seeds, by the same measure."""
    searched = gain(result.best.score, result.default.score)
    fresh = compared.gain_on_validation
    means = [number(mean_of(runs, "validation")) for runs in (compared.best, compared.default)]
    figures = f"{means[0]} against {means[1]} on average"
    start = f"With {compared.seeds} fresh seeds each, by the same measure: {figures}"
    if math.isnan(fresh) or math.isnan(searched) or searched <= 0:
        return f"{start}."
    if fresh <= 0:
        return f"{start}: nothing of the gain held, it was luck."
    if fresh >= ALL * searched:
        return f"{start}, {fresh:.0%} lower: the gain held."
    return (
        f"{start}, {fresh:.0%} lower: {fresh / searched:.0%} of the gain held, the rest was luck "
        "of the search."
    )


def _figures(compared: Comparison) -> str:
    """The final figures, on the test split."""
    parts = [
        f"{number(mean_of(runs, 'test'))} ± {number(spread_of(runs))}"
        for runs in (compared.best, compared.default)
    ]
    baselines = [run.baseline for run in compared.default if math.isfinite(run.baseline)]
    real = f"; real samples {number(sum(baselines) / len(baselines))}" if baselines else ""
    diverged = [
        f"; {count} of {compared.seeds} runs of the {name} setting diverged"
        for name, count in compared.diverged.items()
        if count
    ]
    return (
        f"On test data, which nothing was chosen by: best {parts[0]}, default {parts[1]} (mean "
        f"± standard deviation over seeds){real}{''.join(diverged)}."
    )


def _power(compared: Comparison) -> str:
    """The difference with its interval, and what so few seeds cannot tell."""
    mean, half, n = compared.mean_difference, compared.half_width, len(compared.differences)
    if n < 2:
        return "Too few runs of both settings are left to compare them."
    interval = f"{CONFIDENCE:.0%} interval {number(mean - half)} to {number(mean + half)}"
    reference = mean_of(compared.default, "test")
    relative = f" ({half / reference:.0%} of the default's)" if reference > 0 else ""
    return (
        f"Difference, seed by seed: {number(mean)}, {interval}. {n} seeds with this spread cannot "
        f"tell a difference of less than {number(half)}{relative} from none."
    )


def _of_default(compared: Comparison) -> str:
    """The figures of the default alone."""
    runs = compared.default
    diverged = compared.diverged[DEFAULT]
    more = f"; {diverged} of them diverged" if diverged else ""
    return (
        f"The default with {compared.seeds} fresh seeds, on test data: "
        f"{number(mean_of(runs, 'test'))} ± {number(spread_of(runs))} (mean ± standard deviation)"
        f"{more}."
    )
