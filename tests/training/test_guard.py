"""The guard goes back to the last good weights, with smaller steps, and not for ever."""

from __future__ import annotations

import torch
from tests.training.test_loop import state_of

from equipoise.recipes.balanced import Balanced
from equipoise.training.guard import ATTEMPTS, Guard
from equipoise.training.loop import Clock, Control, Finished, Recovered, Report, SaveDue, train
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

    state.optimize_generator = optimize  # type: ignore[method-assign]


def test_it_puts_back_weights_moments_and_average() -> None:
    state = state_of(RECIPE)
    guard = Guard(state)
    before = {name: tensor.clone() for name, tensor in state.weights().items()}
    spoil(state)
    guard.go_back()
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


def test_a_training_that_is_spoiled_once_goes_back_says_so_and_ends_well() -> None:
    state = state_of(RECIPE)
    spoiling(state, {50})
    events = list(train(state.method, state, Clock(state, 16 * 200, None), Control()))
    assert [event.what for event in events if isinstance(event, Recovered)] != []
    assert events[-1] == Finished("done")
    assert all(torch.isfinite(tensor).all() for tensor in state.weights().values())


def test_a_training_that_is_spoiled_again_and_again_ends_with_its_last_good_weights() -> None:
    state = state_of(RECIPE)
    spoiling(state, set(range(50, 1000)))
    events = list(train(state.method, state, Clock(state, 16 * 200, None), Control()))
    assert sum(isinstance(event, Recovered) for event in events) == ATTEMPTS + 1
    assert isinstance(events[-2], SaveDue)
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.diverged
    assert "is not finite after" in end.reason
    assert all(torch.isfinite(tensor).all() for tensor in state.weights().values())
    assert not any(isinstance(event, Report) for event in events[-3:])


def test_a_training_that_gave_up_and_is_resumed_has_new_attempts_and_ends_well() -> None:
    state = state_of(RECIPE)
    state.recoveries = ATTEMPTS + 1
    events = list(train(state.method, state, Clock(state, 16 * 20, None), Control()))
    assert events[-1] == Finished("done")


def test_the_count_is_part_of_the_state() -> None:
    state = state_of(RECIPE)
    state.recoveries = 2
    other = state_of(RECIPE)
    other.restore({name: tensor.clone() for name, tensor in state.tensors().items()}, state.scalars())
    assert other.recoveries == 2
