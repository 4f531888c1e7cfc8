"""What one transform is: a link between the data's space and the networks' space."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from equipoise.data.schema import Schema
from equipoise.transforms.space import Span


class Transform(nn.Module, ABC):
    """A link of a `Chain`: `encode` towards the networks, `decode` on the way back.

    Constructor arguments are what was asked for, as in scikit-learn; `fit` learns the
    rest, which is the `state_dict`. `config` gives the arguments that a link of the
    same tensors is made of, for JSON.
    """

    name: ClassVar[str]
    """The link's key in files."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        """Of one encoded sample: (D,) for points, (C, H, W) for images."""

    @property
    def activations(self) -> tuple[Span, ...]:
        """How G's output ends, in spans that cover an encoded sample in its order."""
        return (Span(math.prod(self.shape)),)

    @property
    def is_random(self) -> bool:
        """Whether `encode` draws, so that every batch has to be encoded anew."""
        return False

    @abstractmethod
    def fit(self, parts: Iterable[Tensor], seed: int) -> Self:
        """Learn from samples, (n, *shape) in parts, as the link before encodes them."""

    @abstractmethod
    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Towards the networks.

        Args:
            x: Samples, (N, *shape).
            y: Their classes, (N,), counted from 0, or None.
            generator: What random links draw from; None takes the mean of what is
                drawn, or the most probable.

        Returns:
            The encoded samples, and their classes or pseudo-labels.
        """

    @abstractmethod
    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Towards the user's units: encoded samples, (N, *shape), of the classes that
        `encode` returned. `torch.export` can trace it."""

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Arguments of `from_config`, as JSON has them."""

    @classmethod
    @abstractmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        """A link whose tensors are still to be loaded.

        Args:
            schema: Of the data.
            shape: Of a sample, as the link before encodes it.
            stored: What `config` returned, through JSON.

        Raises:
            RequestError: If `config` cannot have returned it.
        """

    def check(self) -> None:
        """Raises:
        RequestError: Where the tensors that were loaded cannot have been fitted."""
