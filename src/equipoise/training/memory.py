"""How much memory a training will take, and about how long a step, known before it
starts.

A step does the same operations in the same order whatever the batch, so the bytes that
are held after each of them are a line a + b N in the batch size N, and the most that is
held at once is the highest of those lines. Steps on two small batches give all lines,
exactly and in a fraction of a second. They run on the training's own device: torch's
meta device has no generators of randomness, and optimisers and autocast go other ways
there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from equipoise.data.loading import BLOCK, Loader
from equipoise.data.schema import Schema
from equipoise.data.sources import RowsSource, Source
from equipoise.data.split import HELD_OUT_DIVISOR
from equipoise.errors import RequestError
from equipoise.metrics.budget import FULL
from equipoise.recipes._building import build_method, outline
from equipoise.recipes._contract import checked_method
from equipoise.recipes.base import Recipe
from equipoise.runtime.device import free_memory, used_memory
from equipoise.runtime.op_counter import Counting
from equipoise.training.guard import Guard
from equipoise.training.state import State
from equipoise.training.step import adversarial_step
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.fitting import first_classes
from equipoise.transforms.scaling import Scaling

GIB, MIB = 2**30, 2**20
# The smaller of the two that are tried, or what the recipe asks for; the other is twice
# as large.
MIN_BATCH = 2
# Of the networks' weights, at least: themselves, their gradients, a moment, and the
# guard's of the first and the last.
MIN_COPIES = 5
FLOAT = torch.float32.itemsize

# What a step makes on the way takes this many times its tensors' bytes of the resident
# set, with convolutions and without: a backend reorders what a convolution reads and
# writes into copies of its own, and what is given back leaves gaps. Measured on a CPU:
# `python -m benchmarks.memory`, benchmarks/RESULTS.md.
WORKSPACE_CONVOLUTIONS, WORKSPACE = 1.9, 1.15
# What figures, drawing and the closing report add to what is held between steps, by the
# kind of data; the middle of several runs, --whole.
JUDGED_LINE, JUDGED_POINTS, JUDGED_DIGITS, JUDGED_IMAGES = (
    130 * MIB,
    150 * MIB,
    430 * MIB,
    150 * MIB,
)
JUDGED_COPIES = 15  # of each image that is judged, as float64, most of them while a filter runs
# A step's time is about that of its calls and that of its arithmetic: a MLP's 1.6 ms, a
# small convolutional pair's 29 ms, on one core that multiplies 9e10 a second at most.
# Twice the cores do 1.4 times as much ("Step" in benchmarks/RESULTS.md).
CALL_SECONDS, FLOPS, SHARED = 4e-6, 7e10, 0.5


@dataclass(frozen=True)
class StepMemory:
    """The most bytes that a step holds, as lines in the batch size whose highest
    counts: `fixed` + `each` * batch size."""

    fixed: tuple[float, ...]
    each: tuple[float, ...]
    kept: float
    """Of them what is held between steps too: weights, gradients, moments, average, and
    the guard's two copies of all but the gradients."""
    calls: int
    """Operations that a step asks torch for, at any batch size."""
    flops: float
    """Its arithmetic for each sample of a batch."""

    def at(self, batch_size: int) -> int:
        return round(max(a + b * batch_size for a, b in zip(self.fixed, self.each, strict=True)))

    def seconds(self, batch_size: int, threads: int) -> float:
        """About what a step takes on this many cores of a CPU."""
        cores: float = threads**SHARED
        return self.calls * CALL_SECONDS + self.flops * batch_size / (FLOPS * cores)

    def largest(self, free: float) -> int:
        """The largest batch size whose step holds at most `free` bytes; 0 if none does."""
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

    used: int | None
    """By this process already, the data that was read among it; None where that is not
    told."""
    data: int
    """By what the feed makes of the data."""
    step: StepMemory
    evaluated: int
    """By figures and images while training, and by the closing report; they come
    between steps."""

    def needed(self, batch_size: int) -> int:
        """What training adds to what is used."""
        return self.data + self.step.at(batch_size)

    def peak(self, batch_size: int) -> int | None:
        """The most that the process will hold, the closing report included; on a CPU
        its peak resident set."""
        most = max(self.needed(batch_size), self.data + round(self.step.kept) + self.evaluated)
        return None if self.used is None else self.used + most


class StandIn(Loader):
    """Batches of the shape and the type of the data's, all zeros, with labels where the
    data has them or the networks know classes."""

    def __init__(
        self,
        schema: Schema,
        batch_size: int,
        scaling: Scaling,
        device: torch.device,
        clustering: Clustering | None = None,
    ) -> None:
        super().__init__(batch_size, scaling.encode, device)
        raw = torch.uint8 if schema.dtype == "uint8" and schema.is_image else torch.float64
        self.raw = torch.zeros(batch_size, *schema.shape, dtype=raw, device=device)
        self.labels = first_classes(schema, clustering, batch_size, device)

    def next(self) -> tuple[Tensor, Tensor | None]:
        return self.encode(self.raw.clone()), None if self.labels is None else self.labels.clone()


