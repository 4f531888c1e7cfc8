"""Two small forward passes give what a step costs: its arithmetic by hand, its memory
from above."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.helpers import RECIPES, state_of, workload_for

from equipoise.data.distributions import Gaussian
from equipoise.data.sources import DistributionSource, Source
from equipoise.recipes._building import build_method
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe
from equipoise.runtime.device_costs import COSTS
from equipoise.runtime.op_counter import OpCounter
from equipoise.training.memory import step_memory
from equipoise.training.step import adversarial_step
from equipoise.training.workload import Line, PassCost, Workload
from equipoise.transforms.fitting import fit_chain

CPU = COSTS["cpu"]


@pytest.mark.parametrize(("recipe", "source"), RECIPES)
def test_a_step_never_holds_more_than_the_bound(recipe: Recipe, source: Source) -> None:
    workload = workload_for(build_method(recipe, source.schema, 0), recipe, source.schema)
    transform = fit_chain(source, recipe.scaling, 0, 0, 0)
    traced = step_memory(recipe, source.schema, transform, torch.device("cpu"))
    held = traced.at(recipe.batch_size)
    assert held <= workload.memory_bound(CPU) <= 5 * held


@pytest.mark.parametrize(("recipe", "source"), RECIPES)
def test_the_arithmetic_of_a_step_is_predicted_within_a_third(
    recipe: Recipe, source: Source
) -> None:
    state = state_of(recipe, source)
    foretold = workload_for(state.method, recipe, source.schema).step_flops
    with OpCounter() as count:
        adversarial_step(state, state.method.schedule(0.5))
    assert 0.75 < foretold / count.flops.total() < 1.34


def test_an_mlp_costs_its_weights_and_counting_changes_nothing() -> None:
    recipe = Balanced(batch_size=16, width=8)
    state = state_of(recipe)
    before = {name: value.clone() for name, value in state.tensors().items()}
    work = workload_for(state.method, recipe, DistributionSource(Gaussian()).schema)
    assert work.generator_flops == 2 * linear(state.generator)
    assert work.discriminator_flops == 2 * linear(state.discriminator)
    assert work.weights == 4 * sum(w.numel() for w in (*state.weights_g, *state.weights_d))
    assert state.generator.training
    assert all(torch.equal(value, before[name]) for name, value in state.tensors().items())


def test_a_steps_time_is_that_of_its_calls_and_its_arithmetic() -> None:
    one = PassCost(Line(0.0, 7e6), Line(0.0, 0.0), 100, convolves=False)
    none = PassCost(Line(0.0, 0.0), Line(0.0, 0.0), 0, convolves=False)
    work = Workload(one, none, 0, 100, discriminator_steps=1, has_penalty=False)
    calls, flops = 4 * 100 * CPU.call_seconds, 4 * 100 * 7e6 / CPU.flops
    assert work.seconds(1, CPU) == pytest.approx(calls + flops)
    assert work.seconds(4, CPU) == pytest.approx(calls + flops / 2)
    assert work.seconds(1, COSTS["cuda"]) != work.seconds(1, CPU)
    assert replace(work, generator=none, discriminator=one, has_penalty=True).step_calls == 1500


def linear(network: torch.nn.Module) -> float:
    """Weights of the linear layers, which one sample is multiplied with."""
    layers = (layer for layer in network.modules() if isinstance(layer, torch.nn.Linear))
    return sum(float(layer.weight.numel()) for layer in layers)
