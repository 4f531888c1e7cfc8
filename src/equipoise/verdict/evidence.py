"""What a verdict is made of: figures beside their floors, the log's curves, and what the run was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.metrics.figures import DETECTIVE, Figure

SHORT = 0.25  # share of the usual samples below which a run may simply need more
RECENT = 30  # lines of the log that the rate is taken from: a quarter of a training's
IMPROVED = 0.9  # the last third's best figure over the best before it, from which the figure is still falling


@dataclass(frozen=True)
class Evidence:
    """What the verdict is made of. `log` holds the run's lines as log.jsonl has them."""

    figures: Sequence[Figure]
    log: Sequence[Mapping[str, Any]]
    held_out: int
    samples_seen: int
    usual_samples: int
    recipe: str
    latent_dim: int
    """Continuous numbers in a latent."""
    class_shares: tuple[float, ...]
    """Of the training data, for a generator that learned classes; empty for another."""
    data: str
    """As on the command line; empty for what cannot be typed there."""
    run: str | None
    """The run directory, if there is one."""
    changed: tuple[str, ...] = ()
    """Settings of the recipe that are not its own for this data."""

    def __getitem__(self, name: str) -> Figure | None:
        return next((figure for figure in self.figures if figure.name == name), None)

    @property
    def headline(self) -> Figure:
        return self.figures[0]

    @property
    def ratio(self) -> float:
        """The headline over its floor; infinite where it is not finite, and where real samples get 0 and these more."""
        if not math.isfinite(self.headline.value):
            return math.inf
        if self.headline.value <= self.headline.floor:
            return 1.0
        return self.headline.value / self.headline.floor if self.headline.floor > 0 else math.inf

    @property
    def told(self) -> str:
        """The headline beside its floor, in words."""
        value, floor, detective = self.headline.value, self.headline.floor, self[DETECTIVE]
        found = (
            f"; a fresh detective is right about {detective.value:.0%} of unseen samples, where guessing is about 50%" if detective else ""
        )
        beside = f"{times(self.ratio)} what as many real samples get ({floor:.4g})"
        if math.isinf(self.ratio):
            beside = f"where as many real samples get {floor:.4g}"
        return f"{self.headline.name} is {value:.4g}, {beside}{found}"

    @property
    def recoveries(self) -> int:
        """How often training went back to the last good weights."""
        return sum("recovered" in line for line in self.log)

    def seconds_for(self, samples: int) -> float | None:
        """About how long so many samples more take, at the rate of the log's last lines.

        None where they do not tell.
        """
        lines = (line for line in self.log[-RECENT:] if "seconds" in line)
        recent = [(line["seconds"], line["samples_seen"]) for line in lines]
        if len(recent) < 2 or recent[-1][0] <= recent[0][0] or recent[-1][1] <= recent[0][1]:
            return None
        (began, first), (ended, last) = recent[0], recent[-1]
        return float(samples * (ended - began) / (last - first))

    def curve(self, reading: str) -> list[float]:
        """The values of a reading, in the order of the log."""
        return [line[reading] for line in self.log if isinstance(line.get(reading), int | float)]

    @property
    def headline_curve(self) -> list[float]:
        """The headline as it was taken while training."""
        return [value for _, value in self._judgements]

    @property
    def last_third(self) -> tuple[list[float], list[float]]:
        """The headline as it was taken while training: in the first two thirds of the samples seen, and after."""
        cut = 2 / 3 * self.samples_seen
        return [v for seen, v in self._judgements if seen <= cut], [v for seen, v in self._judgements if seen > cut]

    @property
    def _judgements(self) -> list[tuple[int, float]]:
        """Samples seen, and the headline then."""
        until = [line for line in self.log if line["samples_seen"] <= self.samples_seen]  # a run that settled went back to its best
        judged = [(line["samples_seen"], line["metrics"]) for line in until if isinstance(line.get("metrics"), dict)]
        return [(seen, values[self.headline.name]) for seen, values in judged if self.headline.name in values]

    @property
    def leap(self) -> tuple[float, float]:
        """The greatest rise of the headline while training, in proportion: the best value before it, and the value that it rose to."""
        best, worst = math.inf, (1.0, 1.0)
        for value in self.headline_curve:
            if best < math.inf and value * worst[0] > worst[1] * max(best, 1e-300):
                worst = best, value
            best = min(best, value)
        return worst

    @property
    def improving(self) -> bool:
        """Whether the headline's best value of the last third is clearly below all before it."""
        before, after = self.last_third
        return bool(before and after) and min(after) < IMPROVED * min(before)

    @property
    def settled(self) -> bool:
        """Whether training stopped because the figure no longer improved."""
        return bool(self.log) and "settled" in self.log[-1]

    @property
    def gave_up(self) -> str:
        """Why training ended before its time and could not go on; empty if it did not, or went on later."""
        return str(self.log[-1].get("diverged", "")) if self.log else ""

    @property
    def short(self) -> bool:
        """Whether the run has seen but a part of what runs of its kind usually see."""
        return self.samples_seen < SHORT * self.usual_samples


def times(ratio: float) -> str:
    return "as good as" if ratio <= 1 else f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"
