"""The monitor: warns of faults while a training runs, when they begin and when they are
over, and says when the primary metric no longer improves."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from statistics import median
from typing import Any

from equipoise.diagnosis.evidence import comparable_lines
from equipoise.diagnosis.missing import missing
from equipoise.diagnosis.symptoms import CONVERGED_RATIO
from equipoise.metrics.modes import REVERSE_KL
from equipoise.metrics.registry import label_of

RECENT_REPORTS = 10  # a tenth of a training; their median balance counts
# D's balance: from where it has won, is far ahead, and below which it no longer is.
WON_BALANCE = 0.995
AHEAD_BALANCE = 0.9
LEVEL_BALANCE = 0.8
# Missing modes are not reported before this fraction of the training, and this many
# evaluations.
MIN_PROGRESS = 0.3
MIN_EVALUATIONS = 4
WORSE_RATIO = 5.0  # over the best primary metric so far: the training is falling apart
WORSE_RATIO_AHEAD = 2.5  # the same while D is far ahead
# Early stopping: after this many evaluations in a row, none of which is below this
# fraction of the best before.
PATIENCE = 5  # evaluations
MIN_GAIN = 0.98
EARLY_STOPPING = "early_stopping"  # in a line of the log that says how a training goes on


class Monitor:
    """Watches the reports and the evaluations of a training.

    Args:
        measure: Gives the baselines, the quick metrics of real samples by key, the
            primary one first. It is called when they are first needed, since it takes a
            moment.
        ends_level: Whether D ends a good training right about half of what it sees, so
            that it is a fault if it is far ahead.
    """

    def __init__(self, measure: Callable[[], Mapping[str, float]], ends_level: bool = True) -> None:
        self._measure, self._ends_level = measure, ends_level
        self.best: float = float("inf")
        self.without_gain: int = 0
        self._evaluations = 0
        self._baseline_is_enough = True
        self._recent: deque[float] = deque(maxlen=RECENT_REPORTS)
        self._current: set[str] = set()

    @cached_property
    def baselines(self) -> Mapping[str, float]:
        """The metrics of real samples by key."""
        return self._measure()

    @property
    def primary(self) -> str:
        """The key of the primary metric."""
        return next(iter(self.baselines))

    @property
    def faults(self) -> frozenset[str]:
        """The faults that were reported and are not over: "won" and "ahead" of D,
        "missing" of modes, "worse" of the primary metric."""
        return frozenset(self._current)

    def replay(self, log: Sequence[Mapping[str, Any]], horizon: int | None) -> None:
        """Take in the log of a training that is resumed.

        Args:
            log: Its lines.
            horizon: The samples that it was to see in all, as planned then; None where
                that was not known yet.
        """
        first = len(log) - len(comparable_lines(log))
        for number, line in enumerate(log):
            if number >= first and self.primary in line.get("metrics", {}):
                progress = line["samples_seen"] / horizon if horizon else 0.0
                self.at_metrics(line["metrics"], progress)
            elif "balance" in line:
                self.at_report(line)
            elif number >= first and EARLY_STOPPING in line and "baselines" not in line:
                self.begin_anew()

    def begin_anew(self) -> None:
        """The training is to be of another length, and patience begins anew. A baseline
        that is reached already does not end it again."""
        self.without_gain = 0
        self._baseline_is_enough = self.best > self.baselines[self.primary]

    @property
    def early_stopped(self) -> bool:
        """Whether the primary metric is at its baseline, or has stopped improving."""
        if not self._evaluations:  # as in a process that does not evaluate: measure nothing
            return False
        at_baseline = self._baseline_is_enough and self.best <= self.baselines[self.primary]
        return at_baseline or self.without_gain >= PATIENCE

    def at_report(self, readings: Mapping[str, float]) -> str:
        """Take in the readings of a report.

        Returns:
            A warning, or that a fault is over, in a sentence; empty if there is nothing
            new.
        """
        if "balance" not in readings or not self._ends_level:
            return ""
        self._recent.append(readings["balance"])
        if len(self._recent) < RECENT_REPORTS:
            return ""
        balance = median(self._recent)
        right = f"it has been right about {balance:.1%} of what it saw lately"
        if balance >= WON_BALANCE:
            return self._begin(
                "won", f"the discriminator has won: {right}; the generator learns nothing"
            )
        if balance >= AHEAD_BALANCE:
            return self._begin(
                "ahead", f"the discriminator is far ahead: {right}; the generator learns little"
            )
        return (
            self._end("won", "ahead", sentence="the discriminator is no longer far ahead")
            if balance < LEVEL_BALANCE
            else ""
        )

    def at_metrics(self, metrics: Mapping[str, float], progress: float) -> str:
        """Take in the metrics of an evaluation.

        Args:
            metrics: By key.
            progress: The fraction of the training that is done.

        Returns:
            As `at_report`.
        """
        value, label, best = metrics[self.primary], label_of(self.primary), self.best
        self._evaluations += 1
        self.without_gain = 0 if value < MIN_GAIN * best else self.without_gain + 1
        self.best = min(best, value)
        lacking = missing(metrics, self.baselines)
        if lacking and progress >= MIN_PROGRESS and self._evaluations >= MIN_EVALUATIONS:
            return self._begin(
                "missing", f"part of the data is missing from the samples so far: {lacking}"
            )
        ratio = WORSE_RATIO_AHEAD if self._current & {"won", "ahead"} else WORSE_RATIO
        if value > max(ratio * best, CONVERGED_RATIO * self.baselines[self.primary]):
            return self._begin(
                "worse",
                f"{label} is {value:.3g}, and was {best:.3g} before: training is falling apart",
            )
        # Samples beside the modes, and not on them, still miss them.
        blurred = missing({**metrics, REVERSE_KL.key: math.inf}, self.baselines)
        complete = "the samples no longer miss any part of the data"
        over = "" if blurred else self._end("missing", sentence=complete)
        return over or self._end(
            "worse", sentence=f"{label} is {value:.3g}, training has recovered"
        )

    def _begin(self, fault: str, sentence: str) -> str:
        """The sentence, if the fault was not reported yet."""
        if fault in self._current:
            return ""
        self._current.add(fault)
        return sentence

    def _end(self, *faults: str, sentence: str) -> str:
        """The sentence, if one of the faults was reported."""
        over, self._current = self._current & set(faults), self._current - set(faults)
        return sentence if over else ""
