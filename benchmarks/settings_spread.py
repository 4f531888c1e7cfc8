"""How a method's results spread over settings: the figures and tables of
`benchmarks.settings`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.settings_draws import Settings
from equipoise.metrics.digit_frequencies import RECOGNISED, SMALLEST_FREQUENCY
from equipoise.metrics.frechet import DIGIT_FRECHET

COLLAPSED = 0.01  # frequency of the rarest digit below which a generator has collapsed
Quartiles = tuple[float, float, float]


@dataclass(frozen=True)
class Outcome:
    """What one training came to."""

    frechet: float
    """Infinite if the training diverged."""
    recognised: float
    rarest: float

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Outcome:
        """Of a finished run. One that failed, or whose distance is no number, counts as
        the worst."""
        figures = result.get("figures", {})
        frechet = figures.get(DIGIT_FRECHET.key, math.inf)
        if not math.isfinite(frechet):
            return cls(math.inf, 0.0, 0.0)
        return cls(frechet, figures[RECOGNISED.key], figures[SMALLEST_FREQUENCY.key])

    @property
    def failed(self) -> bool:
        """Whether the training diverged or the generator collapsed."""
        return self.rarest < COLLAPSED


@dataclass(frozen=True)
class Spread:
    """The outcomes of one recipe's settings."""

    recipe: str
    default: Outcome
    random: Sequence[Outcome]
    """Of random settings, at least one, by their numbers from 1."""

    @property
    def best(self) -> int:
        """The number of the random setting with the least distance, the first of
        several."""
        return 1 + int(np.argmin([outcome.frechet for outcome in self.random]))

    @property
    def frechet(self) -> Quartiles:
        """The quartiles of the distance over the random settings."""
        return quartiles([outcome.frechet for outcome in self.random])

    @property
    def recognised(self) -> Quartiles:
        return quartiles([outcome.recognised for outcome in self.random])


def quartiles(values: Sequence[float]) -> Quartiles:
    """The lower quartile, the median and the upper quartile. Between two values the one
    that is infinite counts."""
    low, middle, high = (_quantile(sorted(values), q) for q in (0.25, 0.5, 0.75))
    return low, middle, high


def _quantile(values: Sequence[float], q: float) -> float:
    place = q * (len(values) - 1)
    below, above = values[math.floor(place)], values[math.ceil(place)]
    return below if below == above else below + (place % 1) * (above - below)


def ordered(spreads: Iterable[Spread]) -> list[Spread]:
    """The most forgiving recipe first: by the median distance, then the default's."""
    return sorted(spreads, key=lambda spread: (spread.frechet[1], spread.default.frechet))


def spread_table(spreads: Iterable[Spread], real: Outcome) -> list[list[str]]:
    """A row for each recipe, and one of real digits."""
    parts = ("default", "best", "lower quartile", "median", "upper quartile")
    heads = ["recipe", "random settings", *(f"Fréchet, {part}" for part in parts)]
    heads += [f"recognised, {part}" for part in parts if part != "best"]
    rows = [[*heads, "diverged or collapsed"]]
    for spread in ordered(spreads):
        best = spread.random[spread.best - 1]
        failed = sum(outcome.failed for outcome in spread.random) / len(spread.random)
        rows.append(
            [
                spread.recipe,
                str(len(spread.random)),
                *map(distance, (spread.default.frechet, best.frechet, *spread.frechet)),
                *(f"{value:.3f}" for value in (spread.default.recognised, *spread.recognised)),
                f"{failed:.0%}",
            ]
        )
    blank = [""] * 4
    rows.append(
        ["real digits", "", distance(real.frechet), *blank, f"{real.recognised:.3f}", *blank]
    )
    return rows


Pair = tuple[Sequence[Outcome], Sequence[Outcome]]
"""The outcomes of the default and of the best random setting, one each seed."""


def confirmation_table(
    confirmed: Mapping[str, Pair], chosen: Mapping[str, tuple[int, Settings]]
) -> list[list[str]]:
    """The default beside the best random setting with fresh seeds.

    Args:
        confirmed: By the recipe.
        chosen: The number of the best random setting, and the setting.
    """
    heads = [
        f"{name}, {part}" for name in ("Fréchet", "recognised") for part in ("default", "best")
    ]
    rows = [["recipe", *heads, "the best setting"]]
    for recipe, pair in confirmed.items():
        number, settings = chosen[recipe]
        values = ", ".join(f"{name} {value}" for name, value in settings.items())
        rows.append(
            [
                recipe,
                *(", ".join(distance(outcome.frechet) for outcome in of) for of in pair),
                *(", ".join(f"{outcome.recognised:.3f}" for outcome in of) for of in pair),
                f"number {number}: {values}",
            ]
        )
    return rows


def distance(value: float) -> str:
    """A distance with three digits, or that there is none."""
    return f"{value:#.3g}".rstrip(".") if math.isfinite(value) else "diverged"
