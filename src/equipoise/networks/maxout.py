"""The multilayer perceptrons of 2014 with maxout units, for the published settings of
`classic`, `cgan` and `pacgan`.

Goodfellow, Warde-Farley, Mirza, Courville, Bengio: "Maxout Networks", ICML 2013:

    h_i = max_j (W_ij x + b_ij),   j = 1, ..., k
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from equipoise.networks.dcgan import dense
from equipoise.networks.mlp import Dropout

# Bounds of the initial weights in `mnist.yaml` of the GAN of 2014.
GENERATOR_BOUND, DISCRIMINATOR_BOUND = 0.05, 0.005


class Maxout(nn.Module):
    """Vectors (N, before) to (N, units): the maximum of `pieces` linear functions for
    each unit."""

    def __init__(self, before: int, units: int, pieces: int) -> None:
        super().__init__()
        self.linear: nn.Linear = nn.Linear(before, units * pieces)
        self.pieces: int = pieces

    def forward(self, x: Tensor) -> Tensor:
        linear: Tensor = self.linear(x)
        return linear.reshape(len(x), -1, self.pieces).amax(2)


def maxout_layers(sizes: Sequence[int], pieces: int, drops: Sequence[float]) -> nn.Sequential:
    """Maxout layers of these sizes, from inputs to outputs.

    Args:
        sizes: Units of each layer, the inputs first.
        pieces: Linear functions of each unit.
        drops: Fractions dropped in training: of the inputs, then of each layer's units.
    """
    layers: list[nn.Module] = [Dropout(drops[0])]
    for (before, after), drop in zip(pairwise(sizes), drops[1:], strict=True):
        layers += [Maxout(before, after, pieces), Dropout(drop)]
    return nn.Sequential(*layers)


def normed_layers(sizes: Sequence[int]) -> nn.Sequential:
    """Dense layers of these sizes with BatchNorm and ReLU, and a linear output."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes[:-1]):
        layers += dense(before, after, "relu")
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


class Joined(nn.Module):
    """A sample and its class through a network each, then both through a third.

    Args:
        of_sample: Maps (N, D), the first values of an input.
        of_class: Maps (N, K), the one-hot class after them.
        of_both: Maps the outputs of both, side by side.
        size: D.
        planes: Whether inputs are images with a plane for each class, as D gets them,
            (N, C + K, H, W).
    """

    def __init__(
        self,
        of_sample: nn.Module,
        of_class: nn.Module,
        of_both: nn.Module,
        size: int,
        planes: bool = False,
    ) -> None:
        super().__init__()
        self.of_sample: nn.Module = of_sample
        self.of_class: nn.Module = of_class
        self.of_both: nn.Module = of_both
        self.size: int = size
        self.planes: bool = planes

    def forward(self, x: Tensor) -> Tensor:
        if self.planes:
            channels = self.size // (x.shape[2] * x.shape[3])
            sample, y = x[:, :channels].flatten(1), x[:, channels:, 0, 0]
        else:
            sample, y = x[:, : self.size], x[:, self.size :]
        both: Tensor = self.of_both(torch.cat([self.of_sample(sample), self.of_class(y)], 1))
        return both


def init_uniform(generator: nn.Module, discriminator: nn.Module) -> None:
    """Initialise dense layers as the authors of the GAN of 2014 do: weights uniform
    within their bounds, biases 0."""
    init_dense(generator, partial(_uniform, GENERATOR_BOUND))
    init_dense(discriminator, partial(_uniform, DISCRIMINATOR_BOUND))


def _uniform(bound: float, weight: Tensor) -> Tensor:
    return nn.init.uniform_(weight, -bound, bound)


def init_dense(network: nn.Module, draw: Callable[[Tensor], Tensor]) -> None:
    """Draw the weights of dense layers, and set their biases to 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            draw(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
