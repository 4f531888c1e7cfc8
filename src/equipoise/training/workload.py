"""The workload of a training step: its arithmetic, operations and memory, counted on
two small forward passes of each network before training starts.

Let G and D be the cost of one network's forward pass on one sample; a backward pass
costs twice as much. Then k steps of D and one of G cost, for each sample of a batch,

    k (G + 6 D) + 3 (G + D)

D's step generates a sample (G), and passes a real and a generated one forward (2 D) and
backward (4 D). G's step passes forward and backward through G (3 G) and D (3 D). A
gradient penalty differentiates D's gradients once more, about 6 D. A view of the real
samples passes D forward and backward as well, 3 D.

A part F of D may be frozen, as features of a pretrained network are. D's step needs no
backward pass through it (4 F less), and G's only the half that leads to the samples (F
less).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn

from equipoise.networks.packing import Packing
from equipoise.recipes.method import Method
from equipoise.runtime.device_costs import DeviceCosts
from equipoise.runtime.op_counter import OpCounter

# Batch size of the first counted pass; that of the second is twice as large.
SMALL_BATCH = 2
# Cost of a gradient penalty, in forward passes of D.
PENALTY_PASSES = 6
# Cost of a view of the real samples, likewise.
VIEW_PASSES = 3
# Speed grows with the number of cores to this power: twice the cores are 1.4 times as
# fast (`benchmarks.speed step`).
THREAD_SCALING = 0.5
# Upper bounds on a step's memory. WEIGHT_COPIES is in multiples of the networks'
# weights, and covers gradients, moments, EMA and the guard's copies. ACTIVATION_COPIES
# is in multiples of the tensors of one pass of G and two of D. Counted over all
# recipes: 13 and 1.5, in tests/training/test_workload.py.
WEIGHT_COPIES = 16
ACTIVATION_COPIES = 3


class Line(NamedTuple):
    """A quantity that is linear in the batch size."""

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
    """Bytes of the tensors that it allocates."""
    calls: int
    """Number of torch operations, at any batch size."""
    convolves: bool
    """Whether it has convolutions."""


@dataclass(frozen=True)
class Workload:
    """The cost of a training step of one method, at its batch size."""

    generator: PassCost
    discriminator: PassCost
    weights: int
    """Bytes of both networks' weights."""
    batch_size: int
    discriminator_steps: int
    has_penalty: bool
    """Whether each step of D has a penalty."""
    frozen: PassCost | None = None
    """The frozen part of D, which `discriminator` includes; None without one."""
    reuses_samples: bool = False
    """Whether G's step is on the samples of D's last step."""
    has_view: bool = False
    """Whether D's step also sees a view of the real samples."""

    @property
    def generator_flops(self) -> float:
        """Of a forward pass of G, for one sample."""
        return self.generator.flops.at(self.batch_size) / self.batch_size

    @property
    def discriminator_flops(self) -> float:
        """Of a forward pass of D, for one sample."""
        return self.discriminator.flops.at(self.batch_size) / self.batch_size

    @property
    def frozen_flops(self) -> float:
        """Of a forward pass of D's frozen part, for one sample."""
        return (
            0.0 if self.frozen is None else self.frozen.flops.at(self.batch_size) / self.batch_size
        )

    @property
    def step_flops(self) -> float:
        """Of one step of G and its steps of D, with penalties."""
        per_sample = self._step(self.generator_flops, self.discriminator_flops, self.frozen_flops)
        return self.batch_size * per_sample

    @property
    def step_calls(self) -> float:
        """Torch operations of one step of G and its steps of D."""
        frozen = 0 if self.frozen is None else self.frozen.calls
        return self._step(self.generator.calls, self.discriminator.calls, frozen)

    def _step(self, g: float, d: float, frozen: float) -> float:
        passes = 6 + PENALTY_PASSES * self.has_penalty + VIEW_PASSES * self.has_view
        d_step = g + passes * d - 4 * frozen
        g_step = (2 if self.reuses_samples else 3) * g + 3 * d - frozen
        return self.discriminator_steps * d_step + g_step

    def seconds(self, threads: int, costs: DeviceCosts) -> float:
        """Estimated seconds of a step."""
        calls = self.step_calls * costs.call_seconds
        cores: float = threads**THREAD_SCALING
        return calls + self.step_flops / (costs.flops * cores)

    def memory_bound(self, costs: DeviceCosts) -> int:
        """An upper bound on the memory of a training, in bytes."""
        convolves = self.generator.convolves or self.discriminator.convolves
        workspace = costs.workspace_convolutions if convolves else costs.workspace
        activations = self.generator.bytes.at(self.batch_size) + 2 * self.discriminator.bytes.at(
            self.batch_size
        )
        if self.frozen is not None:  # D's step keeps nothing of it
            activations -= self.frozen.bytes.at(self.batch_size)
        return round(WEIGHT_COPIES * self.weights + ACTIVATION_COPIES * workspace * activations)


def count_workload(
    method: Method, shape: tuple[int, ...], batch_size: int, labelled: bool
) -> Workload:
    """Count the operations of the forward passes of a method's networks.

    The networks are not changed.

    Args:
        method: The networks and their losses.
        shape: Of a sample as the networks see it.
        batch_size: Samples in a batch.
        labelled: Whether the networks are given classes.
    """
    g, d = method.generator, method.discriminator
    return Workload(
        _pass_cost(g, (method.prior.width,), labelled, batch_size),
        _pass_cost(_OfSamples(d, method.packing), shape, labelled, batch_size, method.packing.size),
        sum(p.numel() * p.element_size() for network in (g, d) for p in network.parameters()),
        batch_size,
        method.discriminator_steps,
        method.penalty is not None and method.penalty_interval == 1,
        _frozen_cost(d, shape, batch_size),
        method.reuses_samples,
        method.view is not None,
    )


class _OfSamples(nn.Module):
    """D of packs, called like one of samples."""

    def __init__(self, discriminator: nn.Module, packing: Packing) -> None:
        super().__init__()
        self.discriminator, self.packing = discriminator, packing

    def forward(self, x: Tensor, y: Tensor | None) -> object:
        return self.discriminator(self.packing.join(x), self.packing.join_classes(y))


class _Unlabelled(nn.Module):
    """A network of samples alone, called like one of samples and classes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, y: None) -> object:
        return self.network(x)


def _frozen_cost(
    discriminator: nn.Module, shape: tuple[int, ...], batch_size: int
) -> PassCost | None:
    """Of the part of D that is named `frozen`; None without one."""
    frozen = getattr(discriminator, "frozen", None)
    if not isinstance(frozen, nn.Module):
        return None
    return _pass_cost(_Unlabelled(frozen), shape, False, batch_size)


def _pass_cost(
    network: nn.Module, shape: tuple[int, ...], labelled: bool, batch_size: int, packing: int = 1
) -> PassCost:
    small = SMALL_BATCH * packing
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
) -> OpCounter:
    """Count one pass of zeros, in evaluation mode, which leaves BatchNorm's
    statistics."""
    device = next(chain(network.parameters(), network.buffers())).device
    x = torch.zeros(batch_size, *shape, device=device)
    y: Tensor | None = None
    if labelled:
        y = torch.zeros(batch_size, dtype=torch.long, device=device)
    was_training = network.training
    network.eval()
    count = OpCounter()
    with torch.no_grad(), count:
        network(x, y)
    network.train(was_training)
    return count
