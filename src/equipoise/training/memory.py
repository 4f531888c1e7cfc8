"""Whether a training fits into the memory of its device, checked before it starts.

First comes an upper bound from the counted forward passes (`training.workload`). For
most trainings it is a small part of the free memory, and nothing else is done.

Otherwise two steps on small batches are traced. A step has the same operations in the
same order at any batch size N. So the bytes allocated after each operation are a line
a + b N, and the peak is the highest of these lines. The steps run on the training's own
device: torch's meta device has no random generators, and optimisers and autocast take
other code paths there.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from equipoise.data.loading import BLOCK, Loader
from equipoise.data.schema import Schema
from equipoise.data.sources import RowsSource, Source
from equipoise.errors import RequestError
from equipoise.recipes._building import build_method, outline
from equipoise.recipes.base import Recipe
from equipoise.runtime.device import free_memory
from equipoise.runtime.device_costs import costs_of
from equipoise.runtime.op_counter import OpCounter
from equipoise.training.guard import Guard
from equipoise.training.state import State
from equipoise.training.step import adversarial_step
from equipoise.training.workload import Workload
from equipoise.transforms.chain import Chain, example_classes
from equipoise.utils.system import GIB, free_words

log: logging.Logger = logging.getLogger(__name__)

# Fraction of the free memory below which an upper bound is safe, and nothing is traced.
SAFE_FRACTION = 0.25
# Minimum size of the smaller traced batch; the other is twice as large. From 4 on,
# stylegan2's minibatch standard deviation has whole groups.
MIN_BATCH = 4
# Minimum number of tensors of the size of the weights: weights, gradients, a moment,
# and the guard's two copies of the weights.
MIN_COPIES = 5
# Bytes of one value.
FLOAT_BYTES = torch.float32.itemsize


@dataclass(frozen=True)
class StepMemory:
    """The peak memory of a step: the highest of the lines `fixed` + `each` * batch
    size, in bytes."""

    fixed: tuple[float, ...]
    each: tuple[float, ...]
    persistent: float
    """Bytes that are allocated between steps too: weights, gradients, moments, EMA, and
    the guard's two copies of all but the gradients."""

    def at(self, batch_size: int) -> int:
        """The peak at a batch size, in bytes."""
        return round(max(a + b * batch_size for a, b in zip(self.fixed, self.each, strict=True)))

    def largest(self, free: float) -> int:
        """The largest batch size whose peak is at most `free` bytes; 0 if none is."""
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
    """Device memory that a training will allocate, in bytes."""

    data: int
    """Bytes of the loader, beside the data as it was read."""
    step: StepMemory

    def needed(self, batch_size: int) -> int:
        """Bytes that training allocates at a batch size."""
        return self.data + self.step.at(batch_size)


class ZeroLoader(Loader):
    """Batches of zeros with the data's shape and dtype, and with labels where the data
    or the networks have classes."""

    def __init__(
        self,
        schema: Schema,
        batch_size: int,
        transform: Chain,
        device: torch.device,
    ) -> None:
        super().__init__(batch_size, transform.scaled, device)
        raw = torch.uint8 if schema.dtype == "uint8" and schema.is_image else torch.float64
        self.raw: Tensor = torch.zeros(batch_size, *schema.shape, dtype=raw, device=device)
        self.labels: Tensor | None = example_classes(schema, transform, batch_size, device)

    def next(self) -> tuple[Tensor, Tensor | None]:
        return self.encode(self.raw.clone()), None if self.labels is None else self.labels.clone()


def check_memory(
    source: Source,
    recipe: Recipe,
    transform: Chain,
    device: torch.device,
    workload: Workload,
    processes: int = 1,
) -> None:
    """Check that a training step fits into the free memory, before the first one.

    Nothing is checked where the free memory is not known.

    Args:
        processes: That have an equal part of each batch.

    Raises:
        RequestError: A step needs more memory than is free.
    """
    free = free_memory(device)
    if free is None:
        log.debug("the free memory is not known, and not checked")
        return
    bound = workload.memory_bound(costs_of(device)) + loader_bytes(device, source)
    log.debug("training needs at most %s bytes of memory; %s are free", bound, free)
    if bound > SAFE_FRACTION * free:
        predict(source, recipe, transform, device, free, processes)


