"""Whether a training fits into the memory of its device, asked before it starts.

First an upper bound from the counted forward passes (`training.workload`): where it is
a small part of what is free, as for most trainings, that is all. Else two steps on
small batches are traced. A step does the same operations in the same order whatever the
batch, so the bytes that are held after each of them are a line a + b N in the batch
size N, and the most that is held at once is the highest of those lines. They run on the
training's own device: torch's meta device has no generators of randomness, and
optimisers and autocast go other ways there.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from equipoise.coerce import minimum
from equipoise.data.loading import BLOCK, Loader
from equipoise.data.schema import Schema
from equipoise.data.sources import RowsSource, Source
from equipoise.errors import RequestError
from equipoise.recipes._building import build_method, outline
from equipoise.recipes.base import Recipe
from equipoise.runtime.device import free_memory
from equipoise.runtime.device_costs import costs_of
from equipoise.runtime.op_counter import Counting
from equipoise.training.guard import Guard
from equipoise.training.state import State
from equipoise.training.step import adversarial_step
from equipoise.training.workload import Workload
from equipoise.transforms.chain import Chain, example_classes

log = logging.getLogger(__name__)

GIB = 2**30
# Of the free memory: a training whose upper bound is below it is not traced.
SAFE_FRACTION = 0.25
# The smaller of the two batches that are traced, or what the recipe asks for; the other
# is twice as large.
MIN_BATCH = 2
# Of the networks' weights, at least: themselves, their gradients, a moment, and the
# guard's of the first and the last.
MIN_COPIES = 5
FLOAT = torch.float32.itemsize


@dataclass(frozen=True)
class StepMemory:
    """The most bytes that a step holds, as lines in the batch size whose highest
    counts: `fixed` + `each` * batch size."""

    fixed: tuple[float, ...]
    each: tuple[float, ...]
    kept: float
    """Bytes of them that are held between steps too: weights, gradients, moments, EMA,
    and the guard's two copies of all but the gradients."""

    def at(self, batch_size: int) -> int:
        return round(max(a + b * batch_size for a, b in zip(self.fixed, self.each, strict=True)))

    def largest(self, free: float) -> int:
        """The largest batch size whose step holds at most `free` bytes; 0 if there is
        none."""
        if max(self.fixed) > free:
            return 0
        return min(
            (
                math.floor((free - a) / b)
                for a, b in zip(self.fixed, self.each, strict=True)
                if b > 0
            ),
            default=0,
        )


@dataclass(frozen=True)
class Footprint:
    """What a training will take of its device's memory, in bytes."""

    data: int
    """What the loader makes of the data."""
    step: StepMemory

    def needed(self, batch_size: int) -> int:
        """What training adds to what is used already."""
        return self.data + self.step.at(batch_size)


class StandIn(Loader):
    """Batches of the shape and the type of the data's, all zeros, with labels where the
    data has them or the networks know classes."""

    def __init__(
        self,
        schema: Schema,
        batch_size: int,
        transform: Chain,
        device: torch.device,
    ) -> None:
        super().__init__(batch_size, transform.scaled, device)
        raw = torch.uint8 if schema.dtype == "uint8" and schema.is_image else torch.float64
        self.raw = torch.zeros(batch_size, *schema.shape, dtype=raw, device=device)
        self.labels = example_classes(schema, transform, batch_size, device)

    def next(self) -> tuple[Tensor, Tensor | None]:
        return self.encode(self.raw.clone()), None if self.labels is None else self.labels.clone()


def check_memory(
    source: Source, recipe: Recipe, transform: Chain, device: torch.device, workload: Workload
) -> None:
    """Refuse batches that cannot fit, before the first is made.

    Raises:
        RequestError: Where less memory is free than a step takes; nothing is refused
            where it is not known how much is free.
    """
    free = free_memory(device)
    if free is None:
        log.debug("it is not known how much memory is free: nothing is refused")
        return
    bound = workload.memory_bound(costs_of(device)) + data_on(device, source)
    log.debug("the training takes %s bytes of memory at most; %s are free", bound, free)
    if bound > SAFE_FRACTION * free:
        predict(source, recipe, transform, device, free)


