"""References: real samples that generated ones are compared with, one class for each
kind of data.

A reference holds held-out samples and what follows from them, which is computed once.
It says in which features samples are neighbours: points in columns of unit variance,
MNIST's digits in the features of the shipped classifier, colour images in those of
EfficientNet-Lite0 where it is installed, other images in thumbnails. That of tables of
mixed columns is `tables.mixed_reference`, that of windows of series
`series.reference`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, TypeVar, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from equipoise.data.distributions import Distribution
from equipoise.metrics.digits import FEATURES, read_digits
from equipoise.metrics.photos import COSTS, PHOTO_NETWORK, photo_features, side_of
from equipoise.metrics.rotations import VALUE_COST as ROTATION_COST
from equipoise.metrics.rotations import train_rotation_network

Array = NDArray[np.float64]
Kind = Literal[
    "univariate", "tabular", "mixed", "series", "images", "digits", "photos", "rotations"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
POINTS: tuple[Kind, ...] = ("univariate", "tabular", "mixed", "series")
ANY_IMAGES: tuple[Kind, ...] = ("images", "photos", "rotations")  # but digits
MAX_PAIRED = 2_000  # points of which all pairwise distances are computed
NARROWING = 0.9  # factor on distances from the mean; a difference of this size matters
COMPONENTS = 64  # of the features of colour images (benchmarks/EXPERIMENTS.md)
THUMBNAIL = 8  # pixels a side of the thumbnails that images are compared on
THUMBNAIL_BATCH = 500  # images
POINT_COST = 2e4  # multiplications a sample, 2 microseconds
DIGIT_COST = 1e7  # 25 million multiplications, which run faster than a training's
VALUE_COST = 2400.0  # multiplications for each value of an image, 80 nanoseconds
T = TypeVar("T")


class Reference(ABC):
    """Held-out real samples of one kind of data."""

    kind: ClassVar[Kind]
    n: int
    """Generated samples that a comparison takes."""
    cost: float
    """Of measuring one sample while training, in multiplications that take a training
    as long (`training.evaluation_schedule`)."""
    description: str
    """What samples are compared with, in words."""

    def __init__(self) -> None:
        self._computed: dict[object, Any] = {}

    def once(self, name: object, compute: Callable[[], T]) -> T:
        """What `compute` returns, which is called the first time only."""
        if name not in self._computed:
            self._computed[name] = compute()
        value: T = self._computed[name]
        return value

    @abstractmethod
    def prepare(self, x: Array) -> Array:
        """What metrics are computed from: a row for each sample of x, (N, *shape), in
        the user's units."""

    @property
    @abstractmethod
    def features(self) -> Array:
        """Features of the real samples, (M, F), in which neighbours are looked for."""

    @abstractmethod
    def features_of(self, rows: Array) -> Array:
        """The same features of prepared samples: (N, F)."""

    @property
    def feature_description(self) -> str:
        """What neighbours are looked for among, in words."""
        return self.description

    def rows_for(self, kinds: Sequence[Kind], rows: Array) -> Array:
        """Prepared samples as a measure of these kinds of data takes them."""
        return rows

    def narrow(self, rows: Array) -> Array | None:
        """Prepared samples with a small difference that matters: of points, distances
        from the real mean reduced by 10%; None for data that none is known of."""
        return None


class PointReference(Reference):
    """Points, (M, D), in the user's units."""

    cost = POINT_COST

    def __init__(self, real: Array) -> None:
        super().__init__()
        self.real: Array = real.reshape(len(real), -1)
        self.centre: Any = self.real.mean(0)
        self.units: Array = column_stds(self.real)

    def prepare(self, x: Array) -> Array:
        return x.reshape(len(x), -1)

    @property
    def features(self) -> Array:
        return self.once("features", lambda: self.scaled(self.real[:MAX_PAIRED]))

    def features_of(self, rows: Array) -> Array:
        return self.scaled(rows)

    @property
    def feature_description(self) -> str:
        return f"{len(self.features):,} held-out samples, columns of unit variance"

    def scaled(self, rows: Array) -> Array:
        """In columns of unit variance about the real means.

        Squares of numbers far from 0 would leave no digits for distances.
        """
        return np.asarray((rows - self.centre) / self.units)

    def narrow(self, rows: Array) -> Array:
        narrow: Array = self.centre + NARROWING * (rows - self.centre)
        return narrow


