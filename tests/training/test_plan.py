"""What follows from the length of a training, by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.recipes.balanced import Balanced
from equipoise.runs.settings import RunSettings
from equipoise.training.memory import StepMemory
from equipoise.training.plan import FULL_SECONDS, Plan
from equipoise.transforms.space import NetworkSpace

LINE = Schema((1,), "N", "float64")
STEP = StepMemory((0.0,), (1.0,), 0.0, calls=250, flops=0.0)  # a millisecond


def plan(**run: Any) -> Plan:
    return Plan(Balanced(batch_size=100), RunSettings(**run), LINE, STEP)


@pytest.mark.parametrize(
    ("run", "evaluation"),
    [
        ({"samples": 100_000}, "quick"),  # a second
        ({"samples": int(FULL_SECONDS) * 100_000}, "full"),
        ({"minutes": 1}, "quick"),
        ({"minutes": 2}, "full"),
        ({}, "quick"),
        ({"minutes": 60, "evaluate": "none"}, "none"),
        ({"samples": 1, "evaluate": "full"}, "full"),
    ],
)
def test_a_short_training_has_a_quick_report_unless_the_user_says_otherwise(
    run: dict[str, Any], evaluation: str
) -> None:
    assert plan(**run).evaluation == evaluation


def test_a_length_is_the_users_or_the_recipes() -> None:
    assert plan(samples=5).samples == 5
    assert plan(minutes=5).samples is None
    assert plan().samples == Balanced().default_samples(NetworkSpace.of(LINE))
    assert plan(minutes=5).seconds == 300
    assert plan(samples=100_000).seconds == pytest.approx(1.0)
    twice = Balanced(batch_size=100, discriminator_steps=2)
    assert replace(plan(samples=100_000), recipe=twice).seconds == pytest.approx(0.5)


def test_a_report_of_another_kind_is_refused() -> None:
    with pytest.raises(
        RequestError, match="evaluate = 'fast': must be 'auto', 'full', 'quick' or 'none'"
    ):
        RunSettings(evaluate="fast")  # type: ignore[arg-type]
