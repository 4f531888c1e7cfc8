"""The base class of recipes: dataclasses of settings that build a Method for given
data.

Recipes import torch only in `build`, so that the command line can show their fields
quickly.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar

from equipoise.coerce import Ge, Gt, Interval, Le, Lt, minimum, validate
from equipoise.data import ScalingKind
from equipoise.errors import RequestError, nearest
from equipoise.ranges import Among, Around, Between, Doublings, SearchRange, search_ranges
from equipoise.recipes.method import Losses, Method, Networks, Rates
from equipoise.recipes.output import DiscriminatorOutput, Probability
from equipoise.transforms.space import NetworkSpace, TableKind, has_colors

if TYPE_CHECKING:
    from torch import nn

    from equipoise.data.schema import Schema

Optimizer = Literal["adam", "rmsprop", "sgd"]
Preset = Literal["sized", "paper"]
AUGMENTATIONS = ("color", "translation", "cutout")
# Maximum width of a layer or latent. The weights of wider ones do not fit into memory.
MAX_UNITS = 2**20


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """The settings that every method has.

    Each field is a command-line option, a Python keyword and an entry of config.json.
    Its docstring is the option's help, and its `Annotated` bounds are checked.

    To add a method, subclass this (or another recipe) as a frozen dataclass with
    `name`, `summary`, `paper` and `build`, and decorate it with `register`. Fields that
    change training have the range in which a sweep searches them (`ranges`).
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    paper: ClassVar[str]
    needs_labels: ClassVar[bool] = False
    """Whether the method needs labels."""
    takes_labels: ClassVar[bool] = True
    """Whether both networks can be conditioned on classes, which are labels or
    clusters."""
    images_only: ClassVar[bool] = False
    """Whether the method is for images alone."""
    tables_only: ClassVar[bool] = False
    """Whether the method is for tables of mixed columns alone."""
    table_kind: ClassVar[TableKind] = "scores"
    """How networks see tables of mixed columns."""
    one_at_a_time: ClassVar[str] = ""
    """Why D cannot be given several samples at once; empty where it can."""
    published_for: ClassVar[str] = ""
    """The data that `published` has a setting for, for messages; empty if for none."""

    preset: Preset = "sized"
    """sized: the defaults, for little time on a CPU. paper: what the method's authors
    published for such data. A field that is given comes before either."""
    batch_size: Annotated[int, Ge(1), Le(2**31), Doublings(2)] = 128
    """Samples in a batch."""
    learning_rate: Annotated[float, Gt(0), Around(10)] = 1e-3
    """Learning rate at the start."""
    learning_rate_end: Annotated[float, Gt(0), Le(1), Between(0.01, 1, log=True)] = 0.01
    """Fraction of the learning rate left at the end of a cosine decay. 1: constant."""
    discriminator_rate: Annotated[float, Gt(0), Around(4)] = 1.0
    """D's learning rate divided by G's (two time-scales: Heusel et al. 2017)."""
    optimizer: Optimizer = "adam"
    """adam (Kingma & Ba 2015), rmsprop (Tieleman & Hinton 2012), or sgd with momentum
    beta1."""
    beta1: Annotated[float, Ge(0), Lt(1), Between(0, 0.9)] = 0.0
    """Adam's first beta, or SGD's: momentum."""
    beta2: Annotated[float, Ge(0), Lt(1), Among((0.9, 0.99, 0.999))] = 0.99
    """Adam's second beta, or RMSProp's smoothing constant."""
    weight_decay: Annotated[float, Ge(0), Le(1)] = 0.0
    """Factor of G's weights that joins their gradients (L2 penalty)."""
    discriminator_steps: Annotated[int, Ge(1), Le(1000), Between(1, 5)] = 1
    """Steps of D for every step of G (n_critic)."""
    ema_half_life: Annotated[float, Ge(0), Around(10)] = 10_000
    """Half-life of the EMA of G's weights, in samples seen. 0: no EMA."""
    conditional: bool | None = None
    """Condition G and D on the labels. Default: yes if labels are given with the data,
    no if a data set merely comes with them."""
    scaling: ScalingKind = "standard"
    """How networks see the data: standard (zero mean, unit variance) or unit (on [-1,
    1])."""
    clusters: Annotated[int | None, Ge(0), Le(2**16)] = 0
    """Number of clusters that G and D are conditioned on (Gaussian mixture for points,
    latent classes for tables, k-means for images). 0: none; 1: none, but points are
    whitened."""
    per_channel_clusters: bool | None = False
    """Cluster each image channel independently."""
    packing: Annotated[int, Ge(1), Le(1024)] = 1
    """Samples that D sees at once, all real or all generated, so that it notices if
    they are alike (PacGAN, Lin et al. 2018)."""
    augment: str = "none"
    """For few images: random changes of all images that D sees (DiffAugment, Zhao et
    al. 2020): color, translation, cutout, or several with commas between."""
    augment_probability: Annotated[float, Interval(0, 1)] = 1.0
    """Probability of each augmentation, for each image."""
    augment_target: Annotated[float | None, Interval(0, 1)] = None
    """Adapt the probability, from 0, until the mean sign of D's output on real images
    is this (ADA, Karras et al. 2020, who use 0.6)."""

    def __post_init__(self) -> None:
        validate(self, self.conflicts)

    def conflicts(self) -> list[str]:
        """Mistakes that concern several fields, or a field's text, one text each.

        Bounds of single numbers are annotations of their fields.
        """
        wrong = [
            f"augment = {self.augment!r}: {nearest(kind, AUGMENTATIONS)}"
            for kind in self.augmentations
            if kind not in AUGMENTATIONS
        ]
        if self.augment_target is not None and not self.augmentations:
            wrong.append(
                f"augment_target = {self.augment_target} has nothing to adapt: set augment, "
                "for example to color,translation,cutout"
            )
        return [*wrong, *self._broken_packs()]

    def _broken_packs(self) -> list[str]:
        """A text where a batch is not of whole packs, or not of as many packs as it
        must have samples."""
        if self.packing <= 1:
            return []
        if self.batch_size % self.packing == 0 and self.batch_size >= self.smallest_batch:
            return []
        below = max(self.batch_size // self.packing * self.packing, self.smallest_batch)
        above = f" or {below + self.packing}" if below < self.batch_size else ""
        return [
            f"batch_size = {self.batch_size}, packing = {self.packing}: a batch is of whole "
            f"packs, use batch_size = {below}{above}"
        ]

    @property
    def smallest_batch(self) -> int:
        """Samples in a batch, at least: as many packs as there must be samples."""
        return math.ceil(minimum(type(self), "batch_size")) * self.packing

    @property
    def sees_photo_features(self) -> bool:
        """Whether D sees the features that colour images are judged by
        (`metrics.photos`), so that other features must judge too."""
        return False

    @property
    def ends_level(self) -> bool:
        """Whether D is right about half of what it sees at the end of a good
        training."""
        return True

    @property
    def augmentations(self) -> list[str]:
        """The kinds of `augment`."""
        return (
            []
            if self.augment in ("", "none")
            else [kind.strip() for kind in self.augment.split(",")]
        )

    @abstractmethod
    def build(self, space: NetworkSpace) -> Method:
        """Build the method for networks in this space.

        Import torch and the networks here, not at the top of the file. Initialise
        weights with torch's functions; the caller controls their random generator.
        `self.method` adds the parts of the common fields.

        Args:
            space: Shape, classes and kind of the networks' samples.
        """

    def discriminator(self, space: NetworkSpace) -> nn.Module:
        """D alone, as `build` makes it. For packs it is asked for in a space of packs.

        A recipe whose G would be large there makes D without it.
        """
        return self.build(space).discriminator

    def method(
        self,
        networks: Networks,
        losses: Losses,
        output: DiscriminatorOutput | None = None,
        **parts: Any,
    ) -> Method:
        """The method of these networks and losses, with the parts of the common fields.

        Args:
            networks: The networks and the prior.
            losses: The loss pair.
            output: The meaning of D's output. Default: the logit of a probability.
            **parts: Further fields of `Method`, such as `penalty`. `together` is off by
                default for a D with BatchNorm.
        """
        from equipoise.networks.batchnorm import has_batch_norm

        parts.setdefault("together", not has_batch_norm(networks.discriminator))
        augmentation = None
        if self.augmentations:
            from equipoise.networks.augmentation import Augmentation

            augmentation = Augmentation(self.augmentations, self.augment_target)
        return Method(
            generator=networks.generator,
            discriminator=networks.discriminator,
            prior=networks.prior,
            discriminator_loss=losses.discriminator,
            generator_loss=losses.generator,
            schedule=self.schedule,
            discriminator_steps=self.discriminator_steps,
            augmentation=augmentation,
            output=output or Probability(),
            **parts,
        )

    def schedule(self, progress: float, samples_seen: int = 0) -> Rates:
        """Learning rate, penalty weight and the like at one moment.

        Args:
            progress: Fraction of the training done, 0 to 1.
            samples_seen: Real samples seen so far.
        """
        rate = cosine(self.learning_rate, self.learning_rate * self.learning_rate_end, progress)
        return Rates(
            rate,
            self.beta2,
            penalty=1.0,
            ema_half_life=self.ema_half_life,
            augment=self.augment_probability,
        )

    def searched(self) -> dict[str, SearchRange]:
        """The fields that a sweep searches by default, and their ranges: those that
        have an effect beside these settings."""
        found = search_ranges(type(self))
        if self.optimizer == "rmsprop":
            del found["beta1"]
        if self.optimizer == "sgd":
            del found["beta2"]
        return found

    def labels(self, space: NetworkSpace) -> int:
        """Number of labels that the networks learn; 0 for none."""
        return (space.labels or 0) if self.conditional else 0

    def classes(self, space: NetworkSpace) -> int:
        """Number of classes that the networks are conditioned on: labels, clusters, or
        pairs of both; 0 for none. Independently clustered channels have separate
        classes."""
        labels, clusters = self.labels(space), self.clusters or 1
        if self.clusters_channels(space) and clusters > 1:
            return clusters * space.shape[0]
        return labels if clusters == 1 else max(labels, 1) * clusters

    def clusters_channels(self, space: NetworkSpace) -> bool:
        """Whether each channel is clustered independently."""
        return bool(self.per_channel_clusters) and space.is_image and not self.labels(space)

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        """The defaults that depend on the data, where they differ from the fields'."""
        return {}

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        """The fields of the setting that the authors published for such data, with
        which `preset` is paper; None if they published none. Fields whose defaults are
        the published ones in any case may be left out."""
        return None

    @classmethod
    def for_data(cls, schema: Schema, given: dict[str, Any]) -> Self:
        """The recipe with the given fields, those of the preset, and defaults for data
        of this schema.

        Raises:
            RequestError: Fields are invalid, or do not fit the data, or no setting is
                published for it.
        """
        space = NetworkSpace.of(schema, cls.table_kind)
        preset = cls._published(space) if given.get("preset") == "paper" else {}
        recipe = cls(**{**cls.defaults(space), **preset, **given})
        recipe.check(space)
        return recipe

    @classmethod
    def _published(cls, space: NetworkSpace) -> dict[str, Any]:
        """As `published`.

        Raises:
            RequestError: The data is not of the recipe's kind, or no setting is
                published for it.
        """
        cls.check_kind(space)
        found = cls.published(space)
        if found is not None:
            return found
        if not cls.published_for:
            raise RequestError(
                f"preset = 'paper': {cls.name} has no published setting: leave preset out, or "
                "use the recipe of a paper, such as 'r3gan'"
            )
        raise RequestError(
            f"preset = 'paper': published for {cls.published_for}, this data is "
            f"{_described(space)}: leave preset out"
        )

    def notes(self, schema: Schema) -> list[str]:
        """What a user should know at the start about this recipe on this data, a line
        each."""
        return []

    def default_samples(self, space: NetworkSpace) -> int:
        """Real samples to train on if the user sets neither samples nor minutes."""
        if space.is_image:
            return 1_500_000
        return (512_000 if space.size == 1 else 1_536_000) * self.discriminator_steps

    def check(self, space: NetworkSpace) -> None:
        """Check the recipe's fields against the data.

        Raises:
            RequestError: They do not fit. The message has the necessary change.
        """
        self.check_kind(space)
        if self.needs_labels and space.labels is None:
            raise RequestError(
                f"{self.name} learns classes, but the data has no labels: give labels, or use "
                "another recipe"
            )
        if self.needs_labels and not self.conditional:
            raise RequestError(
                f"conditional is off, but {self.name} learns classes: leave conditional out, "
                "or use another recipe"
            )
        if self.conditional and space.labels is None:
            raise RequestError(
                "conditional is on, but the data has no labels: give labels, or leave "
                "conditional out"
            )
        if self.conditional and not self.takes_labels:
            raise RequestError(
                f"{self.name} does not learn from labels: leave them and conditional out, or "
                "use the recipe 'cgan'"
            )
        self._check_clusters(space)
        if self.augmentations and not space.is_image:
            raise RequestError(f"augment = {self.augment!r} is for images: leave it out")
        if self.packing > 1 and self.one_at_a_time:
            raise RequestError(
                f"packing = {self.packing}: {self.name}'s D {self.one_at_a_time}: leave it out"
            )

    @classmethod
    def check_kind(cls, space: NetworkSpace) -> None:
        """Check that the method is for this kind of data.

        Raises:
            RequestError: It is not. The message has recipes that are.
        """
        if cls.images_only and not space.is_image:
            raise RequestError(
                f"{cls.name} is for images, and this data is points: use the recipe 'classic' or "
                "'balanced'"
            )
        if cls.tables_only and not space.is_table:
            raise RequestError(
                f"{cls.name} is for tables with categories, dates or blanks, and this data is "
                f"{'images' if space.is_image else 'numbers alone'}: use the recipe 'balanced' or "
                "'pacgan'"
            )

    def _check_clusters(self, space: NetworkSpace) -> None:
        """Check the fields of clusters against the data, see `check`."""
        if self.clusters != 0 and not self.takes_labels:
            raise RequestError(
                f"clusters = {self.clusters}: {self.name} is not conditioned on classes, which "
                "clusters are: leave it out"
            )
        if self.per_channel_clusters and not (space.is_image and space.shape[0] > 1):
            raise RequestError(
                "per_channel_clusters is on, which is for images of several channels: leave it out"
            )
        if self.per_channel_clusters and self.clusters in (0, 1):
            raise RequestError(
                f"per_channel_clusters is on, and clusters = {self.clusters}: give the number "
                "of clusters of each channel, or leave it out"
            )
        if self.per_channel_clusters and self.conditional:
            raise RequestError("per_channel_clusters is on, and so is conditional: leave one out")


RECIPES: dict[str, type[Recipe]] = {}
"""Every registered recipe by its name; `recipes.catalogue` adds those of files and
packages that were not imported yet."""
# Names of the recipes in this folder, reserved before they are imported.
OWN_NAMES = {path.stem.replace("_", "-") for path in Path(__file__).parent.glob("[a-z]*.py")}
R = TypeVar("R", bound=type[Recipe])


def register(recipe: R) -> R:
    """Class decorator: register a recipe under its `name`.

        @register
        @dataclass(frozen=True, kw_only=True)
        class Hinge(Balanced):
            name = "balanced-hinge"
            ...

    A class with the same module and name replaces an earlier one, so that a notebook's
    cell can be run again.

    Raises:
        RequestError: The class is not a complete recipe, or another has its name.
    """
    who = f"{getattr(recipe, '__module__', '')}:{getattr(recipe, '__qualname__', recipe)}"
    if not (isinstance(recipe, type) and issubclass(recipe, Recipe)) or isabstract(recipe):
        raise RequestError(f"{who} is not a subclass of Recipe with a build of its own")
    name = vars(recipe).get("name")
    if not isinstance(name, str) or not name:
        raise RequestError(f"{who} has no name of its own: give the class name = 'my-recipe'")
    missing = [
        field for field in ("summary", "paper") if not isinstance(getattr(recipe, field, None), str)
    ]
    if missing:
        raise RequestError(f"{who} has no {' and no '.join(missing)}")
    is_own = recipe.__module__.startswith(f"{__package__}.")
    if name in OWN_NAMES and not is_own:
        raise RequestError(f"{who} has the name {name!r}, which is one of Equipoise's own")
    other = RECIPES.get(name, recipe)
    if (other.__module__, other.__qualname__) != (recipe.__module__, recipe.__qualname__):
        raise RequestError(f"{who} has the name {name!r}, which {other.__module__} has taken")
    RECIPES[name] = recipe
    return recipe


def _described(space: NetworkSpace) -> str:
    """The kind of the data, in words."""
    if space.is_image:
        _, height, width = space.shape
        kind = "colour" if has_colors(space.shape) else "grey"
        return f"{height} x {width} {kind} images"
    if space.is_table:
        return "tables"
    if not space.is_points:
        return "windows of series"
    return f"points of {space.size} numbers" if space.size > 1 else "points of one number"


def cosine(start: float, end: float, progress: float) -> float:
    """From start to end along half a cosine as progress goes from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2
