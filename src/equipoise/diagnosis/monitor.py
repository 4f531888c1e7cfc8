"""The watch: while a training runs, troubles are told as they begin, and when they are
over; and it is noticed when the headline no longer improves."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from statistics import median
from typing import Any

from equipoise.diagnosis.evidence import comparable_lines
from equipoise.diagnosis.missing import missing
from equipoise.diagnosis.symptoms import AT_FLOOR
from equipoise.metrics.result import REVERSE_KL

RECENT = 10  # reports, a tenth of a training, in which D is far ahead if their median is
WON, AHEAD, LEVEL = (
    0.995,
    0.9,
    0.8,
)  # D's balance from which it has won, is far ahead, and no longer is
BEGUN, FEW = (
    0.3,
    4,
)  # fraction of a training, and metrics, before which nothing that is missing is told
WORSE = 5.0  # times the best headline so far, from which a training is falling apart
WORSE_AHEAD = 2.5  # the same while D is far ahead
EARLY_STOPPING = "early_stopping"  # in a line of the log that says how a training goes on
PATIENCE, GAIN = (
    5,
    0.98,
)  # metrics in a row, none of which is below this much of the best before, after which it no longer improves


class Monitor:
    """Takes in what a training tells.

    `measure` gives the floors, the figures that real samples get from the same quick
    judge; it is asked when they are needed first, since it takes a moment.
    """

    def __init__(self, measure: Callable[[], Mapping[str, float]]) -> None:
        self._measure = measure
        self.best = float("inf")
        self.since = 0
        self._figures = 0
        self._floor_is_enough = True
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._now: set[str] = set()

    @cached_property
    def floors(self) -> Mapping[str, float]:
        """The figures of real samples."""
        return self._measure()

    @property
    def headline(self) -> str:
        """The name of the first figure, which decides."""
        return next(iter(self.floors))

    def replay(self, log: Sequence[Mapping[str, Any]]) -> None:
        """Take in what a training told before it was resumed, so that it goes on as if
        it had not been."""
        evaluated = len(log) - len(comparable_lines(log))
        for number, line in enumerate(log):
            if number >= evaluated and self.headline in line.get("metrics", {}):
                self.at_metrics(line["metrics"], BEGUN)
            elif "balance" in line:
                self.at_report(line)
            elif number >= evaluated and EARLY_STOPPING in line and "floors" not in line:
                self.begin_anew()

    def begin_anew(self) -> None:
        """The training is to be of another length, and patience begins anew. A floor
        that is reached already does not end it again."""
        self.since = 0
        self._floor_is_enough = self.best > self.floors[self.headline]

    @property
    def early_stopped(self) -> bool:
        """Whether the headline is at its floor, or has not improved for a while."""
        at_floor = self._floor_is_enough and self.best <= self.floors[self.headline]
        return at_floor or self.since >= PATIENCE

    def at_report(self, readings: Mapping[str, float]) -> str:
        """What a report shows, in a sentence; empty if it is nothing, or was told
        before and still holds."""
        if "balance" not in readings:
            return ""
        self._recent.append(readings["balance"])
        if len(self._recent) < RECENT:
            return ""
        balance = median(self._recent)
        right = f"it has been right about {balance:.1%} of what it saw lately"
        if balance >= WON:
            return self._begin(
                "won", f"the discriminator has won: {right}; the generator learns nothing"
            )
        if balance >= AHEAD:
            return self._begin(
                "ahead", f"the discriminator is far ahead: {right}; the generator learns little"
            )
        return (
            self._end("won", "ahead", sentence="the discriminator is no longer far ahead")
            if balance < LEVEL
            else ""
        )

    def at_metrics(self, metrics: Mapping[str, float], progress: float) -> str:
        """As `at_report`, of metrics taken after this fraction of the training."""
        headline = metrics[self.headline]
        self._figures += 1
        self.since = 0 if headline < GAIN * self.best else self.since + 1
        factor = WORSE_AHEAD if self._now & {"won", "ahead"} else WORSE
        worse = headline > max(factor * self.best, AT_FLOOR * self.floors[self.headline])
        said = (
            f"{self.headline} is {headline:.3g}, and was {self.best:.3g} before: training "
            "is falling apart"
        )
        self.best = min(self.best, headline)
        gone = missing(metrics, self.floors)
        if gone and progress >= BEGUN and self._figures >= FEW:
            return self._begin(
                "missing", f"part of the data is missing from the samples so far: {gone}"
            )
        if worse:
            return self._begin("worse", said)
        vague = missing(
            {**metrics, REVERSE_KL: math.inf}, self.floors
        )  # beside the modes, and not on them
        mended = (
            ""
            if vague
            else self._end("missing", sentence="the samples no longer miss any part of the data")
        )
        return mended or self._end(
            "worse", sentence=f"{self.headline} is {headline:.3g}, training has recovered"
        )

    def _begin(self, what: str, sentence: str) -> str:
        if what in self._now:
            return ""
        self._now.add(what)
        return sentence

    def _end(self, *what: str, sentence: str) -> str:
        """What is to be said where a trouble that was told is over."""
        told, self._now = self._now & set(what), self._now - set(what)
        return sentence if told else ""