def predict(source: Source, recipe: Recipe, scaling: Scaling, device: torch.device) -> Footprint:
    """The footprint of a training that has not begun.

    Raises:
        RequestError: Where its networks, or its batches, cannot fit into the memory
            that is free, and nothing where it is not known how much that is.
    """
    free = free_memory(device)
    refuse_networks(recipe, source.schema, free)
    step = step_memory(recipe, source.schema, scaling, device)
    found = Footprint(
        used_memory(device),
        data_on(device, source),
        step,
        evaluated(source) if device.type == "cpu" else 0,
    )
    size = recipe.batch_size
    if free is not None and found.needed(size) > free:
        most = step.largest(free - found.data)
        raise RequestError(
            f"batch_size = {size} needs about {found.needed(size) / GIB:.1f} GiB of memory, "
            f"and {free / GIB:.1f} GiB are free: "
            + (
                f"give at most {most}"
                if most >= recipe.at_least.get("batch_size", 1)
                else "give smaller networks, or free some"
            )
        )
    return found


def refuse_networks(recipe: Recipe, schema: Schema, free: int | None) -> None:
    """Nothing is allocated.

    Raises:
        RequestError: Where the weights alone, with what training keeps beside each, are
            more than is free.
    """
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
    scaling: Scaling,
    device: torch.device,
    workspace: float | None = None,
) -> StepMemory:
    """What a step of the recipe holds on data of this shape, at any batch size.

    `workspace` is the factor on what it makes on the way; None takes the measured one,
    1 gives the bytes of its tensors exactly.
    """
    small = max(MIN_BATCH, math.ceil(recipe.at_least.get("batch_size", 1)))
    first, second = (
        trace(replace(recipe, batch_size=size), schema, scaling, device)
        for size in (small, 2 * small)
    )
    one, two = first.held, second.held
    if len(one) != len(
        two
    ):  # a method that does other things with other batches: one line through both peaks
        one, two = [max(one)], [max(two)]
    if workspace is None:
        workspace = (
            WORKSPACE_CONVOLUTIONS if first.convolves and device.type == "cpu" else WORKSPACE
        )
    one, two = [
        [base + (held - base) * workspace for held in line]
        for line, base in ((one, first.kept), (two, second.kept))
    ]
    each = [(b - a) / small for a, b in zip(one, two, strict=True)]
    fixed = tuple(a - b * small for a, b in zip(one, each, strict=True))
    return StepMemory(
        fixed, tuple(each), first.kept, first.calls, (second.flops - first.flops) / small
    )


class Trace(NamedTuple):
    """Of one step: the bytes held after each operation, those held before it, whether
    it had convolutions, its calls and its arithmetic."""

    held: list[float]
    kept: int
    convolves: bool
    calls: int
    flops: int


def trace(recipe: Recipe, schema: Schema, scaling: Scaling, device: torch.device) -> Trace:
    """A training's second step.

    The first makes gradients and moments, the first report the guard's copies; all
    later steps are like the second.
    """
    count = Counting()
    with count:
        method = checked_method(build_method(recipe, schema, 0), recipe.name)
        state = State(
            method,
            recipe,
            StandIn(schema, recipe.batch_size, scaling, device, method.clustering),
            0,
            device,
        )
        rates = state.method.schedule(0.0, 0)
        state.apply(rates)
        adversarial_step(state.method, state, rates)
        guard = Guard(state)
        guard.keep()  # as its first report does, which leaves it two copies
        kept, before, flops = count.live, len(count.trace), count.flops.total()
        adversarial_step(state.method, state, rates)
        del guard
    held = [float(held) for held in count.trace[before:]]
    return Trace(
        held, kept, count.operations["aten.convolution"] > 0, len(held), count.flops.total() - flops
    )


def data_on(device: torch.device, source: Source) -> int:
    """The bytes that a feed will take beside the data as it was read: scaled points,
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


def evaluated(source: Source) -> int:
    """The bytes that figures, drawing and the closing report take at most."""
    if source.is_digits:
        return JUDGED_DIGITS
    if not source.schema.is_image:
        return JUDGED_LINE if source.schema.size == 1 else JUDGED_POINTS
    rows = source.training_rows
    held_out = FULL.images if rows is None else min(FULL.images, rows // (HELD_OUT_DIVISOR - 1))
    return JUDGED_IMAGES + JUDGED_COPIES * held_out * source.schema.size * torch.float64.itemsize
