"""What a recipe is: a dataclass of choices that, for data of a given shape, becomes a
Method: all that a training step needs to know.

Recipes are light: they import torch only when they are built, so that the command line
can show their fields at once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from equipoise.data import ScalingKind
from equipoise.errors import RequestError, nearest
from equipoise.recipes.method import Logits, Losses, Method, Networks, Rates

if TYPE_CHECKING:
    from equipoise.data.schema import Schema

Optimizer = Literal["adam", "rmsprop"]
AUGMENTATIONS = ("color", "translation", "cutout")


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """The choices that every method has.

    Each field is a command-line option, a Python keyword and a line of config.json.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    paper: ClassVar[str]
    needs_labels: ClassVar[bool] = False
    """Whether the method learns classes and nothing else."""
    takes_labels: ClassVar[bool] = True
    """Whether the method can learn classes."""
    at_least: ClassVar[dict[str, float]] = {
        "batch_size": 1,
        "discriminator_steps": 1,
        "ema_half_life": 0,
        "clusters": 0,
    }
    at_most: ClassVar[dict[str, float]] = {
        "batch_size": 2**31,
        "discriminator_steps": 1000,
        "clusters": 2**16,
        "width": 2**20,  # wider ones have weights that no memory holds
        "latent_dim": 2**20,
    }
    above_zero: ClassVar[tuple[str, ...]] = ("learning_rate", "discriminator_rate")
    shares: ClassVar[tuple[str, ...]] = ("augment_probability", "augment_target")

    betas: ClassVar[tuple[str, ...]] = ("beta1", "beta2")

    batch_size: int = 128
    """Samples in a batch."""
    learning_rate: float = 1e-3
    """The optimisers' step size at the start."""
    learning_rate_end: float = 0.01
    """Share of the learning rate left at the end, reached along a cosine; 1 keeps it
    constant."""
    discriminator_rate: float = 1.0
    """D's learning rate over G's: other than 1 for two time-scales (Heusel et al.
    2017)."""
    optimizer: Optimizer = "adam"
    """Adam (Kingma & Ba 2015) or RMSProp (Tieleman & Hinton 2012)."""
    beta1: float = 0.0
    """Adam's first beta: momentum."""
    beta2: float = 0.99
    """Adam's second beta, or RMSProp's smoothing constant."""
    discriminator_steps: int = 1
    """Steps of D for every step of G (n_critic)."""
    ema_half_life: float = 10_000
    """Half-life of the generator's average, in samples seen; 0 for no average."""
    conditional: bool | None = None
    """Learn each class: on or off; left out, on when labels are handed over, off when
    the data merely has them."""
    scaling: ScalingKind = "standard"
    """How networks see the data: zero mean and unit variance (standard), or on [-1, 1]
    (unit)."""
    clusters: int | None = 0
    """Modes that the data is taken apart into, each a class of its own to the networks:
    normal components of points, groups of images that look alike. 0 for none; 1 is none
    too, but for points of several columns, which are seen relative to the one."""
    per_channel_clusters: bool | None = False
    """Find the groups of images in each channel by itself: on or off."""
    augment: str = "none"
    """For few images: random changes of all that D sees (DiffAugment, Zhao et al.
    2020): color, translation, cutout, or several with commas between."""
    augment_probability: float = 1.0
    """Probability of each of them, for each image."""
    augment_target: float | None = None
    """Adapt that probability, from 0, so that this share more of the real images are
    taken for real than not (ADA, Karras et al. 2020, who use 0.6)."""

    def __post_init__(self) -> None:
        for field in self.above_zero:
            value = getattr(self, field)
            if not (math.isfinite(value) and value > 0):
                raise RequestError(f"{field} = {value}: must be a positive number")
        for field, least in self.at_least.items():
            value, most = getattr(self, field), self.at_most.get(field, math.inf)
            if value is not None and not (math.isfinite(value) and least <= value <= most):
                bound = (
                    f"at least {least}" if value < least or most == math.inf else f"at most {most}"
                )
                raise RequestError(
                    f"{field} = {value}: must be "
                    f"{'a number of ' if isinstance(value, float) else ''}{bound}"
                )
        for field in self.shares:
            value = getattr(self, field)
            if value is not None and not 0 <= value <= 1:
                raise RequestError(f"{field} = {value}: must be from 0 to 1")
        if not 0 < self.learning_rate_end <= 1:
            raise RequestError(
                f"learning_rate_end = {self.learning_rate_end}: must be above 0 and at most 1"
            )
        for field in self.betas:
            if not 0 <= getattr(self, field) < 1:
                raise RequestError(
                    f"{field} = {getattr(self, field)}: must be at least 0 and below 1"
                )
        for kind in self.augmentations:
            if kind not in AUGMENTATIONS:
                raise RequestError(f"augment = {self.augment!r}: {nearest(kind, AUGMENTATIONS)}")
        if self.augment_target is not None and not self.augmentations:
            raise RequestError(
                f"augment_target = {self.augment_target} has nothing to adapt: set augment, "
                "for one to color,translation,cutout"
            )

    @property
    def augmentations(self) -> list[str]:
        """The kinds of `augment`."""
        return (
            []
            if self.augment in ("", "none")
            else [kind.strip() for kind in self.augment.split(",")]
        )

    @abstractmethod
    def build(self, schema: Schema) -> Method:
        """The method for data of this shape.

        Weights are drawn as torch's layers do; the caller decides from which generator.
        """

    def method(
        self,
        schema: Schema,
        networks: Networks,
        losses: Losses,
        logits: Logits = "probability",
        **parts: Any,
    ) -> Method:
        """The Method of these networks and losses, with further parts of it as they are
        named there, and with what the fields say."""
        augmentation = None
        if self.augmentations:
            from equipoise.networks.augmentation import Augmentation

            augmentation = Augmentation(
                self.augmentations,
                self.augment_target,
                None if logits in ("relativistic", "critic") else self.undecided,
            )
        return Method(
            generator=networks.generator,
            discriminator=networks.discriminator,
            prior=networks.prior,
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
        """The logit at which D takes a sample for neither real nor generated, where
        there is one."""
        return 0.0

    def schedule(self, progress: float, samples_seen: int = 0) -> Rates:
        """The rates after this share of the training, 0 to 1, and so many samples."""
        rate = cosine(self.learning_rate, self.learning_rate * self.learning_rate_end, progress)
        return Rates(
            rate,
            self.beta2,
            penalty=0.0,
            ema_half_life=self.ema_half_life,
            augment=self.augment_probability,
        )

    def labels(self, schema: Schema) -> int:
        """How many labels the networks learn; 0 for none."""
        return len(schema.classes or ()) if self.conditional else 0

    def classes(self, schema: Schema) -> int:
        """How many classes the networks are told: labels, modes, or one for each pair
        of them; 0 for none. With channels clustered independently each has its own."""
        labels, clusters = self.labels(schema), self.clusters or 1
        if self.apart(schema) and clusters > 1:
            return clusters * schema.shape[0]
        return labels if clusters == 1 else max(labels, 1) * clusters

    def apart(self, schema: Schema) -> bool:
        """Whether each channel has modes of its own."""
        return bool(self.per_channel_clusters) and schema.is_image and not self.labels(schema)

    @classmethod
    def defaults(cls, schema: Schema) -> dict[str, Any]:
        """The defaults that depend on the data, where they differ from the fields' own."""
        return {}

    @classmethod
    def for_data(cls, schema: Schema, given: dict[str, Any]) -> Self:
        """The recipe with the user's choices, and for the rest the defaults for data of
        this shape."""
        recipe = cls(**{**cls.defaults(schema), **given})
        recipe.check(schema)
        return recipe

    def default_samples(self, schema: Schema) -> int:
        """Real samples to see if the user sets neither samples nor minutes."""
        if schema.is_image:
            return 1_500_000
        return (512_000 if schema.size == 1 else 1_536_000) * self.discriminator_steps

    def check(self, schema: Schema) -> None:
        """Raises:
        RequestError: Where this recipe does not fit data of this shape."""
        if self.needs_labels and schema.classes is None:
            raise RequestError(
                f"{self.name} learns classes, but the data has no labels: give labels, or use "
                "another recipe"
            )
        if self.needs_labels and not self.conditional:
            raise RequestError(
                f"conditional is off, but {self.name} learns classes: leave conditional out, "
                "or use another recipe"
            )
        if self.conditional and schema.classes is None:
            raise RequestError(
                "conditional is on, but the data has no labels: give labels, or leave "
                "conditional out"
            )
        if self.conditional and not self.takes_labels:
            raise RequestError(
                f"{self.name} does not learn from labels: leave them and conditional out, or "
                "use the recipe 'cgan'"
            )
        if self.clusters != 0 and not self.takes_labels:
            raise RequestError(
                f"clusters = {self.clusters}: {self.name} does not learn classes, which "
                "clusters are: leave it out"
            )
        if self.per_channel_clusters and not (schema.is_image and schema.shape[0] > 1):
            raise RequestError(
                "per_channel_clusters is on, which is for images of several channels: leave it out"
            )
        if self.per_channel_clusters and self.clusters in (0, 1):
            raise RequestError(
                f"per_channel_clusters is on, and clusters = {self.clusters}: say how many "
                "groups each channel is to have, or leave it out"
            )
        if self.per_channel_clusters and self.conditional:
            raise RequestError("per_channel_clusters is on, and so is conditional: leave one out")
        if self.augmentations and not schema.is_image:
            raise RequestError(f"augment = {self.augment!r} is for images: leave it out")


def cosine(start: float, end: float, progress: float) -> float:
    """From start to end along half a cosine as progress goes from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2
