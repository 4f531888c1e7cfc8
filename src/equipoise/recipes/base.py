"""What a recipe is: a dataclass of choices that, for data of a given shape, becomes a Method: all that a training step needs to know.

Recipes are light: they import torch only when they are built, so that the command line can show their fields at once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from equipoise.data import ScalingKind
from equipoise.errors import RequestError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from equipoise.data.schema import Schema
    from equipoise.networks.latents import Prior

Logits = Literal["probability", "relativistic"]


@dataclass(frozen=True)
class Rates:
    """What a schedule sets at one moment of a training."""

    learning_rate: float
    """Of both players."""
    beta2: float
    """Adam's second beta."""
    penalty: float
    """Weight of the penalties' sum."""
    average_half_life: float
    """Half-life of the generator's average, in samples seen."""


@dataclass(frozen=True)
class Pass:
    """What D has just seen, real samples first and then as many generated ones, and said, for penalties. Inputs require gradients."""

    x: Tensor
    """(2 N, *shape)."""
    logits: Tensor
    """(2 N,)."""


@dataclass(frozen=True)
class Method:
    """A recipe built for one data set: the players, their losses and what surrounds them. `step.py` reads it and nothing else."""

    generator: nn.Module
    """Latents (N, Z), and classes (N,) or None, to scaled samples (N, *shape)."""
    discriminator: nn.Module
    """Scaled samples (N, *shape), and classes or None, to logits: one a sample, or one a batch."""
    prior: Prior
    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    """Of the logits on real and on generated samples."""
    generator_loss: Callable[[Tensor, Tensor], Tensor]
    """Of the logits on real and on generated samples; those on real ones matter only to relativistic losses."""
    schedule: Callable[[float], Rates]
    """Of the share of the training done, 0 to 1."""
    penalty: Callable[[Pass], dict[str, Tensor]] | None = None
    """Named terms, (), whose sum times the scheduled weight joins D's loss in the same optimiser step."""
    logits: Logits = "probability"
    """What D's logits mean: sigma(D(x)) is the probability that x is real, or only differences D(x) - D(x') mean anything."""
    pairs: bool = False
    """Whether G's loss compares fakes with real samples' logits."""
    together: bool = True
    """Whether real and generated samples pass D as one batch: faster, but not for a D that looks across its batch."""
    discriminator_steps: int = 1
    """Steps of D for every step of G."""

    def __post_init__(self) -> None:
        if self.penalty is not None and not self.together:
            raise ValueError("a penalty is taken at samples one by one, which a D that looks across its batch does not have")


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """The choices that every method has. Each field is a command-line option, a Python keyword and a line of config.json."""

    name: ClassVar[str]
    summary: ClassVar[str]
    paper: ClassVar[str]
    at_least: ClassVar[dict[str, int]] = {"batch_size": 1, "discriminator_steps": 1}

    batch_size: int = 128
    """Samples in a batch."""
    learning_rate: float = 1e-3
    """Adam's step size at the start, for both players."""
    learning_rate_end: float = 0.01
    """Share of the learning rate left at the end, reached along a cosine; 1 keeps it constant."""
    beta1: float = 0.0
    """Adam's first beta: momentum."""
    beta2: float = 0.99
    """Adam's second beta."""
    discriminator_steps: int = 1
    """Steps of D for every step of G."""
    average_half_life: float = 10_000
    """Half-life of the generator's average, in samples seen; 0 for no average."""
    conditional: bool | None = None
    """Learn each class: on or off; left out, on when labels are handed over, off when the data merely has them."""
    scaling: ScalingKind = "standard"
    """How networks see the data: zero mean and unit variance (standard), or on [-1, 1] (unit)."""

    def __post_init__(self) -> None:
        for field in ("learning_rate", "average_half_life"):
            value = getattr(self, field)
            if not (math.isfinite(value) and (value > 0 or (value == 0 and field != "learning_rate"))):
                raise RequestError(f"{field} = {value}: must be a positive number")
        for field in self.at_least:
            if getattr(self, field) < self.at_least[field]:
                raise RequestError(f"{field} = {getattr(self, field)}: must be at least {self.at_least[field]}")
        if not 0 < self.learning_rate_end <= 1:
            raise RequestError(f"learning_rate_end = {self.learning_rate_end}: must be above 0 and at most 1")
        for field in ("beta1", "beta2"):
            if not 0 <= getattr(self, field) < 1:
                raise RequestError(f"{field} = {getattr(self, field)}: must be at least 0 and below 1")

    @abstractmethod
    def build(self, schema: Schema) -> Method:
        """The method for data of this shape. Weights are drawn from torch's global generator, which the caller seeds."""

    def schedule(self, progress: float) -> Rates:
        """The rates after this share of the training, 0 to 1."""
        rate = cosine(self.learning_rate, self.learning_rate * self.learning_rate_end, progress)
        return Rates(rate, self.beta2, penalty=0.0, average_half_life=self.average_half_life)

    @classmethod
    def defaults(cls, schema: Schema) -> dict[str, Any]:
        """The defaults that depend on the data, where they differ from the fields' own."""
        return {}

    @classmethod
    def for_data(cls, schema: Schema, given: dict[str, Any]) -> Self:
        """The recipe with the user's choices, and for the rest the defaults for data of this shape."""
        recipe = cls(**{**cls.defaults(schema), **given})
        recipe.check(schema)
        return recipe

    def default_samples(self, schema: Schema) -> int:
        """Real samples to see if the user sets neither samples nor minutes."""
        if schema.is_picture:
            return 1_500_000
        return 512_000 if schema.size == 1 else 1_536_000

    def check(self, schema: Schema) -> None:
        """Raises RequestError where this recipe does not fit data of this shape."""
        if self.conditional and schema.classes is None:
            raise RequestError("conditional is on, but the data has no labels: give labels, or leave conditional out")


def cosine(start: float, end: float, progress: float) -> float:
    """From start to end along half a cosine as progress goes from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2
