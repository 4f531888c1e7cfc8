"""What a recipe is: a dataclass of choices that, for data of a given shape, becomes a Method: all that a training step needs to know.

Recipes are light: they import torch only when they are built, so that the command line can show their fields at once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from equipoise.data import ScalingKind
from equipoise.errors import RequestError, nearest

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from equipoise.data.schema import Schema
    from equipoise.networks.augmentation import Augmentation
    from equipoise.networks.latents import Prior

Logits = Literal["probability", "relativistic", "score", "critic"]
Optimizer = Literal["adam", "rmsprop"]
AUGMENTATIONS = ("color", "translation", "cutout")


@dataclass(frozen=True)
class Rates:
    """What a schedule sets at one moment of a training."""

    learning_rate: float
    """Of G; D's is this times the recipe's `discriminator_rate`."""
    beta2: float
    """Adam's second beta, or RMSProp's smoothing constant."""
    penalty: float
    """Weight of the penalties' sum."""
    average_half_life: float
    """Half-life of the generator's average, in samples seen."""
    augment: float = 1.0
    """Probability of each augmentation, where it is not adapted."""


@dataclass(frozen=True)
class Pass:
    """What D has just seen, real samples first and then as many generated ones, and said, for penalties."""

    x: Tensor
    """(2 N, *shape); it requires gradients where the method's `penalty_at` is "samples"."""
    logits: Tensor
    """(2 N,)."""
    ask: Callable[[Tensor], Tensor]
    """D's logits, (N,), on N further samples of the same classes as the real ones."""
    randomness: torch.Generator
    """For penalties that draw."""

    @property
    def real(self) -> Tensor:
        """(N, *shape)."""
        return self.x[: len(self.x) // 2]

    @property
    def fake(self) -> Tensor:
        """(N, *shape)."""
        return self.x[len(self.x) // 2 :]


@dataclass(frozen=True)
class Answers:
    """What D's auxiliary head said, for the terms that both players share."""

    real: Tensor | None
    """(N, K), on real samples; None in G's step."""
    fake: Tensor
    """(N, K), on generated samples."""
    y: Tensor | None
    """(N,), the classes of both, if there are any."""
    z: Tensor
    """(N, Z), the latents that the generated samples were made of."""


class Players(NamedTuple):
    """The two networks and the law of the latents, as `Method` has them."""

    generator: nn.Module
    discriminator: nn.Module
    prior: Prior


class Losses(NamedTuple):
    """The loss pair, as `Method` has it."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Method:
    """A recipe built for one data set: the players, their losses and what surrounds them. `step.py` reads it and nothing else."""

    generator: nn.Module
    """Latents (N, Z), and classes (N,) or None, to scaled samples (N, *shape)."""
    discriminator: nn.Module
    """Scaled samples (N, *shape), and classes or None, to logits, one a sample or one a batch, and the auxiliary head's answers (N, K), of
    which there are none without such a head."""
    prior: Prior
    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    """Of the logits on real and on generated samples."""
    generator_loss: Callable[[Tensor, Tensor], Tensor]
    """Of the logits on real and on generated samples; those on real ones matter only to relativistic losses."""
    schedule: Callable[[float], Rates]
    """Of the share of the training done, 0 to 1."""
    penalty: Callable[[Pass], dict[str, Tensor]] | None = None
    """Named terms, (), whose sum times the scheduled weight joins D's loss in the same optimiser step."""
    penalty_at: Literal["samples", "elsewhere"] = "samples"
    """Where the penalty differentiates D: at the samples that it has just judged, or at points of its own."""
    auxiliary: Callable[[Answers], tuple[Tensor, dict[str, Tensor]]] | None = None
    """A term, (), that joins both players' losses, and what the log shall hold of it."""
    constraint: Callable[[nn.Module], None] | None = None
    """What is done to D's weights after each of its steps, such as clipping."""
    augmentation: Augmentation | None = None
    """Random changes of everything that D sees, real and generated."""
    logits: Logits = "probability"
    """What D's logits mean: sigma(D(x)) is the probability that x is real; only differences D(x) - D(x') mean anything (relativistic);
    a number that is higher for real samples (score); the same, and mean D(x) - mean D(x') estimates the Wasserstein distance up to an
    unknown factor (critic)."""
    pairs: bool = False
    """Whether G's loss compares fakes with real samples' logits."""
    together: bool = True
    """Whether real and generated samples pass D as one batch: faster, but not for a D that looks across its batch, as with BatchNorm."""
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
    needs_labels: ClassVar[bool] = False
    """Whether the method learns classes and nothing else."""
    takes_labels: ClassVar[bool] = True
    """Whether the method can learn classes."""
    at_least: ClassVar[dict[str, float]] = {"batch_size": 1, "discriminator_steps": 1, "average_half_life": 0}
    above_zero: ClassVar[tuple[str, ...]] = ("learning_rate", "discriminator_rate")
    shares: ClassVar[tuple[str, ...]] = ("augment_probability", "augment_target")

    betas: ClassVar[tuple[str, ...]] = ("beta1", "beta2")

    batch_size: int = 128
    """Samples in a batch."""
    learning_rate: float = 1e-3
    """The optimisers' step size at the start."""
    learning_rate_end: float = 0.01
    """Share of the learning rate left at the end, reached along a cosine; 1 keeps it constant."""
    discriminator_rate: float = 1.0
    """D's learning rate over G's: other than 1 for two time-scales (Heusel et al. 2017)."""
    optimizer: Optimizer = "adam"
    """Adam (Kingma & Ba 2015) or RMSProp (Tieleman & Hinton 2012)."""
    beta1: float = 0.0
    """Adam's first beta: momentum."""
    beta2: float = 0.99
    """Adam's second beta, or RMSProp's smoothing constant."""
    discriminator_steps: int = 1
    """Steps of D for every step of G (n_critic)."""
    average_half_life: float = 10_000
    """Half-life of the generator's average, in samples seen; 0 for no average."""
    conditional: bool | None = None
    """Learn each class: on or off; left out, on when labels are handed over, off when the data merely has them."""
    scaling: ScalingKind = "standard"
    """How networks see the data: zero mean and unit variance (standard), or on [-1, 1] (unit)."""
    augment: str = "none"
    """For few pictures: random changes of all that D sees (DiffAugment, Zhao et al. 2020): color, translation, cutout, or several with
    commas between."""
    augment_probability: float = 1.0
    """Probability of each of them, for each picture."""
    augment_target: float | None = None
    """Adapt that probability, from 0, so that this share more of the real pictures are taken for real than not (ADA, Karras et al. 2020,
    who use 0.6)."""

    def __post_init__(self) -> None:
        for field in self.above_zero:
            value = getattr(self, field)
            if not (math.isfinite(value) and value > 0):
                raise RequestError(f"{field} = {value}: must be a positive number")
        for field, least in self.at_least.items():
            value = getattr(self, field)
            if not (math.isfinite(value) and value >= least):
                raise RequestError(f"{field} = {value}: must be {'a number of ' if isinstance(value, float) else ''}at least {least}")
        for field in self.shares:
            value = getattr(self, field)
            if value is not None and not 0 <= value <= 1:
                raise RequestError(f"{field} = {value}: must be from 0 to 1")
        if not 0 < self.learning_rate_end <= 1:
            raise RequestError(f"learning_rate_end = {self.learning_rate_end}: must be above 0 and at most 1")
        for field in self.betas:
            if not 0 <= getattr(self, field) < 1:
                raise RequestError(f"{field} = {getattr(self, field)}: must be at least 0 and below 1")
        for kind in self.augmentations:
            if kind not in AUGMENTATIONS:
                raise RequestError(f"augment = {self.augment!r}: {nearest(kind, AUGMENTATIONS)}")
        if self.augment_target is not None and not self.augmentations:
            raise RequestError(
                f"augment_target = {self.augment_target} has nothing to adapt: set augment, for one to color,translation,cutout"
            )

    @property
    def augmentations(self) -> list[str]:
        """The kinds of `augment`."""
        return [] if self.augment in ("", "none") else [kind.strip() for kind in self.augment.split(",")]

    @abstractmethod
    def build(self, schema: Schema) -> Method:
        """The method for data of this shape. Weights are drawn from torch's global generator, which the caller seeds."""

    def method(self, players: Players, losses: Losses, logits: Logits = "probability", **parts: Any) -> Method:
        """The Method of these players and losses, with further parts of it as they are named there, and with what the fields say."""
        augmentation = None
        if self.augmentations:
            from equipoise.networks.augmentation import Augmentation

            augmentation = Augmentation(
                self.augmentations, self.augment_target, None if logits in ("relativistic", "critic") else self.undecided
            )
        return Method(
            generator=players.generator,
            discriminator=players.discriminator,
            prior=players.prior,
            discriminator_loss=losses.discriminator,
            generator_loss=losses.generator,
            schedule=self.schedule,
            discriminator_steps=self.discriminator_steps,
            augmentation=augmentation,
            logits=logits,
            **parts,
        )

    @property
    def undecided(self) -> float:
        """The logit at which D takes a sample for neither real nor generated, where there is one."""
        return 0.0

    def schedule(self, progress: float) -> Rates:
        """The rates after this share of the training, 0 to 1."""
        rate = cosine(self.learning_rate, self.learning_rate * self.learning_rate_end, progress)
        return Rates(rate, self.beta2, penalty=0.0, average_half_life=self.average_half_life, augment=self.augment_probability)

    def classes(self, schema: Schema) -> int:
        """How many classes the players are told; 0 for none."""
        return len(schema.classes or ()) if self.conditional else 0

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
        return (512_000 if schema.size == 1 else 1_536_000) * self.discriminator_steps

    def check(self, schema: Schema) -> None:
        """Raises RequestError where this recipe does not fit data of this shape."""
        if self.needs_labels and schema.classes is None:
            raise RequestError(f"{self.name} learns classes, but the data has no labels: give labels, or use another recipe")
        if self.needs_labels and not self.conditional:
            raise RequestError(f"conditional is off, but {self.name} learns classes: leave conditional out, or use another recipe")
        if self.conditional and schema.classes is None:
            raise RequestError("conditional is on, but the data has no labels: give labels, or leave conditional out")
        if self.conditional and not self.takes_labels:
            raise RequestError(f"{self.name} does not learn from labels: leave them and conditional out, or use the recipe 'cgan'")
        if self.augmentations and not schema.is_picture:
            raise RequestError(f"augment = {self.augment!r} is for pictures: leave it out")


def cosine(start: float, end: float, progress: float) -> float:
    """From start to end along half a cosine as progress goes from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2