def predict(
    source: Source,
    recipe: Recipe,
    transform: Chain,
    device: torch.device,
    free: int | None = None,
    processes: int = 1,
) -> Footprint:
    """Trace the footprint of a training that has not started, in one of its processes.

    Args:
        free: Free bytes of this process; None for no check.
        processes: That have an equal part of each batch.

    Raises:
        RequestError: The training needs more than is free.
    """
    step, size = step_memory(recipe, source.schema, transform, device), recipe.batch_size
    size //= processes
    log.debug("traced: a step on %s samples needs %s bytes", size, step.at(size))
    footprint = Footprint(loader_bytes(device, source), step)
    if free is not None and footprint.needed(size) > free:
        largest = step.largest(free - footprint.data) // recipe.packing * recipe.packing
        raise RequestError(
            f"batch_size = {processes * size} needs about "
            f"{footprint.needed(size) / GIB:.1f} GiB of memory, and {free_words(free)}: "
            + (
                f"give at most {processes * largest}"
                if largest >= recipe.smallest_batch
                else "give smaller networks, or free some memory"
            )
        )
    return footprint


def check_networks_fit(recipe: Recipe, schema: Schema, device: torch.device) -> None:
    """Check that the networks fit into the free memory, before they are allocated.

    Raises:
        RequestError: The weights with their gradients, moments and copies need more
            than is free.
    """
    free = free_memory(device)
    try:
        method = outline(recipe, schema)
    except RuntimeError:  # networks whose construction reads their own weights
        return
    weights = sum(
        p.numel() * p.element_size()
        for network in (method.generator, method.discriminator)
        for p in network.parameters()
    )
    if free is not None and MIN_COPIES * weights > free:
        raise RequestError(
            f"{recipe.name}'s networks need more than {MIN_COPIES * weights / GIB:.1f} GiB of "
            f"memory, and {free_words(free)}: "
            "give smaller ones, for example by width"
        )


def step_memory(
    recipe: Recipe,
    schema: Schema,
    transform: Chain,
    device: torch.device,
    workspace: float | None = None,
) -> StepMemory:
    """The peak memory of a recipe's step on data of this shape, at any batch size.

    Args:
        workspace: Factor on the bytes of intermediate tensors. None for the device's; 1
            for exact counts.
    """
    small = max(math.ceil(MIN_BATCH / recipe.packing) * recipe.packing, recipe.smallest_batch)
    # Pretrained weights are read once in a process: not in the first trace alone.
    build_method(recipe, schema, 0)
    first, second = (
        trace(replace(recipe, batch_size=size), schema, transform, device)
        for size in (small, 2 * small)
    )
    one, two = first.allocated, second.allocated
    # A method may do other operations at other batch sizes: one line through both
    # peaks.
    if len(one) != len(two):
        one, two = [max(one)], [max(two)]
    if workspace is None:
        costs = costs_of(device)
        workspace = costs.workspace_convolutions if first.convolves else costs.workspace
    one, two = [
        [base + (size - base) * workspace for size in line]
        for line, base in ((one, first.persistent), (two, second.persistent))
    ]
    each = [(b - a) / small for a, b in zip(one, two, strict=True)]
    fixed = tuple(a - b * small for a, b in zip(one, each, strict=True))
    return StepMemory(fixed, tuple(each), first.persistent)


class Trace(NamedTuple):
    """The memory of one step, and whether it has convolutions."""

    allocated: list[float]
    """Bytes after each operation."""
    persistent: int
    """Bytes before the step."""
    convolves: bool


def trace(recipe: Recipe, schema: Schema, transform: Chain, device: torch.device) -> Trace:
    """Trace a training's second step.

    The first step allocates gradients and moments, the first report the guard's copies.
    No later step holds more than the second: both have all lazy penalties, since no
    sample counts as seen.
    """
    count = OpCounter()
    with count:
        method = build_method(recipe, schema, 0)
        state = State(
            method,
            recipe,
            ZeroLoader(schema, recipe.batch_size, transform, device),
            0,
            device,
        )
        rates = state.method.schedule(0.0, 0)
        state.apply(rates)
        adversarial_step(state, rates)
        guard = Guard(state)
        guard.keep()  # as at the first report: the guard has two copies from then on
        persistent, before = count.live, len(count.trace)
        adversarial_step(state, rates)
        del guard
    allocated = [float(size) for size in count.trace[before:]]
    return Trace(allocated, persistent, count.operations["aten.convolution"] > 0)


def loader_bytes(device: torch.device, source: Source) -> int:
    """Bytes that a loader allocates on the device: scaled points, images copied to a
    GPU, the order of an epoch."""
    schema, rows = source.schema, source.training_rows
    if source.distribution is not None:
        return BLOCK * schema.size * FLOAT_BYTES
    if rows is None:
        return 0
    order = rows * torch.int64.itemsize
    if not isinstance(source, RowsSource):
        return order
    if not schema.is_image:
        return order + rows * schema.size * FLOAT_BYTES
    return order + (
        rows * schema.size * (1 if schema.dtype == "uint8" else 8) if device.type == "cuda" else 0
    )
