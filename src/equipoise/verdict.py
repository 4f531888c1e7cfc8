"""The verdict: from figures beside their floors to a plain sentence about how good the result is, and the one thing to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from equipoise.metrics.judges import Figure

Name = Literal["balanced", "close", "off", "mode collapse", "too little data"]
LEAST = 100  # held-out samples below which a floor is mostly luck
SPREAD = (0.7, 1.4)  # the spread inside modes, over that of real samples, that is not called a flaw
MISSING_SHARE = 0.02  # a digit with a smaller share is called missing; real digits have .09 to .11
AT_FLOOR, NEAR_FLOOR = 3.0, 10.0  # multiples of the headline's floor up to which the result is called balanced, and close


@dataclass(frozen=True)
class Verdict:
    """`name` in a word, `sentence` with the evidence, `advice` what to do next, in words."""

    name: Name
    sentence: str
    advice: str


def judge(figures: Sequence[Figure], recipe: str, default_recipe: str, n: int) -> Verdict:
    """The verdict on a run's figures, of which the first is the headline: the lower, the closer; what counts is how many times its floor
    it is.

    Modes or digits that are missing come before any distance: a collapsed generator can have a small one.
    """
    headline = figures[0]
    missing = _missing(figures)
    ratio = headline.value / headline.floor if headline.floor > 0 else float("inf")
    evidence = f"{headline.name} is {headline.value:.4g}, {_times(ratio)} what as many real samples get ({headline.floor:.4g})"
    if n < LEAST:
        sentence = f"{n} held-out samples are too few to tell good from bad: {evidence}."
        return Verdict("too little data", sentence, f"Next: evaluate against more data; {LEAST} held-out samples are the least.")
    if missing:
        advice = "train longer" if recipe == default_recipe else f"use the recipe {default_recipe}, which is made to keep every mode"
        return Verdict("mode collapse", f"Part of the data is missing from the samples: {missing}. {evidence}.", f"Next: {advice}.")
    flaw = _flaw(figures)
    if flaw and ratio <= NEAR_FLOOR:
        return Verdict(
            "close", f"The samples lie where the data does, but {flaw}. {evidence}.", "Next: train longer (resume with more samples)."
        )
    if ratio <= AT_FLOOR:
        return Verdict("balanced", f"The generator's law is all but the data's: {evidence}.", "Next: use it; sample as much as you like.")
    longer = "train longer (resume with more samples)" if recipe == default_recipe else f"use the recipe {default_recipe}, or train longer"
    if ratio <= NEAR_FLOOR:
        return Verdict(
            "close", f"The generator's law is close to the data's, with a difference that can be measured: {evidence}.", f"Next: {longer}."
        )
    return Verdict("off", f"The samples can be told from real ones: {evidence}.", f"Next: {longer}.")


def _missing(figures: Sequence[Figure]) -> str:
    """What is missing, in words; empty if nothing is."""
    for figure in figures:
        if figure.name.startswith("modes covered") and figure.value < figure.floor:
            return f"{figure.value:.0f} of {figure.floor:.0f} modes are covered"
    digits = [
        figure.name.removeprefix("share of ") for figure in figures if figure.name.startswith("share of ") and figure.value < MISSING_SHARE
    ]
    return f"hardly any {', '.join(digits)} among the digits" if digits else ""


def _flaw(figures: Sequence[Figure]) -> str:
    """What is wrong inside modes that are all there, in words; empty if nothing is."""
    for figure in figures:
        if figure.name == "spread inside modes" and not SPREAD[0] <= figure.value / figure.floor <= SPREAD[1]:
            how = "narrow" if figure.value < figure.floor else "wide"
            return f"they are too {how} inside the modes (spread {figure.value:.2f}, real ones {figure.floor:.2f})"
    return ""


def _times(ratio: float) -> str:
    return "as good as" if ratio <= 1 else f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"
