"""Verdicts, and the advice that they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

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
FAULTS: frozenset[Name] = frozenset(
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
"""Verdicts on a training that failed, or stopped improving far from the data."""
HEALTHY: frozenset[Name] = frozenset(get_args(Name)) - FAULTS - {"undecided"}
"""Verdicts that name no fault, of data that is enough for a verdict."""


@dataclass(frozen=True)
class Verdict:
    """The result of a diagnosis."""

    name: Name
    sentence: str
    """The verdict with its evidence."""
    sure: Sure
    """Whether it is certain."""
    advice: str
    """The one thing to do next."""
    command: str = ""
    """The same as a command line; empty where there is none."""


def severity(verdict: Verdict) -> Severity:
    """How serious a verdict is.

    Returns:
        "good" for a result that has surely converged, "bad" for a fault, "fair" for the
        rest, which includes names that are not known here.
    """
    if verdict.name in FAULTS:
        return "bad"
    return "good" if verdict.name == "converged" and verdict.sure == "sure" else "fair"


def still_improving(e: Evidence, wrong: str = "") -> Verdict:
    """The verdict "still improving"; `wrong` is what is wrong so far, in words."""
    reason = (
        f"it has seen {e.samples_seen:,} samples, and runs of its kind usually see "
        f"{e.usual_samples:,}"
    )
    if e.improving:
        before, after = map(min, e.last_third)
        reason = (
            f"{e.primary.label} still falls, from {before:.4g} to {after:.4g} in the last "
            "third of the training"
        )
    so_far = f" So far {wrong}." if wrong else ""
    sentence = f"This is not the end: {reason}.{so_far} {e.summary_sentence}."
    return Verdict(
        "still improving", sentence, "sure" if e.improving else "likely", *train_longer(e)
    )


def train_longer(e: Evidence) -> tuple[str, str]:
    """Advice and command to train longer, with an estimate of the time."""
    # After early stopping the generator is an earlier one than where training ended.
    seen = max([e.samples_seen, *(line["samples_seen"] for line in e.log[-1:])])
    samples = max(2 * seen, e.usual_samples)
    resumes = bool(e.run and e.data)
    seconds = seconds_for(samples - seen if resumes else samples, e.log)
    time = "" if seconds is None else f", {about(seconds)} at the speed so far"
    if not resumes:
        return f"Next: train longer, with samples={samples:,}{time}.", ""
    return f"Next: train longer{time}.", f"equipoise train --resume {e.run} --samples {samples}"


def stabilise(e: Evidence) -> tuple[str, str]:
    """Advice and command to stabilise the training."""
    if e.recipe != DEFAULT:
        advice = f"Next: use the recipe {DEFAULT}, which is designed to stay in balance."
        return advice, train_command(e)
    if e.changed:
        return (
            f"Next: leave {', '.join(e.changed)} to the recipe, which has defaults for this data.",
            train_command(e),
        )
    return "Next: halve the learning rate, or give the networks more units with width.", ""


def use(e: Evidence) -> tuple[str, str]:
    """Advice and command to use the generator."""
    return (
        "Next: use it; sample as much as you like.",
        f"equipoise sample {e.run} -n 1000" if e.run else "",
    )


def recipe_option(e: Evidence) -> str:
    """The option for the run's recipe; empty for the default."""
    return "" if e.recipe == DEFAULT else f"--recipe {e.recipe} "


def train_command(e: Evidence, options: str = "") -> str:
    """The command to train anew on the same data; empty for data without a name."""
    return f"equipoise train {e.data} {options}".rstrip() if e.data else ""


def margin(metric: MetricResult, threshold: float) -> Sure:
    """How certain it is on which side of a threshold a metric is: "sure" if its whole
    interval lies on one side."""
    if metric.low is None or metric.high is None:
        return "likely"
    return "likely" if metric.low <= threshold <= metric.high else "sure"
