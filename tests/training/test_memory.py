"""The footprint: what small batches say of large ones is exact, and what cannot fit is
refused before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.helpers import RECIPES, Answer

from equipoise.data.distributions import Gaussian
from equipoise.data.sources import DistributionSource, Source
from equipoise.errors import RequestError
from equipoise.recipes._building import build_method
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe
from equipoise.runtime.op_counter import Counting
from equipoise.training import memory
from equipoise.training.guard import Guard
from equipoise.training.memory import (
    CALL_SECONDS,
    FLOPS,
    StandIn,
    StepMemory,
    predict,
    step_memory,
    trace,
)
from equipoise.training.state import State
from equipoise.training.step import adversarial_step
from equipoise.transforms.scaling import fit_scaling

CPU = torch.device("cpu")
GIB = 2**30


@pytest.mark.parametrize(("recipe", "source"), RECIPES)
def test_steps_on_small_batches_tell_the_bytes_of_a_large_one(
    recipe: Recipe, source: Source
) -> None:
    scaling = fit_scaling(source, recipe.scaling, 0)
    told = step_memory(recipe, source.schema, scaling, CPU, workspace=1.0)
    assert told.at(recipe.batch_size) == max(trace(recipe, source.schema, scaling, CPU)[0])


def test_the_second_step_holds_what_all_later_ones_do() -> None:
    source = DistributionSource(Gaussian())
    recipe, scaling = Balanced(batch_size=16, width=8), fit_scaling(source, "standard", 0)
    count, peaks = Counting(), []
    with count:
        loader = StandIn(source.schema, 16, scaling, CPU)
        state = State(build_method(recipe, source.schema, 0), recipe, loader, 0, CPU)
        adversarial_step(state.method, state, recipe.schedule(0))
        guard = Guard(state)
        guard.keep()
        for _ in range(3):
            before = len(count.trace)
            adversarial_step(state.method, state, recipe.schedule(0))
            peaks.append(max(count.trace[before:]))
    assert guard.before
    assert peaks[0] == peaks[1] == peaks[2]
    assert step_memory(recipe, source.schema, scaling, CPU, workspace=1.0).at(16) == peaks[0]


def test_what_is_kept_is_weights_gradients_moments_average_and_the_guards_copies() -> None:
    source = DistributionSource(Gaussian())
    recipe = Balanced(width=64)
    method = build_method(recipe, source.schema, 0)
    g, d = (
        sum(p.numel() for p in network.parameters()) * 4
        for network in (method.generator, method.discriminator)
    )
    told = step_memory(recipe, source.schema, fit_scaling(source, "standard", 0), CPU)
    assert told.kept == pytest.approx(
        13 * g + 10 * d, rel=0.01
    )  # and the optimisers' counts of steps


def test_the_workspace_is_a_multiple_of_what_a_step_makes_on_the_way() -> None:
    source = DistributionSource(Gaussian())
    scaling = fit_scaling(source, "standard", 0)
    once, twice = (
        step_memory(Balanced(), source.schema, scaling, CPU, workspace) for workspace in (1.0, 2.0)
    )
    for size in (10, 10_000):
        assert twice.at(size) - twice.kept == pytest.approx(
            2 * (once.at(size) - once.kept), rel=0.01
        )  # a batch that waits is held too


def test_the_largest_batch_is_the_last_that_fits_the_highest_line() -> None:
    step = StepMemory(
        fixed=(100.0, 0.0, 90.0), each=(1.0, 3.0, 0.0), kept=90.0, calls=1000, flops=7e6
    )
    assert [step.at(size) for size in (0, 50, 100)] == [100, 150, 300]
    assert [step.largest(free) for free in (99, 100, 149, 150, 300, 302, 303)] == [
        0,
        0,
        49,
        50,
        100,
        100,
        101,
    ]


def test_a_steps_time_is_that_of_its_calls_and_its_arithmetic() -> None:
    step = StepMemory(fixed=(0.0,), each=(0.0,), kept=0.0, calls=1000, flops=7e6)
    assert step.seconds(100, threads=1) == pytest.approx(1000 * CALL_SECONDS + 100 * 7e6 / FLOPS)
    assert step.seconds(100, threads=4) == pytest.approx(
        1000 * CALL_SECONDS + 100 * 7e6 / FLOPS / 2
    )


def free(monkeypatch: pytest.MonkeyPatch, amount: int | None) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: amount)


def test_a_batch_that_cannot_fit_is_refused_with_the_largest_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = DistributionSource(Gaussian())
    scaling = fit_scaling(source, "standard", 0)
    free(monkeypatch, GIB)
    with pytest.raises(
        RequestError,
        match=r"^batch_size = 10000000 needs about \d+\.\d GiB of memory, and 1\.0 GiB are free: ",
    ) as refused:
        predict(source, Balanced(batch_size=10_000_000), scaling, CPU)
    most = int(str(refused.value).split()[-1])
    assert "\n" not in str(refused.value)
    assert predict(source, Balanced(batch_size=most), scaling, CPU).needed(most) <= GIB
    with pytest.raises(RequestError, match=f"give at most {most}"):
        predict(source, Balanced(batch_size=most + 1), scaling, CPU)


def test_networks_that_cannot_fit_are_refused_before_their_weights_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = DistributionSource(Gaussian())
    free(monkeypatch, GIB)
    with pytest.raises(
        RequestError,
        match=r"^balanced's networks need more than \d+\.\d GiB of memory, and 1\.0 GiB are "
        r"free: give smaller",
    ):
        predict(source, Balanced(width=1_000_000), fit_scaling(source, "standard", 0), CPU)


def test_networks_that_leave_no_batch_its_room_are_refused_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = DistributionSource(Gaussian())
    free(monkeypatch, 1_000_000)  # more than five times the weights, less than all that is kept
    with pytest.raises(RequestError, match="give smaller networks, or free some"):
        predict(source, Balanced(width=128), fit_scaling(source, "standard", 0), CPU)


def test_where_it_is_not_known_what_is_free_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = DistributionSource(Gaussian())
    free(monkeypatch, None)
    assert (
        predict(source, Balanced(batch_size=10**9), fit_scaling(source, "standard", 0), CPU).needed(
            10**9
        )
        > 1000 * GIB
    )


def test_predicting_draws_nothing_that_a_training_draws() -> None:
    source = DistributionSource(Gaussian())
    before = torch.get_rng_state()
    predict(source, Balanced(), fit_scaling(source, "standard", 0), CPU)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.usefixtures("here")
def test_a_refused_batch_leaves_nothing_on_disk(
    command: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, GIB)
    np.save("x.npy", np.arange(2_000_000, dtype=np.float32))
    answer = command("train", "x.npy", "--batch-size", "1500000", "--out", "run")
    assert answer.status == 2
    assert "batch_size = 1500000 needs about" in answer.err
    assert not Path("run").exists()
