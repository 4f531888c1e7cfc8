"""The footprint: what small batches say of large ones is exact, and what cannot fit is
refused before anything is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers import RECIPES, Answer, workload_for

from equipoise import GAN
from equipoise.data.distributions import Gaussian
from equipoise.data.sources import DistributionSource, Source
from equipoise.errors import RequestError
from equipoise.recipes._building import build_method
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe
from equipoise.runtime.device_costs import costs_of
from equipoise.runtime.op_counter import OpCounter
from equipoise.training import memory
from equipoise.training.guard import Guard
from equipoise.training.memory import (
    StepMemory,
    ZeroLoader,
    check_memory,
    check_networks_fit,
    predict,
    step_memory,
    trace,
)
from equipoise.training.state import State
from equipoise.training.step import adversarial_step
from equipoise.transforms.fitting import fit_chain

CPU = torch.device("cpu")
GIB = 2**30


@pytest.mark.parametrize(("recipe", "source"), RECIPES)
def test_steps_on_small_batches_tell_the_bytes_of_a_large_one(
    recipe: Recipe, source: Source
) -> None:
    transform = fit_chain(source, recipe.scaling, 0, 0, 0)
    predicted = step_memory(recipe, source.schema, transform, CPU, workspace=1.0)
    assert predicted.at(recipe.batch_size) == max(trace(recipe, source.schema, transform, CPU)[0])


def test_the_second_step_holds_what_all_later_ones_do() -> None:
    source = DistributionSource(Gaussian())
    recipe, transform = Balanced(batch_size=16, width=8), fit_chain(source, "standard", 0, 0, 0)
    count, peaks = OpCounter(), []
    with count:
        loader = ZeroLoader(source.schema, 16, transform, CPU)
        state = State(build_method(recipe, source.schema, 0), recipe, loader, 0, CPU)
        adversarial_step(state, recipe.schedule(0))
        guard = Guard(state)
        guard.keep()
        for _ in range(3):
            before = len(count.trace)
            adversarial_step(state, recipe.schedule(0))
            peaks.append(max(count.trace[before:]))
    assert guard.older
    assert peaks[0] == peaks[1] == peaks[2]
    assert step_memory(recipe, source.schema, transform, CPU, workspace=1.0).at(16) == peaks[0]


def test_persistent_memory_is_weights_gradients_moments_ema_and_the_guards_copies() -> None:
    source = DistributionSource(Gaussian())
    recipe = Balanced(width=64)
    method = build_method(recipe, source.schema, 0)
    g, d = (
        sum(p.numel() for p in network.parameters()) * 4
        for network in (method.generator, method.discriminator)
    )
    predicted = step_memory(recipe, source.schema, fit_chain(source, "standard", 0, 0, 0), CPU)
    assert predicted.persistent == pytest.approx(
        13 * g + 10 * d, rel=0.01
    )  # and the optimisers' counts of steps


def test_the_workspace_is_a_multiple_of_what_a_step_makes_on_the_way() -> None:
    source = DistributionSource(Gaussian())
    transform = fit_chain(source, "standard", 0, 0, 0)
    once, twice = (
        step_memory(Balanced(), source.schema, transform, CPU, workspace)
        for workspace in (1.0, 2.0)
    )
    for size in (10, 10_000):
        assert twice.at(size) - twice.persistent == pytest.approx(
            2 * (once.at(size) - once.persistent), rel=0.01
        )  # a batch that waits is held too


def test_the_largest_batch_is_the_last_that_fits_the_highest_line() -> None:
    step = StepMemory(fixed=(100.0, 0.0, 90.0), each=(1.0, 3.0, 0.0), persistent=90.0)
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


def free(monkeypatch: pytest.MonkeyPatch, amount: int | None) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: amount)


def check(source: Source, recipe: Recipe) -> None:
    """What a start asks of the memory, in its order."""
    check_networks_fit(recipe, source.schema, CPU)
    method = build_method(recipe, source.schema, 0)
    workload = workload_for(method, recipe, source.schema)
    check_memory(source, recipe, fit_chain(source, recipe.scaling, 0, 0, 0), CPU, workload)


def test_a_batch_that_cannot_fit_is_refused_with_the_largest_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = DistributionSource(Gaussian())
    transform = fit_chain(source, "standard", 0, 0, 0)
    free(monkeypatch, GIB)
    with pytest.raises(
        RequestError,
        match=r"^batch_size = 10000000 needs about \d+\.\d GiB of memory, and 1\.0 GiB are free: ",
    ) as refused:
        check(source, Balanced(batch_size=10_000_000))
    most = int(str(refused.value).split()[-1])
    assert "\n" not in str(refused.value)
    assert predict(source, Balanced(batch_size=most), transform, CPU).needed(most) <= GIB
    check(source, Balanced(batch_size=most))
    with pytest.raises(RequestError, match=f"give at most {most}"):
        check(source, Balanced(batch_size=most + 1))


def test_processes_have_a_part_of_the_batch_each() -> None:
    source = DistributionSource(Gaussian())
    transform = fit_chain(source, "standard", 0, 0, 0)
    whole = predict(source, Balanced(batch_size=10_000), transform, CPU)
    free = whole.needed(6_000) + 1
    with pytest.raises(RequestError, match=r"batch_size = 10000 .*: give at most 6000$"):
        predict(source, Balanced(batch_size=10_000), transform, CPU, free)
    predict(source, Balanced(batch_size=12_000), transform, CPU, free, processes=2)
    with pytest.raises(RequestError, match=r"batch_size = 14000 .*: give at most 12000$"):
        predict(source, Balanced(batch_size=14_000), transform, CPU, free, processes=2)


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
        check(source, Balanced(width=1_000_000))


def test_networks_that_leave_no_batch_its_room_are_refused_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = DistributionSource(Gaussian())
    free(monkeypatch, 1_000_000)  # more than five times the weights, less than all that is kept
    with pytest.raises(RequestError, match="give smaller networks, or free some"):
        check(source, Balanced(width=128))


def test_where_it_is_not_known_what_is_free_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = DistributionSource(Gaussian())
    free(monkeypatch, None)
    check(source, Balanced(batch_size=10**9))
    found = predict(source, Balanced(batch_size=10**9), fit_chain(source, "standard", 0, 0, 0), CPU)
    assert found.needed(10**9) > 1000 * GIB


def test_predicting_draws_nothing_that_a_training_draws() -> None:
    source = DistributionSource(Gaussian())
    before = torch.get_rng_state()
    predict(source, Balanced(), fit_chain(source, "standard", 0, 0, 0), CPU)
    assert torch.equal(before, torch.get_rng_state())


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Networks built and dummy steps taken from here on."""
    counts: Counter[str] = Counter()
    build, step = Balanced.build, memory.adversarial_step

    def counted_build(*arguments: Any) -> Any:
        counts["builds"] += 1
        return build(*arguments)

    def counted_step(*arguments: Any) -> Any:
        counts["steps"] += 1
        return step(*arguments)

    monkeypatch.setattr(Balanced, "build", counted_build)
    monkeypatch.setattr(memory, "adversarial_step", counted_step)
    return counts


