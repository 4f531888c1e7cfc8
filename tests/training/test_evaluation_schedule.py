"""The pace is a rule of counts: networks' multiplications by hand, and moments that
lengths alone decide."""

from __future__ import annotations

from dataclasses import replace

import torch
from tests.helpers import state_of

from equipoise.metrics.suites import MetricSuite
from equipoise.recipes.balanced import Balanced
from equipoise.training import evaluation_schedule
from equipoise.training.evaluation_schedule import Pace, images, multiplications

RECIPE = Balanced(batch_size=16, width=8)


class Counting(MetricSuite):
    def __init__(self) -> None:
        self.n, self.cost = 100, 5e3

    def measure(self, rows: object) -> dict[str, float]:
        raise AssertionError("the schedule computes no metrics")


def pace_of(recipe: Balanced = RECIPE) -> Pace:
    state = state_of(recipe)
    return Pace(state.method, Counting(), (1,), recipe.batch_size, False)


def linear(network: torch.nn.Module) -> float:
    return sum(
        float(layer.weight.numel())
        for layer in network.modules()
        if isinstance(layer, torch.nn.Linear)
    )


def test_multiplications_of_an_mlp_are_its_weights_and_counting_changes_nothing() -> None:
    state = state_of(RECIPE)
    before = {name: value.clone() for name, value in state.tensors().items()}
    g, d = multiplications(state.method, (1,), 16, False)
    assert (g, d) == (linear(state.generator), linear(state.discriminator))
    assert all(torch.equal(value, before[name]) for name, value in state.tensors().items())


def test_judging_is_counted_as_the_page_says() -> None:
    state = state_of(RECIPE)
    g, d = linear(state.generator), linear(state.discriminator)
    method = replace(state.method, discriminator_steps=5)
    trained = g + 6 * d + 3 * (g + d) / 5 + evaluation_schedule.STEP / 16
    assert Pace(method, Counting(), (1,), 16, False).judging == 100 * (g + 5e3) / trained


def test_longer_runs_are_judged_more_often_within_bounds() -> None:
    told = pace_of()
    times = [told.evaluations(horizon, 20) for horizon in (1, 10**4, 10**5, 10**9)]
    assert times[0] == evaluation_schedule.LEAST
    assert times[-1] == 20
    assert times == sorted(times)
    for horizon in (10**4, 10**5):
        spent = told.evaluations(horizon, 10**6) * told.judging / horizon
        assert (
            spent <= evaluation_schedule.JUDGING
            or told.evaluations(horizon, 10**6) == evaluation_schedule.LEAST
        )


def test_a_run_is_judged_so_often_and_at_its_end_whether_resumed_or_not() -> None:
    told, horizon = pace_of(), 10**5
    told.__dict__["judging"] = evaluation_schedule.JUDGING * horizon / 7.5  # pays for seven
    last, evaluated = 0, []
    for save in range(1, 21):
        if told.due(save / 20, last, horizon, 20):  # all it knows of the past is what the log has
            last = save * horizon // 20
            evaluated.append(save)
    assert len(evaluated) == 7
    assert evaluated[-1] == 20
    assert told.due(1.0, 0, horizon, 20)
    assert not told.due(1.0, horizon, horizon, 20)


def test_images_follow_the_steps() -> None:
    method = state_of(RECIPE).method
    of_steps = {n: images(method, 16, 16 * n) for n in (1, 1199, 1200, 2400, 6000, 10**6)}
    assert of_steps == {1: 1, 1199: 1, 1200: 2, 2400: 4, 6000: 10, 10**6: 10}
    assert images(method, 16, None) == 0
