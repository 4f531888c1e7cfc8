"""The record: turns of the mean, steady readings, and curves of bounded length."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.studio.learn.distributions import CHOICES
from equipoise.studio.learn.record import MAX_CURVE, STEADY, Record
from equipoise.studio.learn.scene import Scene
from equipoise.studio.learn.simulation import Setup, Simulation


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(Simulation(Setup(CHOICES["gaussian"])).source)


def readings(scene: Scene, step: int, off: float = 0.0, ratio: float = 1.0) -> dict[str, Any]:
    """Readings with the mean so many standard deviations off."""
    return {
        "steps": step,
        "mean": [scene.mean[0] + off * scene.std[0]],
        "ratio": ratio,
        "missing": None,
        "discriminator_loss": 1.0,
        "generator_loss": 1.0,
        "balance": 0.5,
        "divergence": 0.1,
    }


def test_the_mean_has_turned_only_when_it_is_clearly_on_the_other_side(scene: Scene) -> None:
    record = Record(scene)
    for step, off in enumerate((1, 1, 0.01, 1, -1, -0.01, -1, 1)):
        record.add(readings(scene, step, off))
    assert record.lately()["turns"] == 2
    record.begin_anew()
    assert record.lately()["turns"] == 0


def test_readings_without_a_step_are_not_taken_down(scene: Scene) -> None:
    record = Record(scene)
    assert record.add(readings(scene, 1))
    assert not record.add(readings(scene, 1))
    assert len(record.curves) == 1


def test_a_steady_reading_is_the_median_of_the_last_and_needs_enough_of_them(scene: Scene) -> None:
    record = Record(scene)
    for step in range(STEADY):
        assert record.lately()["steady_ratio"] is None
        record.add(readings(scene, step, ratio=100.0 if step == 3 else float(step)))
    assert record.lately()["steady_ratio"] == 4.0
    assert record.lately()["steady_missing"] is None


def test_curves_are_thinned_and_reach_from_the_first_step_to_the_last(scene: Scene) -> None:
    record = Record(scene)
    for step in range(5_000):
        record.add(readings(scene, step))
    steps = [row[0] or 0 for row in record.curves]
    assert len(steps) <= MAX_CURVE
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[-1] > 4_900