def test_a_small_training_starts_with_one_build_beside_its_outline_and_no_dummy_step(
    starts: Counter[str],
) -> None:
    GAN(batch_size=16, width=8, samples=32, threads=1).trainer("gaussian", to_disk=False)
    assert starts == {"builds": 2}  # one on the meta device, where nothing is allocated


def test_steps_are_traced_where_the_bound_is_above_a_quarter_of_the_free_memory(
    starts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, recipe = DistributionSource(Gaussian()), Balanced(width=8)
    method = build_method(recipe, source.schema, 0)
    workload = workload_for(method, recipe, source.schema)
    bound = workload.memory_bound(costs_of(CPU)) + memory.loader_bytes(CPU, source)
    for amount, traced in ((4 * bound + 4, 0), (4 * bound - 4, 4)):
        starts.clear()
        free(monkeypatch, amount)
        check(source, recipe)
        assert starts["steps"] == traced


def test_on_data_of_a_source_that_fits_the_plan_does_not_depend_on_what_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = []
    for amount in (None, 2**26, GIB):
        free(monkeypatch, amount)
        fit = GAN(batch_size=16, width=8, samples=32).trainer("gaussian", to_disk=False)
        plans.append((fit.plan.threads, fit.plan.seconds, fit.plan.evaluation))
    assert plans[0] == plans[1] == plans[2]


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
