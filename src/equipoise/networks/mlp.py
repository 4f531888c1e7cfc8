"""Multilayer perceptrons, for points and as in the tutorials for images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "elu": nn.ELU,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}
# Negative slope of LeakyReLU.
LEAKY_SLOPE = 0.2


class Dropout(nn.Module):
    """Dropout with its own random generator, so that a resumed run draws the same
    masks.

    The training state sets `generator`.
    """

    generator: torch.Generator | None = None

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        keep = 1 - self.p
        return x * torch.empty_like(x).bernoulli_(keep, generator=self.generator) / keep


def activation(name: str) -> nn.Module:
    """The activation of this name; LeakyReLU has slope 0.2."""
    return nn.LeakyReLU(LEAKY_SLOPE) if name == "leaky_relu" else ACTIVATIONS[name]()


def mlp(sizes: Sequence[int], activations: Sequence[str], dropout: float = 0.0) -> nn.Sequential:
    """A multilayer perceptron, (N, sizes[0]) to (N, sizes[-1]).

    Layers before a ReLU or LeakyReLU are initialised as in He et al. 2015, with zero
    biases; others as in torch.

    Args:
        sizes: Units of each layer, from inputs to outputs.
        activations: Names in `ACTIVATIONS` for the first layers; the others are linear.
        dropout: Fraction of hidden units dropped in training.
    """
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(sizes)):
        linear = nn.Linear(before, after)
        layers.append(linear)
        if i < len(activations):
            if activations[i] in ("relu", "leaky_relu"):
                nn.init.kaiming_normal_(
                    linear.weight, LEAKY_SLOPE if activations[i] == "leaky_relu" else 0
                )
                nn.init.zeros_(linear.bias)
            layers.append(activation(activations[i]))
            if dropout and i < len(sizes) - 2:  # not at the output
                layers.append(Dropout(dropout))
    return nn.Sequential(*layers)


class Shaped(nn.Module):
    """A network on flat vectors, for samples of any shape: flattens the input and
    reshapes the output."""

    def __init__(self, body: nn.Module, shape_out: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.body: nn.Module = body
        self.shape_out: tuple[int, ...] | None = shape_out

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x.flatten(1))
        return out if self.shape_out is None else out.reshape(out.shape[0], *self.shape_out)


class BatchAsVector(nn.Module):
    """The tutorials' D for one column: it takes the whole batch, (N, 1), as one vector,
    (1, N).

    Args:
        body: A network on such vectors.
        spread: Whether each value's squared distance to the batch mean is appended: (1,
            2 N).
    """

    def __init__(self, body: nn.Module, spread: bool) -> None:
        super().__init__()
        self.body: nn.Module = body
        self.spread: bool = spread

    def forward(self, x: Tensor) -> Tensor:
        row = x.reshape(1, -1)
        if self.spread:
            row = torch.cat([row, (row - row.mean()).square()], 1)
        out: Tensor = self.body(row)
        return out
