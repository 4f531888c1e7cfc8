"""What a verdict says, and the one thing that it tells to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.diagnosis.evidence import Evidence
from equipoise.diagnosis.timing import seconds_for
from equipoise.metrics.result import MetricResult
from equipoise.recipes import DEFAULT
from equipoise.utils.formatting import about

Name = Literal[
    "converged",
    "close",
    "still improving",
    "stalled",
    "mode collapse",
    "discriminator won",
    "generator won",
    "diverged",
    "memorising",
    "undecided",
    "labels ignored",
    "latent too small",
    "recovered from trouble",
]
Sure = Literal["sure", "likely"]
Severity = Literal["good", "fair", "bad"]
SICK: frozenset[str] = frozenset(
    {
        "stalled",
        "mode collapse",
        "discriminator won",
        "generator won",
        "diverged",
        "memorising",
        "labels ignored",
        "latent too small",
    }
)


@dataclass(frozen=True)
class Verdict:
    """`name` in a word or two, `sentence` with the evidence, `sure` how far to believe
    it, `advice` the one thing to do next, `command` the same as it is typed; empty
    where there is nothing to type."""

    name: Name
    sentence: str
    sure: Sure
    advice: str
    command: str = ""


def severity(verdict: Verdict) -> Severity:
    """How a verdict is to be taken.

    Returns:
        "good" for samples that are surely as good as can be, "bad" for a training that
        went wrong, or came to a stand far from the data, "fair" for all between, for
        what is not certain, and for names that are not known here.
    """
    if verdict.name in SICK:
        return "bad"
    return "good" if verdict.name == "converged" and verdict.sure == "sure" else "fair"


def longer(e: Evidence, also: str = "") -> Verdict:
    """Train on. `also` is what is wrong so far, in words."""
    how = (
        f"it has seen {e.samples_seen:,} samples, and runs of its kind usually see "
        f"{e.usual_samples:,}"
    )
    if e.improving:
        before, after = map(min, e.last_third)
        how = (
            f"{e.headline.name} still falls, from {before:.4g} to {after:.4g} in the last "
            "third of the training"
        )
    so_far = f" So far {also}." if also else ""
    sure: Sure = "sure" if e.improving else "likely"
    return Verdict(
        "still improving", f"This is not the end: {how}.{so_far} {e.said}.", sure, *on(e)
    )


def on(e: Evidence) -> tuple[str, str]:
    """To train longer, and about how long that takes; with another recipe, that."""
    samples = max(2 * e.samples_seen, e.usual_samples)
    resumes = bool(e.run and e.data)
    seconds = seconds_for(samples - e.samples_seen if resumes else samples, e.log)
    time = "" if seconds is None else f", {about(seconds)} at the speed so far"
    if not resumes:
        return f"Next: train longer, with samples={samples:,}{time}.", ""
    return f"Next: train longer{time}.", f"equipoise train --resume {e.run} --samples {samples}"


def steadier(e: Evidence) -> tuple[str, str]:
    """What helps where the networks are out of step."""
    if e.recipe != DEFAULT:
        return f"Next: use the recipe {DEFAULT}, which is made to stay in balance.", typed(e)
    if e.changed:
        return (
            f"Next: leave {', '.join(e.changed)} to the recipe, which knows what fits this data.",
            typed(e),
        )
    return "Next: halve the learning rate, or give the networks more units with width.", ""


def use(e: Evidence) -> tuple[str, str]:
    return (
        "Next: use it; sample as much as you like.",
        f"equipoise sample {e.run} -n 1000" if e.run else "",
    )


def recipe(e: Evidence) -> str:
    """The option that asks for the run's recipe."""
    return "" if e.recipe == DEFAULT else f"--recipe {e.recipe} "


def typed(e: Evidence, options: str = "") -> str:
    """A new training on the same data, as it is typed; empty where the data cannot be."""
    return f"equipoise train {e.data} {options}".rstrip() if e.data else ""


def margin(metric: MetricResult, threshold: float) -> Sure:
    """Sure where the interval lies on one side of the threshold."""
    if metric.low is None or metric.high is None:
        return "likely"
    return "likely" if metric.low <= threshold <= metric.high else "sure"
