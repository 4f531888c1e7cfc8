"""What a verdict is made of: figures beside their floors, the log's curves, and what
the run was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.metrics.c2st import MARGIN
from equipoise.metrics.intervals import equivalence_power
from equipoise.metrics.result import C2ST, PRECISION, RECALL, SPREAD, MetricResult

SPREAD_MARGIN = 0.1  # of the spread inside modes, over that of real samples, that does not matter
LOST = 0.05  # of precision and recall, below those of real samples, that does not matter
SHORT = 0.25  # share of the usual samples below which a run may simply need more
BEGUN = 0.01  # the same, below which the networks have hardly met
# The last third's best figure over the best before it, from which the figure is still
# falling.
IMPROVED = 0.9
ENOUGH_EVALUATIONS = 4  # metrics while training that show a trend
# Times the floor that as much training again must bring the headline to, for it to be
# advised.
CLOSE = 10.0


@dataclass(frozen=True)
class Evidence:
    """What the verdict is made of. `log` holds the run's lines as log.jsonl has them."""

    metrics: Sequence[MetricResult]
    log: Sequence[Mapping[str, Any]]
    held_out: int
    samples_seen: int
    usual_samples: int
    recipe: str
    latent_dim: int
    """Continuous numbers in a latent."""
    class_frequencies: tuple[float, ...]
    """Of the training data, for a generator that learned classes; empty for another."""
    data: str
    """As on the command line; empty for what cannot be typed there."""
    run: str | None
    """The run directory, if there is one."""
    early_stopping: bool = False
    """Whether half of what was held out is a validation split."""
    outliers: bool = False
    """Whether the data has rows so extreme that the others are not learned."""
    changed: tuple[str, ...] = ()
    """Settings of the recipe that are not its own for this data."""

    def __getitem__(self, name: str) -> MetricResult | None:
        return next((metric for metric in self.metrics if metric.name == name), None)

    @property
    def headline(self) -> MetricResult:
        return self.metrics[0]

    @property
    def ratio(self) -> float:
        """The headline over its floor; infinite where it is not finite, and where real
        samples get 0 and these more."""
        if not math.isfinite(self.headline.value):
            return math.inf
        if self.headline.value <= self.headline.floor:
            return 1.0
        return self.headline.value / self.headline.floor if self.headline.floor > 0 else math.inf

    @property
    def told(self) -> str:
        """The headline beside its floor, in words."""
        value, floor, c2st = self.headline.value, self.headline.floor, self[C2ST]
        found = (
            "; a newly trained classifier tells generated from real samples with "
            f"{c2st.value:.0%} accuracy (chance: 50%)"
            if c2st
            else ""
        )
        beside = f"{times(self.ratio)} the baseline of real samples ({floor:.4g})"
        if math.isinf(self.ratio):
            beside = f"where real samples get {floor:.4g}"
        return f"{self.headline.name} is {value:.4g}, {beside}{found}"

    @property
    def said(self) -> str:
        """The same as a sentence begins."""
        return self.told[:1].upper() + self.told[1:]

    @property
    def equivalent(self) -> bool:
        """Whether the samples were shown to be as good as real ones.

        That no test finds a difference does not show it: each test must have been able
        to. So the accuracy of the classifier two-sample test must be below .5 + MARGIN
        with its whole interval, the headline with its whole interval below what real
        samples get that were made 10% too narrow, precision and recall near those of
        real samples, and the spread inside known modes within 10% of the real one.
        """
        c2st, headline, spread = self[C2ST], self.headline, self[SPREAD]
        if c2st is None or c2st.high is None or c2st.high >= 0.5 + MARGIN:
            return False
        if headline.narrowed is not None and (
            headline.high is None or headline.high >= headline.narrowed
        ):
            return False
        balls = (self[name] for name in (PRECISION, RECALL))
        if any(found is not None and found.value < found.floor - LOST for found in balls):
            return False
        return spread is None or abs(spread.value - spread.floor) <= SPREAD_MARGIN * spread.floor

    @property
    def power(self) -> float:
        """The probability that the classifier two-sample test, on all held-out samples,
        shows a perfect sampler to be equivalent."""
        return equivalence_power(2 * max(self.held_out, 1), 0.5 + MARGIN)

    @property
    def recoveries(self) -> int:
        """How often training went back to the last good weights."""
        return sum("recovered" in line for line in self.log)

    def curve(self, reading: str) -> list[float]:
        """The values of a reading, in the order of the log."""
        return [line[reading] for line in self.log if isinstance(line.get(reading), int | float)]

    @property
    def headline_curve(self) -> list[float]:
        """The headline as it was taken while training."""
        return [value for _, value in self._evaluations]

    @property
    def last_third(self) -> tuple[list[float], list[float]]:
        """The headline as it was taken while training: in the first two thirds of the
        samples seen, and after."""
        cut = 2 / 3 * self.samples_seen
        return [v for seen, v in self._evaluations if seen <= cut], [
            v for seen, v in self._evaluations if seen > cut
        ]

    @property
    def _evaluations(self) -> list[tuple[int, float]]:
        """Samples seen, and the headline then."""
        # A run that early_stopped went back to its best.
        until = [
            line for line in comparable_lines(self.log) if line["samples_seen"] <= self.samples_seen
        ]
        evaluated = [
            (line["samples_seen"], line["metrics"])
            for line in until
            if isinstance(line.get("metrics"), dict)
        ]
        headlines = ((seen, values.get(self.headline.name, math.nan)) for seen, values in evaluated)
        return [(seen, value) for seen, value in headlines if not math.isnan(value)]

    @property
    def leap(self) -> tuple[float, float]:
        """The greatest rise of the headline while training, in proportion: the best
        value before it, and the value that it rose to."""
        best, worst = math.inf, (1.0, 1.0)
        for value in self.headline_curve:
            if best < math.inf and value * worst[0] > worst[1] * max(best, 1e-300):
                worst = best, value
            best = min(best, value)
        return worst

    @property
    def improving(self) -> bool:
        """Whether the headline's best value of the last third is clearly below all
        before it."""
        before, after = self.last_third
        return bool(before and after) and min(after) < IMPROVED * min(before)

    @property
    def evaluated_enough(self) -> bool:
        """Whether there were enough metrics while training for a trend."""
        return len(self.headline_curve) >= ENOUGH_EVALUATIONS

    @property
    def promising(self) -> bool:
        """Whether as much training again would bring the headline near its floor, if
        every third of it gains what the last third did."""
        if not self.improving:
            return False
        before, after = map(min, self.last_third)
        return self.ratio * (after / before) ** 3 <= CLOSE

    @property
    def early_stopped(self) -> bool:
        """Whether training stopped because the figure no longer improved."""
        return bool(self.log) and "early_stopped" in self.log[-1]

    @property
    def gave_up(self) -> str:
        """Why training ended before its time and could not go on; empty if it did not,
        or went on later."""
        return str(self.log[-1].get("diverged", "")) if self.log else ""

    @property
    def short(self) -> bool:
        """Whether the run has seen but a part of what runs of its kind usually see."""
        return self.samples_seen < SHORT * self.usual_samples

    @property
    def hardly_begun(self) -> bool:
        """Whether the run is too short for what its curves show to mean anything."""
        return self.samples_seen < BEGUN * self.usual_samples or (
            self.short and not self.evaluated_enough
        )


def comparable_lines(log: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The lines of a log with metrics that can be compared: those from its last
    baselines on. Before, a run that was resumed with or without early stopping took
    them on other samples."""
    last = max((number for number, line in enumerate(log) if "floors" in line), default=0)
    return log[last:]


def times(ratio: float) -> str:
    return (
        "as good as" if ratio <= 1 else f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"
    )
