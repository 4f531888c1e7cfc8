"""What follows from the length of a training, by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.recipes.balanced import Balanced
from equipoise.runs.settings import RunSettings
from equipoise.runtime.device_costs import COSTS
from equipoise.training.plan import FULL_SECONDS, Plan
from equipoise.training.workload import Line, PassCost, Workload
from equipoise.transforms.space import NetworkSpace

LINE = Schema((1,), "N", "float64")
NOTHING = PassCost(Line(0.0, 0.0), Line(0.0, 0.0), 0, convolves=False)
COSTS_OF_A_CALL = replace(COSTS["cpu"], call_seconds=1e-6)
# Of G and D for one of D's steps: 1,000 calls, a millisecond.
STEP = Workload(replace(NOTHING, calls=250), NOTHING, 0, 100, 1, has_penalty=False)


def plan(**run: Any) -> Plan:
    return Plan(Balanced(batch_size=100), RunSettings(**run), LINE, STEP, COSTS_OF_A_CALL)


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
def test_a_short_training_has_a_quick_report_by_default(
    run: dict[str, Any], evaluation: str
) -> None:
    assert plan(**run).evaluation == evaluation


def test_a_length_is_the_users_or_the_recipes() -> None:
    assert plan(samples=5).samples == 5
    assert plan(minutes=5).samples is None
    assert plan().samples == Balanced().default_samples(NetworkSpace.of(LINE))
    assert plan(minutes=5).seconds == 300
    assert plan(samples=100_000).seconds == pytest.approx(1.0)
    twice = replace(STEP, discriminator_steps=2)  # 1.25 ms for 200 samples
    assert replace(plan(samples=100_000), workload=twice).seconds == pytest.approx(0.625)


def test_a_report_of_another_kind_is_refused() -> None:
    with pytest.raises(
        RequestError, match="evaluate = 'fast': must be 'auto', 'full', 'quick' or 'none'"
    ):
        RunSettings(evaluate="fast")  # type: ignore[arg-type]
