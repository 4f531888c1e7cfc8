"""The twelve lessons: each sets something up, and has a goal that is checked.

A goal is a list of conditions on readings of the page, see `lab.Lab.readings`. The
words are in static/i18n, under "learn.lesson.NAME". They follow docs/what-is-a-gan.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from equipoise.studio.learn.simulation import Player

Value = float | str | None


@dataclass(frozen=True)
class Condition:
    """What a reading has to be."""

    reading: str
    at_least: float | None = None
    at_most: float | None = None
    equals: str | None = None

    def holds(self, readings: Mapping[str, Value]) -> bool:
        """Whether it is so now."""
        value = readings.get(self.reading)
        if value is None:
            return False
        if self.equals is not None:
            return value == self.equals
        assert not isinstance(value, str), "a text has equals"
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )


@dataclass(frozen=True)
class Lesson:
    """One lesson."""

    name: str
    section: int
    """Of docs/what-is-a-gan.md."""
    distribution: str
    goal: tuple[Condition, ...]
    recipe: str = "balanced"
    fields: Mapping[str, Any] = field(default_factory=dict)
    players: Player = "both"
    speed: int = 60
    """Steps a second."""
    discriminator_first: int = 0
    """Steps of D alone before the lesson begins."""
    steps_first: int = 0
    """Steps of both before the lesson begins."""
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """What the page needs."""
        return {
            "name": self.name,
            "section": self.section,
            "goal": [asdict(condition) for condition in self.goal],
        }


# The original game with networks that follow it quickly.
ORIGINAL: dict[str, Any] = {"real_label": 1.0, "learning_rate": 2e-3}
NO_BRAKE: dict[str, Any] = {"gamma": 0.0, "ema_half_life": 0, "beta1": 0.5, "learning_rate": 2e-3}

LESSONS = (
    Lesson(
        "two-players",
        1,
        "gaussian",
        (Condition("steady_ratio", at_most=3),),
        fields={"learning_rate": 1e-3},
        speed=20,
    ),
    Lesson(
        "turns",
        6,
        "gaussian",
        (Condition("by_hand_d", at_least=10), Condition("by_hand_g", at_least=10)),
        recipe="classic",
        fields=ORIGINAL,
    ),
    Lesson(
        "best-discriminator",
        3,
        "gaussian",
        (Condition("gap", at_most=0.06),),
        recipe="classic",
        fields=ORIGINAL,
        players="D",
    ),
    Lesson(
        "one-half",
        4,
        "gaussian",
        (Condition("balance_off", at_most=0.02), Condition("steady_ratio", at_most=3)),
        discriminator_first=150,
    ),
    Lesson(
        "weak-gradient",
        5,
        "two-bumps",
        (
            Condition("loss_of_g", equals="non-saturating"),
            Condition("pull", at_least=2),
        ),
        recipe="classic",
        fields={**ORIGINAL, "generator_loss": "minimax"},
        discriminator_first=400,
    ),
    Lesson(
        "circles",
        7,
        "gaussian",
        (Condition("gamma", at_most=0), Condition("turns", at_least=6)),
        fields={**NO_BRAKE, "gamma": 0.3},
    ),
    Lesson(
        "why-r1",
        8,
        "gaussian",
        (
            Condition("gamma", at_least=0.001),
            Condition("turns_lately", at_most=1),
            Condition("steady_ratio", at_most=3),
        ),
        fields=NO_BRAKE,
        steps_first=350,
    ),
    Lesson(
        "ema",
        8,
        "gaussian",
        (Condition("ema_half_life", at_least=1), Condition("steady_ratio", at_most=2.5)),
        fields={"ema_half_life": 0, "learning_rate": 1e-2},
        steps_first=200,
    ),
    Lesson(
        "collapse",
        8,
        "ring",
        (Condition("steps", at_least=600), Condition("steady_missing", at_least=5)),
        recipe="classic",
        fields=ORIGINAL,
        speed=200,
    ),
    Lesson(
        "pairs",
        8,
        "ring",
        (Condition("recipe", equals="balanced"), Condition("steady_missing", at_most=0)),
        recipe="classic",
        fields={**ORIGINAL, "discriminator_rate": 0.1},
        steps_first=450,
    ),
    Lesson(
        "right-moments",
        9,
        "two-bumps",
        (
            Condition("mean_off", at_most=0.1),
            Condition("std_off", at_most=0.1),
            Condition("ratio", at_least=5),
        ),
        recipe="classic",
        fields={**ORIGINAL, "learning_rate": 1e-3},
    ),
    Lesson(
        "clipping",
        7,
        "two-bumps",
        (
            Condition("recipe", equals="wgan-gp"),
            Condition("pull", at_least=0.2),
            Condition("steady_ratio", at_most=5),
        ),
        recipe="wgan",
        fields={"width": 32},
        steps_first=100,
    ),
)
