"""balanced, the default: a relativistic pairing loss with both zero-centred gradient
penalties.

Huang, Gokaslan, Kuleshov, Tompkin: "The GAN is dead; long live the GAN! A modern
baseline GAN", NeurIPS 2024 (R3GAN), eqs. 2 and 4.

    L_D = mean softplus(-(D(x) - D(x')))
          + gamma / 2 (mean |grad D(x)|^2 + mean |grad D(x')|^2)
    L_G = mean softplus(-(D(x') - D(x)))

x is real, x' = G(z) generated. Either penalty makes the game converge locally
(Mescheder et al. 2018); the pairing and both penalties together keep every mode. As in
the paper, D has no normalisation layers, momentum is off, the learning rate follows a
cosine, and samples come from the EMA of G. The networks are smaller than the paper's:
sized for two CPU cores. The weight of the penalties is constant: on MNIST a decreasing
one gave worse results.

On grey images G is DCGAN's, with BatchNorm, a tanh and a dense layer before its grids
(`networks.dcgan`). A G without BatchNorm and tanh, like the paper's, was twice as far
from the data after as many digits (benchmarks/EXPERIMENTS.md, "BatchNorm in G").

Adam's steps do not shrink with the gradients, so weights drift in a long training: on
N(4, 1.25) a training of twenty times the usual length ended worse than one of the usual
length. Beyond that length the learning rate also falls with the inverse square root of
the samples seen.

A batch of points has less information about each direction if there are many columns.
With more than two columns batches are larger, D has a higher learning rate than G (two
time-scales, Heusel et al. 2017), and the final learning rate is higher: with a low one
G stopped at an arbitrary point of the limit cycle (benchmarks/EXPERIMENTS.md, "Points
of many columns").

On colour images the networks without normalisation made checkerboards for half of a
training, while D was far ahead. There G is FastGAN's (Liu et al. 2021), which has
BatchNorm and doubles its grids by nearest neighbours, and spectral normalisation keeps
D smooth instead of the penalties (Miyato et al. 2018), which takes no second
derivatives. The loss is the same (benchmarks/EXPERIMENTS.md, "Colour images").

Where the weights of EfficientNet-Lite0 are installed, D also sees its features of
colour images (Projected GAN, Sauer et al. 2021, see `networks.projected`). They know
what a picture is of, which D's convolutions take long to learn; the pixels have the
colours.

Of tables with categories the networks see one-hot vectors and normal scores, are
conditioned on the components of latent classes, and G starts as that mixture
(`networks.columns`; docs/tables.md; benchmarks/EXPERIMENTS.md, "Tables").

Windows of series are whitened in the order of time, and G starts as the Gaussian
process that was fitted to them (`transforms.series_whitening`, `networks.series`;
docs/series.md; benchmarks/EXPERIMENTS.md, "Windows of series").
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from equipoise.coerce import Ge, Gt, Le
from equipoise.data import ScalingKind
from equipoise.errors import RequestError
from equipoise.ranges import Around, Doublings, SearchRange
from equipoise.recipes.base import MAX_UNITS, Recipe, register
from equipoise.recipes.dcgan_family import DENSE_UNITS
from equipoise.recipes.method import Losses, Method, Networks, Rates
from equipoise.recipes.output import Relativistic
from equipoise.transforms.space import has_colors

if TYPE_CHECKING:
    from torch import nn

    from equipoise.data.schema import Schema
    from equipoise.networks.conditioning import Discriminator
    from equipoise.transforms.space import NetworkSpace

# Weight of the penalties, and the Lipschitz constant with spectral normalisation.
GAMMA, LIPSCHITZ = 0.1, 16.0
# Features between D's convolutions and its output.
IMAGE_FEATURES = 128
# Hidden layers of the MLPs.
POINT_LAYERS = 2
# Defaults for points of more than two columns.
WIDE_DATA: dict[str, Any] = {
    "batch_size": 1024,
    "learning_rate_end": 0.3,
    "discriminator_rate": 4.0,
}
# Defaults for tables of mixed columns. Their numbers have as many latents as columns.
TABLES: dict[str, Any] = {
    "batch_size": 1024,
    "learning_rate": 1e-3,
    "learning_rate_end": 0.1,
    "full_rate_samples": 0,
    "width": 256,
}
FREE_LATENTS = 32
# Defaults for windows of series, which begin as a Gaussian process: many small steps,
# and no components (benchmarks/EXPERIMENTS.md, "Windows of series").
SERIES: dict[str, Any] = {
    "batch_size": 128,
    "learning_rate_end": 0.3,
    "full_rate_samples": 0,
    "width": 128,
    "clusters": 1,
}
# Defaults for images by what keeps D smooth.
PENALTIES: dict[str, Any] = {
    "regularization": "penalties",
    "photo_features": False,
    "scaling": "unit",
    "batch_size": 32,
    "learning_rate": 2e-3,
    "learning_rate_end": 0.2,
    "ema_half_life": 50_000,
    "full_rate_samples": 0,
    "width": 16,
    "latent_dim": 100,
}
SPECTRAL: dict[str, Any] = PENALTIES | {
    "regularization": "spectral",
    "learning_rate": 3e-4,
    "learning_rate_end": 0.1,
    "ema_half_life": 10_000,
    "latent_dim": 64,
}
PHOTOS: dict[str, Any] = SPECTRAL | {
    "photo_features": True,
    "learning_rate": 1e-3,
    "width": 24,
}
PHOTO_CHANNELS = (1, 3, 4)  # grey, RGB, RGBA
# Side of images, in pixels, up to which the learning rate with penalties stays, and the
# power of the side by which it falls above.
RATE_SIDE, RATE_POWER = 32, 1.5
# Maximum side that the frozen network sees.
MAX_FEATURE_SIDE = 128
# Channels of D's finest mixed features.
FEATURE_WIDTH = 32


@register
@dataclass(frozen=True, kw_only=True)
class Balanced(Recipe):
    """Relativistic pairing loss with R1 and R2: dependable, the default."""

    name = "balanced"
    summary = "relativistic pairing loss with R1 and R2 penalties: dependable, the default"
    paper = "Huang et al. 2024, The GAN is dead; long live the GAN!"

    batch_size: int = 256
    """Samples in a batch (points of more than two columns and tables: 1024; windows of
    series: 128; images: 32)."""
    learning_rate: float = 4e-3
    """Adam's learning rate at the start (images: 2e-3, of more than 32 pixels a side
    2e-3 (32 / side)^1.5; in colour: 3e-4, with photo features 1e-3; tables: 1e-3)."""
    learning_rate_end: float = 0.01
    """Fraction of the learning rate left at the end of a cosine decay. 1: constant
    (points of more than two columns and series: 0.3; images: 0.2; tables and images in
    colour: 0.1)."""
    discriminator_rate: float = 1.0
    """D's learning rate divided by G's (points of more than two columns: 4.0)."""
    ema_half_life: float = 50_000
    """Half-life of the EMA of G's weights, in samples seen. 0: no EMA (images in
    colour: 10,000)."""
    full_rate_samples: Annotated[int, Ge(0)] = 512_000
    """Samples after which the learning rate also falls with the inverse square root of
    the samples seen. 0: never (points of several columns: 1,536,000; images, tables and
    series: 0)."""
    regularization: Literal["penalties", "spectral"] = "penalties"
    """What keeps D smooth: the R1 and R2 penalties, or spectral normalisation of its
    layers, for images, with a G that has BatchNorm (images in colour: spectral)."""
    photo_features: bool = False
    """Whether D sees beside the pixels the frozen features of a network that was
    trained on photographs, as in the recipe projected (images in colour: True where the
    extra photos is installed)."""
    gamma: Annotated[float, Ge(0), Around(10)] = GAMMA
    """Weight of the R1 and R2 penalties: gamma / 2 times their sum joins D's loss."""
    lipschitz: Annotated[float, Gt(0), Around(4)] = LIPSCHITZ
    """With spectral normalisation the Lipschitz constant of D of the pixels: the factor
    on its output."""
    scaling: ScalingKind = "standard"
    """How networks see the data: standard (zero mean, unit variance) or unit (on [-1,
    1]) (images: unit, with a tanh at G's end; standard, for grey images of few values
    far from the others, without)."""
    width: Annotated[int, Ge(1), Le(MAX_UNITS), Doublings(1)] = 64
    """Hidden units of the MLPs (points of several columns and series: 128; tables: 256;
    images: 16, with photo features 24, channels of the finest grid)."""
    latent_dim: Annotated[int, Ge(1), Le(MAX_UNITS)] = 4
    """Latent dimension (points and series of D > 1 numbers: D; tables: 32 more than
    columns of numbers; images: 100, in colour 64)."""
    clusters: int | None = None
    """Number of clusters that G and D are conditioned on (Gaussian mixture for points,
    latent classes for tables, k-means for images). 0: none. Default: chosen by BIC for
    points; 1 for series; one per 150 rows of a table or 200 images, at most 256."""
    per_channel_clusters: bool | None = None
    """Cluster each image channel independently. Default: yes if the channels are
    independent."""

    @property
    def sees_photo_features(self) -> bool:
        return self.photo_features

    @property
    def ends_level(self) -> bool:
        # On CIFAR-10 it is right about two thirds after 30 minutes, on flat shapes
        # about 95% for minutes, and G improves all the while.
        return self.regularization == "penalties"

    def searched(self) -> dict[str, SearchRange]:
        found = super().searched()
        del found["lipschitz" if self.regularization == "penalties" else "gamma"]
        return found

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        if space.is_image:
            return image_defaults(space.shape, {}, alpha=False)
        if space.is_table:
            numbers = sum(span.activation == "score" for span in space.spans)
            return TABLES | {"latent_dim": numbers + FREE_LATENTS}
        if space.windows is not None:
            return SERIES | {"latent_dim": space.size}
        if space.size == 1:
            return {}
        return {
            "full_rate_samples": 1_536_000,
            "latent_dim": space.size,
            "width": 128,
            **(WIDE_DATA if space.size > 2 else {}),
        }

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        raise RequestError(
            f"preset = 'paper': {cls.name} is no paper's method: use the recipe 'r3gan', which "
            "it descends from, or leave preset out"
        )

    @classmethod
    def for_data(cls, schema: Schema, given: dict[str, Any]) -> Self:
        if schema.is_image:
            given = image_defaults(schema.shape, given, schema.alpha) | given
        return super().for_data(schema, given)

    def check(self, space: NetworkSpace) -> None:
        super().check(space)
        if space.is_image and self.batch_size < 2:
            raise RequestError(
                f"batch_size = {self.batch_size}: G has BatchNorm on images, which needs at "
                "least 2 samples"
            )
        if self.regularization == "penalties":
            if self.photo_features:
                raise RequestError(
                    "photo_features is on, which needs regularization = 'spectral': set that, or "
                    "leave photo_features out"
                )
            self._check_unused("lipschitz", LIPSCHITZ)
            return
        self._check_unused("gamma", GAMMA)
        if not space.is_image:
            raise RequestError(
                "regularization = 'spectral': is for images, and this data is points: use "
                "'penalties'"
            )
        if self.scaling != "unit":
            raise RequestError(
                f"scaling = {self.scaling!r}: with spectral normalisation G ends in a tanh, "
                "which reaches [-1, 1] only: use 'unit'"
            )
        if self.photo_features:
            self._check_photo_features(space.shape[0])

    def _check_unused(self, name: str, usual: float) -> None:
        """Check that a field of the other regularisation was left as it is."""
        if (given := getattr(self, name)) != usual:
            raise RequestError(
                f"{name} = {given}: has no effect with regularization = "
                f"{self.regularization!r}: leave it out"
            )

    def _check_photo_features(self, channels: int) -> None:
        """Check that these images can have the features, and the network is there."""
        from equipoise.networks import pretrained

        if self.packing > 1:
            raise RequestError(
                f"packing = {self.packing}: the network of photo_features takes one image: "
                "set photo_features = False, or leave packing out"
            )
        if channels not in PHOTO_CHANNELS:
            raise RequestError(
                f"photo_features is on, which is for grey and colour images, and these have "
                f"{channels} channels: leave it out"
            )
        pretrained.require("photo_features")

    def notes(self, schema: Schema) -> list[str]:
        if self.photo_features:
            return [
                "D sees the features of EfficientNet-Lite0 beside the pixels; to go without "
                "type --photo-features False (in Python photo_features=False)"
            ]
        from equipoise.data.schema import shows_photos
        from equipoise.networks.pretrained import INSTALL, is_installed

        spectral = schema.is_image and self.regularization == "spectral"
        if not spectral or not shows_photos(schema.shape, schema.alpha) or is_installed():
            return []
        return [f"colour images become better with the features of a trained network: {INSTALL}"]

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses, penalties
        from equipoise.networks.conditioning import Discriminator, Generator
        from equipoise.networks.latents import Prior
        from equipoise.networks.spectral import spectrally_normalised

        prior, spectral = Prior(self.latent_dim), self.regularization == "spectral"
        body, trunk, features = self._bodies(space, prior.width + space.classes)
        scale = self.lipschitz if spectral else 1.0
        discriminator = Discriminator(trunk, features, space.classes, scale=scale)
        if spectral:
            spectrally_normalised(discriminator)
        return self.method(
            Networks(Generator(body, space.classes), self._joined(discriminator, space), prior),
            Losses(losses.relativistic_discriminator, losses.relativistic_generator),
            Relativistic(),
            penalty=None if spectral else lambda batch: penalties.r1_and_r2(batch.logits, batch.x),
            pairs=True,
            reuses_samples=spectral or space.is_table,
        )

    def _joined(self, pixels: Discriminator, space: NetworkSpace) -> nn.Module:
        """D of the pixels, joined by one of the photo features where they are on."""
        from equipoise.networks.efficientnet import STRIDE
        from equipoise.networks.pretrained import installed_or_outlined
        from equipoise.networks.projected import ProjectedDiscriminator

        if not self.photo_features:
            return pixels
        network = installed_or_outlined()
        side = math.ceil(min(max(space.shape[1:]), MAX_FEATURE_SIDE) / STRIDE) * STRIDE
        return ProjectedDiscriminator(network, side, FEATURE_WIDTH, space.classes, pixels)

    def _bodies(self, space: NetworkSpace, latent_width: int) -> tuple[nn.Module, nn.Module, int]:
        """G's body, D's trunk, and the number of the trunk's features."""
        from equipoise.networks.conv import ConvTrunk
        from equipoise.networks.dcgan import DCGenerator, DCTrunk
        from equipoise.networks.fastgan import FastGenerator
        from equipoise.networks.mlp import mlp

        if not space.is_image:
            hidden, activations = [self.width] * POINT_LAYERS, ["leaky_relu"] * POINT_LAYERS
            body = mlp([latent_width, *hidden, space.size], activations)
            return body, mlp([space.size, *hidden], activations), self.width
        if self.regularization == "penalties":
            return (
                DCGenerator(
                    latent_width,
                    space.shape,
                    2 * self.width,
                    dense_units=DENSE_UNITS,
                    tanh=self.scaling == "unit",
                ),
                ConvTrunk(space.shape, self.width, IMAGE_FEATURES),
                IMAGE_FEATURES,
            )
        generator = FastGenerator(latent_width, space.shape, 2 * self.width)
        trunk = DCTrunk(space.shape, 2 * self.width, norm=False)
        return generator, trunk, trunk.features

    def schedule(self, progress: float, samples_seen: int = 0) -> Rates:
        rates = super().schedule(progress, samples_seen)
        lengths = samples_seen / self.full_rate_samples if self.full_rate_samples else 0.0
        return replace(
            rates,
            learning_rate=rates.learning_rate / math.sqrt(max(lengths, 1.0)),
            penalty=self.gamma / 2,
        )


