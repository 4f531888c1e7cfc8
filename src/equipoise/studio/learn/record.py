"""The record: what was measured, for the curves and for what only shows over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from statistics import median
from typing import Any

from equipoise.studio.learn.scene import Scene

RECENT = 60  # measurements that are looked back on
STEADY = 7  # measurements that a steady reading is the median of
MAX_CURVE = 600  # measurements of the curves; from then on every other one is kept
CURVES = ("steps", "discriminator_loss", "generator_loss", "balance", "divergence")
# By how many standard deviations the mean has to be on the other side to have turned.
TURN = 0.12


class Record:
    """The readings of one training.

    Args:
        scene: Of its data.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.curves: list[list[float | None]] = []
        """For each measurement the readings that `CURVES` names."""
        self.recent: deque[Mapping[str, Any]] = deque(maxlen=RECENT)
        self._every = self._skipped = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Look back no further than now: settings have changed. Curves go on."""
        self.recent.clear()
        self._turns: list[int] = []  # the steps at which the mean turned
        self._side, self._step = 0, -1

    def add(self, readings: Mapping[str, Any]) -> bool:
        """Take readings down, if there were steps since the last; return whether."""
        if readings["steps"] == self._step:
            return False
        self._step = readings["steps"]
        self._count_turn(readings)
        self.recent.append(readings)
        self._draw(readings)
        return True

    def lately(self) -> dict[str, float | None]:
        """The readings over time: steady ones, and turns since the last change of
        settings, in all and within the recent measurements."""
        first = self.recent[0]["steps"] if self.recent else 0
        return {
            "steady_ratio": self._steady("ratio"),
            "steady_missing": self._steady("missing"),
            "turns": len(self._turns),
            "turns_lately": sum(step > first for step in self._turns),
        }

    def _steady(self, name: str) -> float | None:
        """The median of the last measurements; None for too few."""
        values = [before[name] for before in self.recent if before[name] is not None][-STEADY:]
        return float(median(values)) if len(values) == STEADY else None

    def _count_turn(self, readings: Mapping[str, Any]) -> None:
        """Count a turn of the samples' mean to the other side of the data's, along the
        first axis."""
        off = (readings["mean"][0] - self.scene.mean[0]) / self.scene.std[0]
        side = 0 if abs(off) < TURN else 1 if off > 0 else -1
        if side and self._side and side != self._side:
            self._turns.append(readings["steps"])
        self._side = side or self._side

    def _draw(self, readings: Mapping[str, Any]) -> None:
        """Go on with the curves, half as densely each time there are too many."""
        self._skipped += 1
        if self._skipped > self._every:
            self._skipped = 0
            self.curves.append([readings[name] for name in CURVES])
        if len(self.curves) > MAX_CURVE:
            self.curves = self.curves[::2]
            self._every = 2 * self._every + 1