class UnivariateReference(PointReference):
    """Numbers, (M, 1), or an exact distribution.

    Args:
        real: Held-out samples.
        n: Generated samples that a comparison takes.
        distribution: The exact distribution, with a CDF and a quantile function; None
            where only samples are known.
    """

    kind: ClassVar[Kind] = "univariate"

    def __init__(self, real: Array, n: int, distribution: Distribution | None) -> None:
        super().__init__(real)
        self.n: int = n
        self.distribution: Distribution | None = distribution
        self.description: str = (
            f"{len(real):,} held-out samples" if distribution is None else "the exact distribution"
        )

    @property
    def values(self) -> Array:
        """The held-out values, or n quantiles of the exact distribution: (n,)."""
        if self.distribution is None:
            return self.real[:, 0]
        return self.once("values", lambda: self.quantile((np.arange(self.n) + 0.5) / self.n))

    def quantile(self, u: Array) -> Array:
        """The exact distribution's quantiles."""
        assert self.distribution is not None, "only an exact distribution has quantiles"
        return _known(self.distribution.quantile(u))

    def cdf(self, v: Array) -> Array:
        """The exact distribution's CDF."""
        assert self.distribution is not None, "only an exact distribution has a CDF"
        return _known(self.distribution.cdf(v))


class TabularReference(PointReference):
    """Points of several columns.

    Args:
        real: Held-out samples, (M, D).
        modes: The centres of the distribution's modes, (K, D), and the standard
            deviation about each; None where they are not known.
        columns: Names of the first columns, which have a metric each.
    """

    kind: ClassVar[Kind] = "tabular"

    def __init__(
        self, real: Array, modes: tuple[Array, float] | None = None, columns: Sequence[str] = ()
    ) -> None:
        super().__init__(real)
        self.n: int = len(real)
        self.modes: tuple[Array, float] | None = modes
        self.columns: Sequence[str] = columns
        self.description: str = f"{len(real):,} held-out samples"


class ImageReference(Reference):
    """Images, (M, C, H, W), that no classifier is at hand for."""

    kind: ClassVar[Kind] = "images"

    def __init__(self, real: Array) -> None:
        super().__init__()
        self.n: int = len(real)
        self.real: Array = real
        self.cost: float = VALUE_COST * float(np.prod(real.shape[1:]))
        self.description: str = f"{len(real):,} held-out images"

    def prepare(self, x: Array) -> Array:
        return x

    @property
    def features(self) -> Array:
        return self.once("features", lambda: self.features_of(self.real))

    def features_of(self, rows: Array) -> Array:
        return thumbnails(torch.from_numpy(rows)).astype(np.float64)

    @property
    def feature_description(self) -> str:
        return f"{self.description}, thumbnails of {THUMBNAIL} x {THUMBNAIL}"


class FeatureReference(ImageReference, ABC):
    """Images, (M, C, H, W), with the features of a network.

    A prepared row has an image and its features. Measures for images that are not for
    these features get the image alone.
    """

    def __init__(self, real: Array) -> None:
        super().__init__(real)
        self.shape: tuple[Any, ...] = real.shape[1:]

    @abstractmethod
    def embed(self, x: Array) -> Array:
        """The features, (N, F), of images (N, C, H, W)."""

    def prepare(self, x: Array) -> Array:
        return np.concatenate([x.reshape(len(x), -1), self.embed(x)], 1)

    def rows_for(self, kinds: Sequence[Kind], rows: Array) -> Array:
        if self.kind in kinds:
            return rows
        return rows[:, : int(np.prod(self.shape))].reshape(-1, *self.shape)

    @property
    def features(self) -> Array:
        return self.once("features", lambda: self.embed(self.real))

    def features_of(self, rows: Array) -> Array:
        return rows[:, int(np.prod(self.shape)) :]

    def components_of(self, rows: Array) -> Array:
        """The first principal components of the real images' features, of prepared
        samples: (N, K)."""
        return self._components(self.features_of(rows))

    @property
    def components(self) -> Array:
        """Those of the real images, (M, K), for a K of at most `COMPONENTS`."""
        return self.once("components", lambda: self._components(self.features))

    def _components(self, features: Array) -> Array:
        """The covariance of 1,280 features is too much to estimate from 2,000 images:
        the distance of real images from others would hide nearly all else."""
        centre, axes = self.once("axes", lambda: principal_axes(self.features, COMPONENTS))
        return np.asarray((features - centre) @ axes)


