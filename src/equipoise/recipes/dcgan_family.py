"""The common networks and settings of recipes for methods from 2014 to 2018.

Images: DCGAN's convolutional networks (`networks.dcgan`), on [-1, 1]. Points: MLPs of
three hidden layers, ReLU in G, LeakyReLU in D. Samples come from the EMA of G, and most
learning rates have a cosine decay; the papers have neither. `preset="paper"` gives
their training.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from equipoise.coerce import Ge, Gt, Le
from equipoise.data import ScalingKind
from equipoise.errors import RequestError
from equipoise.ranges import Doublings
from equipoise.recipes.base import MAX_UNITS, Recipe
from equipoise.recipes.method import Losses, Networks
from equipoise.transforms.space import has_colors

if TYPE_CHECKING:
    from equipoise.networks.conditioning import Conditioning
    from equipoise.transforms.space import NetworkSpace

Norm = Literal["batch", "spectral", "none"]
# Hidden layers of the MLPs.
POINT_LAYERS = 3
# What the published settings of these methods have in common, but where a recipe says
# otherwise: DCGAN's Adam, a constant learning rate, no EMA.
PLAIN: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate_end": 1.0,
    "discriminator_rate": 1.0,
    "beta1": 0.5,
    "beta2": 0.999,
    "discriminator_steps": 1,
    "ema_half_life": 0,
    "dense_units": 0,
}
# Units of a dense layer beside convolutions of grey images. Without it far fewer digits
# are recognisable (benchmarks/EXPERIMENTS.md, "A dense layer and larger steps").
DENSE_UNITS = 256
# Other defaults for grey images, from there too. In colour dcgan collapses with them.
GREY_RATE = 2e-3
GREY: dict[str, Any] = {"learning_rate_end": 0.3, "dense_units": DENSE_UNITS}


def is_grey(space: NetworkSpace) -> bool:
    """Whether samples are images of fewer channels than colour ones have."""
    return space.is_image and not has_colors(space.shape)


@dataclass(frozen=True, kw_only=True)
class Standard(Recipe):
    """The settings of recipes with these networks."""

    norm: ClassVar[Norm] = "none"
    """D's normalisation: BatchNorm (images only), spectral, or none."""
    dcgan_networks: ClassVar[bool] = True
    """Whether the networks for images are DCGAN's, but where `preset` says
    otherwise."""
    first_norm: ClassVar[Literal["channels", "numbers", "none"]] = "channels"
    """BatchNorm of the coarsest grid of G, where `preset` is paper."""
    color_rate: ClassVar[float] = 1e-3
    """Learning rate at the start of DCGAN's networks for images in colour."""

    batch_size: Annotated[int, Ge(2), Le(2**31)] = 256
    """Samples in a batch (images: 64)."""
    learning_rate: float = 1e-3
    """Learning rate at the start (images, grey, with DCGAN's networks: 2e-3; in colour
    dcgan and pacgan: 2e-4)."""
    learning_rate_end: float = 0.01
    """Fraction of the learning rate left at the end of a cosine decay. 1: constant
    (images, grey, with convolutions: 0.3)."""
    beta1: float = 0.5
    """Adam's first beta: momentum (points: 0, which finds clusters more evenly)."""
    beta2: float = 0.999
    """Adam's second beta, or RMSProp's smoothing constant."""
    ema_half_life: float = 50_000
    """Half-life of the EMA of G's weights, in samples seen. 0: no EMA (images:
    10,000)."""
    scaling: ScalingKind = "standard"
    """How networks see the data: standard (zero mean, unit variance) or unit (on [-1,
    1]) (images: unit, since G ends in a tanh)."""
    latent: Literal["normal", "uniform"] = "normal"
    """Distribution of the latents: standard normal, or uniform on [-1, 1]."""
    latent_dim: Annotated[int, Ge(1), Le(MAX_UNITS)] = 4
    """Latent dimension (images: 100)."""
    width: Annotated[int, Ge(1), Le(MAX_UNITS), Doublings(1)] = 128
    """Hidden units of the MLPs (images: 32, channels of the grid of half the image's
    sides, for sagan and fastgan on grey ones 16; papers: 64 or 128)."""
    kernel_size: Literal[4, 5] = 4
    """Pixels a side of the convolutions' kernels, for images. 4 covers every pixel
    equally often (paper: 5, but for infogan and wgan)."""
    dense_units: Annotated[int, Ge(0), Le(MAX_UNITS)] = 0
    """Units of a dense layer between the latents and G's convolutions, for images, and
    with DCGAN's networks of one between D's convolutions and its output. 0: none, as in
    the papers (images, grey: 256; InfoGAN's paper: 1024)."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        if not space.is_image:
            return {"beta1": 0.0}
        grey = is_grey(space)
        found = {
            "batch_size": 64,
            "ema_half_life": 10_000,
            "scaling": "unit",
            "latent_dim": 100,
            "width": 32,
        }
        if cls.dcgan_networks:
            found["learning_rate"] = GREY_RATE if grey else cls.color_rate
        return found | (GREY if grey and cls().has_dense_layers else {})

    @property
    def has_dcgan_networks(self) -> bool:
        """Whether these networks for images are DCGAN's."""
        return self.dcgan_networks

    @property
    def has_dense_layers(self) -> bool:
        """Whether these networks for images can have dense layers: DCGAN's, and the G
        of recipes for images alone."""
        return self.has_dcgan_networks or self.images_only

    def check(self, space: NetworkSpace) -> None:
        super().check(space)
        for name, usual, networks, fits in (
            ("kernel_size", 4, "DCGAN's", self.has_dcgan_networks),
            ("dense_units", 0, "convolutional", self.has_dense_layers),
        ):
            if (given := getattr(self, name)) == usual or (space.is_image and fits):
                continue
            if space.is_image and self.preset == "paper":
                raise RequestError(
                    f"{name} = {given}: the published networks are others, leave it or preset out"
                )
            raise RequestError(
                f"{name} = {given}: is for {networks} networks on images, leave it out"
            )
        if space.is_image and self.scaling != "unit":
            raise RequestError(
                f"scaling = {self.scaling!r}: G ends in a tanh on images, which reaches [-1, "
                "1] only: use 'unit'"
            )

    def networks(
        self,
        space: NetworkSpace,
        conditioning: Conditioning = "projection",
        auxiliary: int = 0,
        codes: tuple[tuple[int, ...], int] = ((), 0),
        condition_discriminator: bool = True,
        scale: float = 1.0,
    ) -> Networks:
        """Construct the two networks and the prior.

        Args:
            space: The space of the networks.
            conditioning: How the class enters D.
            auxiliary: Number of outputs of D's auxiliary head; 0 for no head.
            codes: The sizes of the categorical codes, and the number of continuous
                ones.
            condition_discriminator: Whether D is conditioned on the class.
            scale: Factor on D's logit.
        """
        from equipoise.networks.conditioning import Discriminator, Generator
        from equipoise.networks.dcgan import DCGenerator, DCTrunk, init_weights
        from equipoise.networks.latents import Prior
        from equipoise.networks.mlp import Shaped, mlp
        from equipoise.networks.spectral import spectrally_normalised

        prior = Prior(
            self.latent_dim, self.latent, categorical_codes=codes[0], continuous_codes=codes[1]
        )
        classes = space.classes
        d_classes = classes if condition_discriminator else 0
        extra = d_classes if conditioning == "concatenation" else 0
        hidden = [self.width] * POINT_LAYERS
        if space.is_image:
            body: Any = DCGenerator(
                prior.width + classes,
                space.shape,
                self.width,
                self.kernel_size,
                self.dense_units,
                first_norm=self.first_norm if self.preset == "paper" else "channels",
            )
            trunk: Any = DCTrunk(
                (space.shape[0] + extra, *space.shape[1:]),
                self.width,
                self.norm == "batch",
                self.kernel_size,
                self.dense_units,
            )
            features = trunk.features
        else:
            body = Shaped(
                mlp([prior.width + classes, *hidden, space.size], ["relu"] * POINT_LAYERS),
                space.shape,
            )
            trunk, features = (
                mlp([space.size + extra, *hidden], ["leaky_relu"] * POINT_LAYERS),
                self.width,
            )
        head = mlp([features, self.width, auxiliary], ["leaky_relu"]) if auxiliary else None
        discriminator = Discriminator(trunk, features, d_classes, conditioning, head, scale)
        if space.is_image:
            discriminator.apply(init_weights)
        if self.norm == "spectral":
            spectrally_normalised(discriminator)
        return Networks(Generator(body, classes), discriminator, prior)


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Standard):
    """Recipes whose D is trained with cross-entropy: sigma(D(x)) is the probability
    that x is real."""

    real_label: Annotated[float, Gt(0), Le(1)] = 1.0
    """D's target for real samples. Below 1 is one-sided label smoothing (Salimans et
    al. 2016)."""
    generator_loss: Literal["non-saturating", "minimax"] = "non-saturating"
    """non-saturating: G ascends log D(G(z)). minimax: G descends log(1 - D(G(z)))
    (Goodfellow et al. 2014)."""

    def losses(self) -> Losses:
        """The loss pair."""
        from equipoise import losses

        of_fake = (
            losses.minimax_generator
            if self.generator_loss == "minimax"
            else losses.non_saturating_generator
        )
        return Losses(
            partial(losses.discriminator, real_label=self.real_label), lambda _, fake: of_fake(fake)
        )
