"""How a step is computed: rules that say the same every time, and other arithmetic that
comes to the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.helpers import workload_for

from equipoise import GAN
from equipoise.data.arrays import from_array
from equipoise.data.distributions import Gaussian
from equipoise.data.factory import open_source
from equipoise.data.schema import Schema
from equipoise.data.sources import DistributionSource, RowsSource, Source
from equipoise.errors import RequestError
from equipoise.recipes import find
from equipoise.recipes._building import build_method
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings
from equipoise.runtime.device_costs import COSTS
from equipoise.training import speed
from equipoise.training.events import Event, Report
from equipoise.training.speed import (
    Speed,
    choose,
    compile_step,
    default_speed,
    example,
    hindrance_to_compiling,
    impurity,
    threads_for,
)
from equipoise.training.state import State
from equipoise.training.step import discriminator_gradients, generator_gradients
from equipoise.transforms.scaling import fit_scaling

CPU = torch.device("cpu")
TINY = {"batch_size": 16, "width": 8}
LONG = 10 * max(COSTS["cpu"].compile_from.values())


def squares() -> Source:
    x = np.random.default_rng(0).integers(0, 256, (80, 16, 16), np.uint8)
    return RowsSource("squares", from_array(x, ["dark", "light"] * 40, "x"), 0)


def state_of(recipe: Recipe, source: Source) -> State:
    loader = source.loader(recipe.batch_size, fit_scaling(source, recipe.scaling, 0).scaled, CPU, 0)
    return State(build_method(recipe, source.schema, 0), recipe, loader, 0, CPU)


def both_gradients(state: State, source: Source) -> list[torch.Tensor]:
    """Of D's weights, then of G's, at the same batch every time."""
    batch = example(state, source.schema)
    of_d, _ = state.compiled(discriminator_gradients)(state, torch.tensor(0.5), *batch)
    of_g, _ = state.compiled(generator_gradients)(state, None, *batch)
    return [gradient for gradient in (*of_d, *of_g) if gradient is not None]


@pytest.mark.parametrize("half", [True, False])
def test_points_take_float32_and_images_and_tables_what_the_processor_has(
    half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "multiplies_bfloat16", lambda _: half)
    table = open_source(pd.DataFrame({"x": np.arange(60) % 7, "plan": ["a", "b"] * 30}))
    of_table = state_of(Balanced(**TINY), table).method
    assert default_speed(of_table, images=False, device=CPU, seconds=1, threads=1) == Speed(
        1, "bfloat16" if half else "float32", False
    )
    method = state_of(Balanced(**TINY), DistributionSource(Gaussian())).method
    assert default_speed(method, images=False, device=CPU, seconds=1, threads=1) == Speed(
        1, "float32", False
    )
    assert default_speed(method, images=True, device=CPU, seconds=1, threads=3) == Speed(
        3, "bfloat16" if half else "float32", False
    )


@pytest.mark.parametrize(
    ("shape", "cores", "expected"),
    [
        ((1, 16, 16), 64, 1),
        ((1, 28, 28), 64, 2),
        ((1, 28, 28), 1, 1),
        ((3, 32, 32), 64, 10),
        ((3, 64, 64), 128, 52),
        ((3, 64, 64), 4, 4),
    ],
)
def test_images_take_as_many_threads_as_their_networks_have_work_for(
    shape: tuple[int, ...], cores: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "usable_cores", lambda: cores)
    schema = Schema(shape, "NCHW", "uint8")
    given = {"conditional": False, "photo_features": False}
    recipe = Balanced.for_data(schema, given)
    flops = workload_for(build_method(recipe, schema, 0), recipe, schema).step_flops
    assert threads_for(flops, True, COSTS["cpu"]) == expected
    assert threads_for(flops, False, COSTS["cpu"]) == 1


def test_a_step_is_compiled_only_where_the_run_is_long_enough_to_gain_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speed, "hindrance_to_compiling", lambda *_: "")
    method = state_of(Balanced(**TINY), DistributionSource(Gaussian())).method
    enough = COSTS["cpu"].compile_from["points"]
    found = [
        default_speed(method, images=False, device=CPU, seconds=s, threads=1)
        for s in (0.99 * enough, 1.01 * enough)
    ]
    assert [ruled.compiled for ruled in found] == [False, True]


@pytest.mark.parametrize(
    ("name", "settings", "impure"),
    [
        ("r3gan", {}, ""),
        ("balanced", {}, ""),
        ("dcgan", {}, ""),
        ("wgan-gp", {}, "a penalty at random points"),
        ("infogan", {}, "views"),
        ("infogan", {"invariance_weight": 0.0}, ""),
        ("infogan", {"categorical_codes": 1000}, ""),  # too many values for views
        ("stylegan2", {}, "a penalty in some steps only"),
        ("sngan", {}, "spectral"),  # singular vectors are kept from step to step
        ("classic", {"dropout": 0.2}, "dropout"),
        ("balanced", {"augment": "color"}, "augmentation"),
        ("fastgan", {"augment": "none"}, "random crops"),
        ("balanced", {"regularization": "spectral"}, "samples of D's step"),
    ],
)
def test_only_gradients_that_are_functions_of_their_arguments_are_compiled(
    name: str, settings: dict[str, Any], impure: str
) -> None:
    source = squares()
    method = build_method(
        find(name).for_data(source.schema, {**TINY, "conditional": False, **settings}),
        source.schema,
        0,
    )
    assert bool(impurity(method)) == bool(impure)
    if impure:
        assert not default_speed(method, images=True, device=CPU, seconds=LONG, threads=1).compiled
        with pytest.raises(RequestError, match=f"compile = 'on', but .* it has {impure}"):
            choose(method, RunSettings(compile="on"), True, CPU, 1, 1)


def test_what_the_user_chose_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "hindrance_to_compiling", lambda *_: "")
    method = state_of(Balanced(**TINY), DistributionSource(Gaussian())).method
    assert choose(
        method, RunSettings(threads=3, precision="bfloat16", compile="on"), False, CPU, 1, 1
    ) == Speed(3, "bfloat16", True)
    assert not choose(method, RunSettings(compile="off"), True, CPU, LONG, 1).compiled


@pytest.mark.parametrize(
    "source",
    [DistributionSource(Gaussian()), pytest.param(squares(), marks=pytest.mark.slow)],
    ids=["points", "images"],
)
def test_a_compiled_step_has_the_gradients_and_statistics_of_the_step_as_it_is_written(
    source: Source,
) -> None:
    state = state_of(Balanced.for_data(source.schema, {**TINY, "conditional": False}), source)
    if hindrance_to_compiling(state.method, CPU):
        pytest.skip("no compiler here")
    statistics = [value.clone() for value in state.generator.buffers()]
    expected = both_gradients(state, source)
    moved = [value.clone() for value in state.generator.buffers()]
    for value, before in zip(state.generator.buffers(), statistics, strict=True):
        value.copy_(before)
    assert compile_step(state, example(state, source.schema)) == ""
    assert state.compilations.keys() == {discriminator_gradients, generator_gradients}
    for value, before in zip(state.generator.buffers(), statistics, strict=True):
        torch.testing.assert_close(value, before, rtol=0, atol=0)
    found = both_gradients(state, source)
    assert max(float((a - b).abs().max()) for a, b in zip(expected, found, strict=True)) < 1e-5
    for value, after in zip(state.generator.buffers(), moved, strict=True):
        torch.testing.assert_close(value, after)


def test_with_batch_norm_in_d_a_step_is_not_compiled_by_default() -> None:
    source = squares()
    for name, expected in (("balanced", True), ("dcgan", False)):
        method = state_of(
            find(name).for_data(source.schema, {**TINY, "conditional": False}), source
        ).method
        if hindrance_to_compiling(method, CPU):
            pytest.skip("no compiler here")
        ruled = default_speed(method, images=True, device=CPU, seconds=LONG, threads=1)
        assert ruled.compiled is expected


def test_a_step_that_does_not_compile_is_unchanged_and_returns_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no room for the compiler\nand a long trace")

    monkeypatch.setattr(torch, "compile", refuse)
    source = DistributionSource(Gaussian())
    state = state_of(Balanced(**TINY), source)
    assert compile_step(state, example(state, source.schema)) == "no room for the compiler"
    assert state.compiled(generator_gradients) is generator_gradients


def test_bfloat16_comes_near_float32_and_logits_and_samples_stay_float32() -> None:
    source = squares()
    state = state_of(Balanced.for_data(source.schema, {**TINY, "conditional": False}), source)
    expected = torch.cat([gradient.flatten() for gradient in both_gradients(state, source)])
    Speed(1, "bfloat16", False).apply(state)
    found = torch.cat([gradient.flatten() for gradient in both_gradients(state, source)])
    assert 0 < float((found - expected).norm() / expected.norm()) < 0.05
    batch = example(state, source.schema)
    assert state.discriminate(batch.x, batch.y)[0].dtype == torch.float32
    for kept_statistic, moved in state.statistics:  # of BatchNorm: each batch moves them
        kept_statistic.copy_(moved)
    trained, kept = state.generator.eval(), state.ema.eval()
    with torch.no_grad():
        assert torch.equal(trained(batch.z), kept(batch.z))  # evaluation takes no short cut


def test_an_example_moves_nothing_of_the_training() -> None:
    source = squares()
    state = state_of(Balanced.for_data(source.schema, {**TINY, "conditional": True}), source)
    before = {name: tensor.clone() for name, tensor in state.tensors().items()}
    batch = example(state, source.schema)
    x, y = state.loader.next()
    assert y is not None
    assert batch.y is not None
    assert (batch.x.shape, batch.x.dtype, batch.y.shape, batch.y.dtype) == (
        x.shape,
        x.dtype,
        y.shape,
        y.dtype,
    )
    assert all(torch.equal(before[name], tensor) for name, tensor in state.tensors().items())


def test_the_example_of_a_table_is_as_wide_as_its_encoded_rows() -> None:
    frame = pd.DataFrame({"kind": ["a", "b", "c"] * 30, "size": np.arange(90) / 7})
    fit = GAN("classic", **TINY, samples=64).trainer(frame, to_disk=False)
    x, _ = fit.state.loader.next()
    assert x.shape[1] > len(frame.columns)
    assert example(fit.state, fit.source.schema).x.shape == x.shape


def test_a_speed_setting_is_saved_in_the_config_and_restored(
    tmp_path: Any,
) -> None:
    x = np.random.default_rng(0).integers(0, 256, (80, 16, 16), np.uint8)
    settings = {**TINY, "seed": 1, "precision": "bfloat16", "threads": 1}
    first = GAN("balanced", samples=64, **settings).fit(x, out=tmp_path / "run")
    again = GAN("balanced", samples=96, **settings)
    training = again.trainer(x, out=tmp_path / "run", resume=True)
    assert first.sample(2).dtype == np.uint8
    assert training.speed == Speed(1, "bfloat16", False)
    assert training.state.generator.mixed


def test_compiling_counts_neither_as_time_nor_against_the_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0

    def compiled(*_: Any) -> str:
        nonlocal now
        now += 60
        return ""

    monkeypatch.setattr(speed, "hindrance_to_compiling", lambda *_: "")
    monkeypatch.setattr(speed, "compile_step", compiled)
    monkeypatch.setattr("time.monotonic", lambda: now)
    training = GAN(**TINY, compile="on", minutes=0.5, threads=1).trainer("gaussian", to_disk=False)

    def passing(event: Event) -> None:
        nonlocal now
        now += 1
        if isinstance(event, Report):
            assert event.seconds == now - 161
            assert event.rate > 0

    training.run([passing])
    assert training.state.samples_seen > 0