def penalties_rate(side: int) -> float:
    """The learning rate of the networks with penalties, for images of `side` pixels.

    Larger images have more layers of twice the pixels, and Adam moves each weight as
    far, whatever it adds up over: at 64 pixels disks are better at this rate than at
    that of 32. Measured at 28, 32 and 64 pixels, see benchmarks/EXPERIMENTS.md.
    """
    rate: float = PENALTIES["learning_rate"]
    return rate * float(min(RATE_SIDE / side, 1.0) ** RATE_POWER)


def image_defaults(shape: tuple[int, ...], given: dict[str, Any], alpha: bool) -> dict[str, Any]:
    """The defaults for images of this shape, (C, H, W): those of the networks that
    `given` asks for, or of the ones for colour images where they are in colour.

    Args:
        shape: Of the images.
        given: The fields that are set already.
        alpha: Whether the last channel is opacity.
    """
    # Independent channels are not colours.
    in_color = has_colors(shape) and not given.get("per_channel_clusters")
    by_rule = "spectral" if in_color or given.get("photo_features") else "penalties"
    if given.get("regularization", by_rule) == "penalties":
        return PENALTIES | {"learning_rate": penalties_rate(max(shape[1:]))}
    if "photo_features" in given:
        return PHOTOS if given["photo_features"] else SPECTRAL
    from equipoise.data.schema import shows_photos

    if not shows_photos(shape, alpha):
        return SPECTRAL
    from equipoise.networks.pretrained import is_installed

    return PHOTOS if is_installed() else SPECTRAL