class PhotoReference(FeatureReference):
    """Colour images with the features of EfficientNet-Lite0.

    Args:
        real: Held-out images, (M, C, H, W).
        limits: The smallest and largest values that a pixel can have.
    """

    kind: ClassVar[Kind] = "photos"

    def __init__(self, real: Array, limits: tuple[float, float]) -> None:
        super().__init__(real)
        self.limits: tuple[float, float] = limits
        self.side: int = side_of(self.shape)
        self.cost += COSTS[self.side]

    def embed(self, x: Array) -> Array:
        return photo_features(x, self.limits)

    @property
    def feature_description(self) -> str:
        return (
            f"{self.description}, features of {PHOTO_NETWORK} at {self.side} x {self.side} "
            "pixels (not Inception's)"
        )


class RotationReference(FeatureReference):
    """Colour images with the features of a network that learned rotations of real
    images: for generators that know EfficientNet-Lite0's.

    Args:
        real: Held-out images, (M, C, H, W).
        training: Gives the images that the network learns from, (N, C, H, W).
        seed: Of its training.
        steps: Of its training.
    """

    kind: ClassVar[Kind] = "rotations"

    def __init__(self, real: Array, training: Callable[[], Array], seed: int, steps: int) -> None:
        super().__init__(real)
        self.training = training
        self.seed: int = seed
        self.steps: int = steps
        self.cost += ROTATION_COST * float(np.prod(self.shape))

    def embed(self, x: Array) -> Array:
        network = self.once(
            "network", lambda: train_rotation_network(self.training(), self.seed, self.steps)
        )
        return network.features(x)

    @property
    def feature_description(self) -> str:
        return (
            f"{self.description}, features of a network that learned by how much training images "
            "are turned"
        )


class DigitReference(Reference):
    """MNIST's digits, (M, 1, 28, 28).

    A prepared row has the features of the shipped classifier and the probabilities of
    the ten digits.
    """

    kind: ClassVar[Kind] = "digits"
    cost = DIGIT_COST

    def __init__(self, real: Array) -> None:
        super().__init__()
        self.n: int = len(real)
        self.real: Array = self.features_of(self.prepare(real))
        self.description: str = (
            f"{len(real):,} test digits, features of the shipped digit classifier"
        )

    def prepare(self, x: Array) -> Array:
        features, probabilities = read_digits(
            torch.from_numpy(x.reshape(len(x), *x.shape[-2:])).to(torch.uint8)
        )
        return torch.cat([features, probabilities], 1).double().numpy()

    @property
    def features(self) -> Array:
        return self.real

    def features_of(self, rows: Array) -> Array:
        return rows[:, :FEATURES]

    def probabilities_of(self, rows: Array) -> Array:
        """The probability of each digit, (N, 10), of prepared samples."""
        return rows[:, FEATURES:]


def column_stds(x: Array) -> Array:
    """The standard deviation of each column of x, (N, D), and 1 for a column that never
    varies: (D,).

    Rounding gives a column that is .1 throughout one of 1e-17, which nothing may be
    measured in.
    """
    spread = np.where(x.max(0) > x.min(0), x.std(0), 0.0)
    return np.where(spread > 0, spread, 1.0)


def principal_axes(x: Array, most: int) -> tuple[Array, Array]:
    """The mean of x, (M, F), and its first principal axes, (F, K): K at most `most`,
    and fewer than M."""
    centre, count = x.mean(0), max(min(most, len(x) - 1), 1)
    centred = x - centre
    axes = np.linalg.eigh(centred.T @ centred)[1]  # in ascending order
    return centre, axes[:, : -count - 1 : -1]


def thumbnails(x: Tensor, side: int = THUMBNAIL) -> NDArray[np.float32]:
    """Images (N, C, H, W) of any type, averaged to at most `side` pixels a side, as
    rows (N, F); in batches, since they may be many."""
    sides = (min(side, x.shape[2]), min(side, x.shape[3]))
    small = torch.empty(len(x), x.shape[1] * sides[0] * sides[1])
    for start in range(0, len(x), THUMBNAIL_BATCH):
        part = slice(start, start + THUMBNAIL_BATCH)
        small[part] = adaptive_avg_pool2d(x[part].double(), sides).flatten(1)
    return small.numpy()


def _known(values: Array | None) -> Array:
    assert values is not None, "an exact distribution has a CDF and a quantile function"
    return values
