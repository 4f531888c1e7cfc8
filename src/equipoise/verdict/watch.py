"""The watch: while a training runs, troubles are told as they happen, each once; and it is noticed when the figure no longer improves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from equipoise.verdict.diagnoses import AT_FLOOR
from equipoise.verdict.missing import missing

CERTAIN, CERTAIN_REPORTS = 0.995, 10  # D's balance from which, so many reports in a row, it has won
BEGUN, FEW = 0.3, 4  # share of a training, and figures, before which nothing that is missing is told
WORSE = 5.0  # times the best headline so far, from which a training is falling apart
PATIENCE, GAIN = 5, 0.98  # figures in a row, none of which is below this much of the best before, after which it no longer improves


class Watch:
    """Takes in what a training tells. `measure` gives the floors, the figures that real samples get from the same quick judge; it is asked
    when they are needed first, since it takes a moment."""

    def __init__(self, measure: Callable[[], Mapping[str, float]]) -> None:
        self._measure = measure
        self.best = float("inf")
        self.since = 0
        self._figures = 0
        self._recent: deque[float] = deque(maxlen=CERTAIN_REPORTS)
        self._told: set[str] = set()

    @cached_property
    def floors(self) -> Mapping[str, float]:
        """The figures of real samples."""
        return self._measure()

    @property
    def headline(self) -> str:
        """The name of the first figure, which decides."""
        return next(iter(self.floors))

    def replay(self, log: Sequence[Mapping[str, Any]]) -> None:
        """Take in what a training told before it was resumed, so that it goes on as if it had not been."""
        for line in log:
            if self.headline in line.get("metrics", {}):
                self.at_figures(line["metrics"], BEGUN)
            elif "balance" in line:
                self.at_report(line)

    @property
    def settled(self) -> bool:
        """Whether the headline is at its floor, or has not improved for a while."""
        return self.best <= self.floors[self.headline] or self.since >= PATIENCE

    def at_report(self, readings: Mapping[str, float]) -> str:
        """What a report shows, in a sentence; empty if it is nothing, or was told before."""
        if "balance" not in readings:
            return ""
        self._recent.append(readings["balance"])
        if len(self._recent) == CERTAIN_REPORTS and min(self._recent) >= CERTAIN:
            return self._once(
                "D", f"the discriminator has won: it has been right about {min(self._recent):.1%} of what it sees for a while"
            )
        return ""

    def at_figures(self, figures: Mapping[str, float], share: float) -> str:
        """As `at_report`, of figures taken after this share of the training."""
        headline = figures[self.headline]
        self._figures += 1
        self.since = 0 if headline < GAIN * self.best else self.since + 1
        worse = headline > max(WORSE * self.best, AT_FLOOR * self.floors[self.headline])
        self.best = min(self.best, headline)
        gone = missing(figures, self.floors)
        if gone and share >= BEGUN and self._figures >= FEW:
            return self._once("missing", f"mode collapse: {gone}")
        if worse:
            return self._once("worse", f"{self.headline} is {headline:.3g}, and was {self.best:.3g} before: training is falling apart")
        return ""

    def _once(self, what: str, sentence: str) -> str:
        if what in self._told:
            return ""
        self._told.add(what)
        return sentence
