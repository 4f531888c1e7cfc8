"""The guard goes back to the last good weights, with smaller steps, a few times."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch
from tests.helpers import state_of
from torch import Tensor

from equipoise import GAN
from equipoise.recipes.balanced import Balanced
from equipoise.runs.directory import RunDirectory
from equipoise.training.events import Control, Finished, Recovered, Report, SaveDue
from equipoise.training.guard import MAX_ATTEMPTS, DivergedError, Guard
from equipoise.training.loop import Clock, train
from equipoise.training.state import Gradients, State

RECIPE = Balanced(batch_size=16, width=8)


def spoil(state: State) -> None:
    with torch.no_grad():
        next(state.generator.parameters()).view(-1)[0] = float("nan")


def spoiling(state: State, steps: set[int]) -> None:
    """G's weights become NaN after these of its steps."""
    learn, taken = state.optimize_generator, 0

    def optimize(gradients: Gradients) -> None:
        nonlocal taken
        taken += 1
        learn(gradients)
        if taken in steps:
            spoil(state)

    state.optimize_generator = optimize


def test_it_puts_back_weights_moments_and_average() -> None:
    state = state_of(RECIPE)
    guard = Guard(state)
    before = {name: tensor.clone() for name, tensor in state.weights().items()}
    spoil(state)
    guard.roll_back()
    assert all(torch.equal(before[name], tensor) for name, tensor in state.weights().items())
    assert state.recoveries == 1


def test_each_time_the_step_sizes_halve() -> None:
    state = state_of(RECIPE)
    rates = state.method.schedule(0.0)
    for recoveries in range(3):
        state.recoveries = recoveries
        state.apply(rates)
        assert state.optimizer_g.param_groups[0]["lr"] == rates.learning_rate / 2**recoveries
        assert state.optimizer_d.param_groups[0]["lr"] == rates.learning_rate / 2**recoveries


def test_a_training_with_one_bad_step_rolls_back_with_a_warning_and_ends_well() -> None:
    state = state_of(RECIPE)
    spoiling(state, {50})
    events = list(train(state, Clock(state, 16 * 200, None), Control()))
    assert [event.what for event in events if isinstance(event, Recovered)] != []
    assert events[-1] == Finished("done")
    assert all(torch.isfinite(tensor).all() for tensor in state.weights().values())


def first(tensors: Iterable[Tensor], value: float) -> None:
    with torch.no_grad():
        next(iter(tensors)).view(-1)[0] = value


TROUBLES: dict[str, Callable[[State], None]] = {
    "a weight of G": lambda state: first(state.generator.parameters(), math.inf),
    "a weight of D": lambda state: first(state.discriminator.parameters(), -math.inf),
    "a weight of the average": lambda state: first(state.ema.parameters(), math.nan),
    "a moment": lambda state: first(
        (moments["exp_avg_sq"] for moments in state.optimizer_g.state.values()), math.inf
    ),
    "samples, of weights that are finite": lambda state: first(
        list(state.generator.parameters())[-1:], 3e38
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_whatever_is_no_longer_finite_is_noticed_and_undone(trouble: str) -> None:
    state = state_of(RECIPE)
    learn, taken = state.optimize_generator, 0

    def optimize(gradients: Gradients) -> None:
        nonlocal taken
        taken += 1
        learn(gradients)
        if taken == 50:
            TROUBLES[trouble](state)

    state.optimize_generator = optimize
    events = list(train(state, Clock(state, 16 * 200, None), Control()))
    assert any(isinstance(event, Recovered) for event in events)
    assert events[-1] == Finished("done")
    assert state.recoveries >= 1
    assert all(torch.isfinite(tensor).all() for tensor in state.weights().values())


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_gradient_that_is_no_number_is_never_taken_for_zero(network: str) -> None:
    state = state_of(RECIPE)
    learn, taken = getattr(state, f"optimize_{network}"), 0

    def optimize(gradients: Gradients) -> None:
        nonlocal taken
        taken += 1
        learn(
            [torch.full_like(g, math.nan) if g is not None else None for g in gradients]
            if taken == 50
            else gradients
        )

    setattr(state, f"optimize_{network}", optimize)
    events = list(train(state, Clock(state, 16 * 200, None), Control()))
    assert [event.what for event in events if isinstance(event, Recovered)] != []
    assert events[-1] == Finished("done")


def test_a_diverging_training_ends_with_one_line_a_log_entry_and_a_verdict(
    tmp_path: Path,
) -> None:
    gan = GAN("classic", learning_rate=1e38, samples=6400, batch_size=16, width=8, threads=1)
    with (
        pytest.warns(
            UserWarning,
            match=r"was not finite after .* rolled back to the last good weights, with half",
        ) as caught,
        pytest.raises(
            DivergedError,
            match=r"nor after rolling back; the last good weights are in .*; try a lower",
        ),
    ):
        gan.fit("gaussian", out=tmp_path / "run")
    assert len([one for one in caught if "rolled back" in str(one.message)]) == MAX_ATTEMPTS + 1
    log = RunDirectory(tmp_path / "run").read_log(pytest.fail)
    assert sum("recovered" in line for line in log) == MAX_ATTEMPTS + 1
    assert "training diverged" in log[-1]["diverged"]
    assert GAN.load(tmp_path / "run").evaluate().verdict.name == "diverged"


def test_a_training_that_is_spoiled_again_and_again_ends_with_its_last_good_weights() -> None:
    state = state_of(RECIPE)
    spoiling(state, set(range(50, 1000)))
    events = list(train(state, Clock(state, 16 * 200, None), Control()))
    assert sum(isinstance(event, Recovered) for event in events) == MAX_ATTEMPTS + 1
    assert isinstance(events[-2], SaveDue)
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.diverged
    assert "is not finite after" in end.reason
    assert all(torch.isfinite(tensor).all() for tensor in state.weights().values())
    assert not any(isinstance(event, Report) for event in events[-3:])


def test_a_training_that_gave_up_and_is_resumed_has_new_attempts_and_ends_well() -> None:
    state = state_of(RECIPE)
    state.recoveries = state.attempts = MAX_ATTEMPTS + 1
    events = list(train(state, Clock(state, 16 * 20, None), Control()))
    assert events[-1] == Finished("done")
    assert (state.recoveries, state.attempts) == (MAX_ATTEMPTS + 1, 0)


def test_the_count_is_part_of_the_state() -> None:
    state = state_of(RECIPE)
    state.recoveries, state.attempts = 5, 2
    other = state_of(RECIPE)
    other.restore(
        {name: tensor.clone() for name, tensor in state.tensors().items()}, state.scalars()
    )
    assert (other.recoveries, other.attempts) == (5, 2)
    rates = other.method.schedule(0.0)
    other.apply(rates)
    assert other.optimizer_g.param_groups[0]["lr"] == rates.learning_rate / 2**5
