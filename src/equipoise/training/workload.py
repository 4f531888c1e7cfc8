"""What a training step asks of the machine, counted on two small forward passes of each
network before training starts.

With G and D for one forward pass of one sample, k steps of D for one of G take

    k (G + 6 D) + 3 (G + D)

for each sample of a batch: D's step makes a fake (G) and passes real and fake there
(2 D) and back (4 D); G's step passes G there and back (3 G), and D (3 D). A gradient
penalty differentiates D's gradients once more, about 6 D.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from equipoise.recipes.method import Method
from equipoise.runtime.device_costs import DeviceCosts
from equipoise.runtime.op_counter import Counting

SMALL_BATCH = 2  # of the first pass; the second is twice as large
PENALTY_PASSES = 6  # of D, for a gradient penalty
THREAD_SCALING = 0.5  # twice the cores do 1.4 times as much (`benchmarks.speed step`)
# Upper bounds on what a step holds: of all networks' weights, with gradients, moments,
# average and the guard's copies, and of what one pass of G and two of D make.
# Counted on every recipe: 13 and 1.5, in tests/training/test_workload.py.
WEIGHT_COPIES, ACTIVATION_COPIES = 16, 3


class Line(NamedTuple):
    """A quantity as a line in the batch size."""

    fixed: float
    each: float

    def at(self, batch_size: int) -> float:
        return self.fixed + self.each * batch_size


@dataclass(frozen=True)
class PassCost:
    """One forward pass of a network."""

    flops: Line
    """Additions and multiplications of matrix products and convolutions."""
    bytes: Line
    """Bytes of the tensors that it makes."""
    calls: int
    """Operations, at any batch size."""
    convolves: bool


@dataclass(frozen=True)
class Workload:
    """What a step of one method costs at its batch size."""

    generator: PassCost
    discriminator: PassCost
    weights: int
    """Bytes of both networks' weights."""
    batch_size: int
    discriminator_steps: int
    has_penalty: bool

    @property
    def generator_flops(self) -> float:
        """Of G, for one sample and one pass."""
        return self.generator.flops.at(self.batch_size) / self.batch_size

    @property
    def discriminator_flops(self) -> float:
        """Of D, for one sample and one pass."""
        return self.discriminator.flops.at(self.batch_size) / self.batch_size

    @property
    def step_flops(self) -> float:
        """Of one step of G and its steps of D, penalties included."""
        of_sample = self._step(self.generator_flops, self.discriminator_flops)
        return self.batch_size * of_sample

    @property
    def step_calls(self) -> float:
        """Operations of one step of G and its steps of D."""
        return self._step(self.generator.calls, self.discriminator.calls)

    def _step(self, g: float, d: float) -> float:
        passes = 6 + (PENALTY_PASSES if self.has_penalty else 0)
        return self.discriminator_steps * (g + passes * d) + 3 * (g + d)

    def seconds(self, threads: int, costs: DeviceCosts) -> float:
        """About what a step takes."""
        calls = self.step_calls * costs.call_seconds
        cores: float = threads**THREAD_SCALING
        return calls + self.step_flops / (costs.flops * cores)

    def memory_bound(self, costs: DeviceCosts) -> int:
        """Bytes that a step and what is kept between steps do not exceed."""
        convolves = self.generator.convolves or self.discriminator.convolves
        workspace = costs.workspace_convolutions if convolves else costs.workspace
        activations = self.generator.bytes.at(self.batch_size) + 2 * self.discriminator.bytes.at(
            self.batch_size
        )
        return round(WEIGHT_COPIES * self.weights + ACTIVATION_COPIES * workspace * activations)


def workload_of(
    method: Method, shape: tuple[int, ...], batch_size: int, labelled: bool
) -> Workload:
    """Count the forward passes of a method's networks, which stay as they were.

    Args:
        shape: Of a sample as the networks see it.
        labelled: Whether the networks are given classes.
    """
    g, d = method.generator, method.discriminator
    return Workload(
        _pass_cost(g, (method.prior.width,), labelled, batch_size),
        _pass_cost(d, shape, labelled, batch_size),
        sum(p.numel() * p.element_size() for network in (g, d) for p in network.parameters()),
        batch_size,
        method.discriminator_steps,
        method.penalty is not None,
    )


def _pass_cost(
    network: nn.Module, shape: tuple[int, ...], labelled: bool, batch_size: int
) -> PassCost:
    small = SMALL_BATCH
    try:
        first = _counted(network, shape, labelled, small)
        second = _counted(network, shape, labelled, 2 * small)
    except RuntimeError:  # a D that sees a batch as one vector takes no other size
        whole = _counted(network, shape, labelled, batch_size)
        flops, size = (
            Line(0.0, total / batch_size) for total in (whole.flops.total(), whole.bytes)
        )
        second = whole
    else:
        flops = _line(first.flops.total(), second.flops.total(), small)
        size = _line(first.bytes, second.bytes, small)
    convolves = second.operations["aten.convolution"] > 0
    return PassCost(flops, size, second.operations.total(), convolves)


def _line(first: float, second: float, batch_size: int) -> Line:
    """The line through the values at a batch size and at twice that."""
    each = (second - first) / batch_size
    return Line(first - each * batch_size, each)


def _counted(
    network: nn.Module, shape: tuple[int, ...], labelled: bool, batch_size: int
) -> Counting:
    """The operations of one pass of zeros in evaluation mode, where statistics stay."""
    device = next(network.parameters()).device
    x = torch.zeros(batch_size, *shape, device=device)
    y: Tensor | None = None
    if labelled:
        y = torch.zeros(batch_size, dtype=torch.long, device=device)
    was_training = network.training
    network.eval()
    count = Counting()
    with torch.no_grad(), count:
        network(x, y)
    network.train(was_training)
    return count