def predict(
    source: Source, recipe: Recipe, transform: Chain, device: torch.device, free: int | None = None
) -> Footprint:
    """The footprint of a training that has not begun, traced.

    Args:
        free: Bytes; None refuses nothing.

    Raises:
        RequestError: Where the training needs more than is free.
    """
    step = step_memory(recipe, source.schema, transform, device)
    log.debug(
        "traced: a step on %s samples holds %s bytes", recipe.batch_size, step.at(recipe.batch_size)
    )
    found, size = Footprint(data_on(device, source), step), recipe.batch_size
    if free is not None and found.needed(size) > free:
        largest = step.largest(free - found.data)
        raise RequestError(
            f"batch_size = {size} needs about {found.needed(size) / GIB:.1f} GiB of memory, "
            f"and {free / GIB:.1f} GiB are free: "
            + (
                f"give at most {largest}"
                if largest >= minimum(type(recipe), "batch_size")
                else "give smaller networks, or free some"
            )
        )
    return found


def refuse_networks(recipe: Recipe, schema: Schema, device: torch.device) -> None:
    """Refuse networks that cannot fit, before they are made; nothing is allocated.

    Raises:
        RequestError: Where the weights alone, with what training keeps beside each, are
            more than is free.
    """
    free = free_memory(device)
    try:
        method = outline(recipe, schema)
    except RuntimeError:  # networks that look at their own weights while they are made
        return
    weights = sum(
        p.numel() * p.element_size()
        for network in (method.generator, method.discriminator)
        for p in network.parameters()
    )
    if free is not None and MIN_COPIES * weights > free:
        raise RequestError(
            f"{recipe.name}'s networks need more than {MIN_COPIES * weights / GIB:.1f} GiB of "
            f"memory, and {free / GIB:.1f} GiB are free: "
            "give smaller ones, by width for one"
        )


def step_memory(
    recipe: Recipe,
    schema: Schema,
    transform: Chain,
    device: torch.device,
    workspace: float | None = None,
) -> StepMemory:
    """What a step of the recipe holds on data of this shape, at any batch size.

    Args:
        workspace: Factor on the intermediate tensors' bytes; None takes the device's,
            1 counts them exactly.
    """
    small = max(MIN_BATCH, math.ceil(minimum(type(recipe), "batch_size")))
    first, second = (
        trace(replace(recipe, batch_size=size), schema, transform, device)
        for size in (small, 2 * small)
    )
    one, two = first.held, second.held
    if len(one) != len(
        two
    ):  # a method that does other things with other batches: one line through both peaks
        one, two = [max(one)], [max(two)]
    if workspace is None:
        costs = costs_of(device)
        workspace = costs.workspace_convolutions if first.convolves else costs.workspace
    one, two = [
        [base + (held - base) * workspace for held in line]
        for line, base in ((one, first.kept), (two, second.kept))
    ]
    each = [(b - a) / small for a, b in zip(one, two, strict=True)]
    fixed = tuple(a - b * small for a, b in zip(one, each, strict=True))
    return StepMemory(fixed, tuple(each), first.kept)


class Trace(NamedTuple):
    """Of one step: the bytes held after each operation, those held before it, and
    whether it had convolutions."""

    held: list[float]
    kept: int
    convolves: bool


def trace(recipe: Recipe, schema: Schema, transform: Chain, device: torch.device) -> Trace:
    """A training's second step.

    The first makes gradients and moments, the first report the guard's copies; all
    later steps are like the second.
    """
    count = Counting()
    with count:
        method = build_method(recipe, schema, 0)
        state = State(
            method,
            recipe,
            StandIn(schema, recipe.batch_size, transform, device),
            0,
            device,
        )
        rates = state.method.schedule(0.0, 0)
        state.apply(rates)
        adversarial_step(state, rates)
        guard = Guard(state)
        guard.keep()  # as its first report does, which leaves it two copies
        kept, before = count.live, len(count.trace)
        adversarial_step(state, rates)
        del guard
    held = [float(held) for held in count.trace[before:]]
    return Trace(held, kept, count.operations["aten.convolution"] > 0)


def data_on(device: torch.device, source: Source) -> int:
    """The bytes that a loader will take beside the data as it was read: scaled points,
    images copied to a GPU, the order of an epoch."""
    schema, rows = source.schema, source.training_rows
    if source.distribution is not None:
        return BLOCK * schema.size * FLOAT
    if rows is None:
        return 0
    order = rows * torch.int64.itemsize
    if not isinstance(source, RowsSource):
        return order
    if not schema.is_image:
        return order + rows * schema.size * FLOAT
    return order + (
        rows * schema.size * (1 if schema.dtype == "uint8" else 8) if device.type == "cuda" else 0
    )
