"""projected: D sees images through the frozen features of a network that was trained on
photographs.

Sauer, Chitta, Müller, Geiger: "Projected GANs Converge Faster", NeurIPS 2021, eqs. 2
and 4, section 4 and appendix.

    L_D = sum_l mean max(0, 1 - D_l(P_l(x))) + mean max(0, 1 + D_l(P_l(x')))
    L_G = -sum_l mean D_l(P_l(x'))

P_l are the features of stage l of EfficientNet-Lite0, mixed at random across channels
and scales (`networks.projected`); D_l are four small spectrally normalised
discriminators. There is no penalty. All images that D sees are augmented (DiffAugment),
as in the paper. What a picture is of counts from the first step on, since the features
know it, and it is the published shortcut to quality in little time.

What differs from the paper, and why:

- EfficientNet-Lite0 sees images of 64 to 128 pixels, by rule `feature_side`; the
  paper's of 224 or 256. The network needs images enlarged, since its coarsest maps are
  1/32 of a side, but at 224 pixels a step costs ten times as much as at 64;
- the convolutions of the mixing across scales come before the enlarging, which costs a
  quarter; they have half of the paper's channels, and the four discriminators no
  BatchNorm, so that real and generated images pass D as one batch;
- all D_l have equally many logits, and the sum over l is a mean: Adam does not see the
  factor.

As in the paper G is FastGAN's, sized by `width`, and like ours it has a dense layer on
grey images. `preset="paper"` has the authors' `train.py` with its `fastgan`: learning
rate 2e-4, constant, betas 0 and .99, batches of 64, an EMA with a half-life of 20,000
images, 256 latents, 128 channels in G and 64 in the mixing, images of less than 224
pixels enlarged to 224. What differs there: half of G's grids have one convolution,
theirs all two, with noise; G ends in a tanh, theirs in none; latents are as drawn,
theirs normalised to length 16; the discriminators have at most 256 features, theirs
512; cutout takes half of each side, theirs a fifth; and the EMA's half-life is at most
a tenth of the images seen, theirs a twentieth.

A generator that is trained on these features is flattered by metrics of the same
network. Its report has others beside them, see docs/measuring.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Ge, Le
from equipoise.errors import RequestError
from equipoise.ranges import Doublings
from equipoise.recipes.base import MAX_UNITS, register
from equipoise.recipes.dcgan_family import PLAIN, Standard
from equipoise.recipes.method import Losses, Method, Networks
from equipoise.recipes.output import Score

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace

# The coarsest of the network's maps are 1/32 of the side.
STRIDE = 32
# The published side, to which smaller images are enlarged.
PUBLISHED_SIDE = 224
# Bounds of the side that the network sees by default; larger images are not shrunk.
MIN_SIDE, MAX_SIDE = 64, 128


@register
@dataclass(frozen=True, kw_only=True)
class Projected(Standard):
    """D on the frozen features of a network trained on photographs."""

    name = "projected"
    summary = "D on the frozen features of a network trained on photographs; needs [photos]"
    paper = "Sauer et al. 2021, Projected GANs Converge Faster"
    dcgan_networks = False
    images_only = True
    published_for = "images"
    one_at_a_time = "has a frozen network, which takes one image"

    learning_rate: float = 1e-3
    """Adam's learning rate at the start (paper: 2e-4)."""
    beta1: float = 0.0
    """Adam's first beta: momentum."""
    beta2: float = 0.99
    """Adam's second beta, or RMSProp's smoothing constant."""
    feature_side: Annotated[int | None, Ge(STRIDE), Le(1024)] = None
    """Pixels a side of the images that the frozen network sees, a multiple of 32.
    Default: twice the images' longer side, at least 64 and at most 128, but not less
    than the images have."""
    width: Annotated[int, Ge(1), Le(MAX_UNITS), Doublings(1)] = 32
    """Channels of G's grid of half the image's sides, and of D's finest mixed features
    (paper: 64)."""
    augment: str = "color,translation,cutout"
    """Random changes of all images that D sees (DiffAugment, Zhao et al. 2020): color,
    translation, cutout, or several with commas between. none: no changes."""

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        longer = max(space.shape[1:])
        return PLAIN | {
            "batch_size": 64,
            "learning_rate": 2e-4,
            "beta1": 0.0,
            "beta2": 0.99,
            "ema_half_life": 20_000,
            "feature_side": max(PUBLISHED_SIDE, _covering(longer)),
            "latent": "normal",
            "latent_dim": 256,
            "width": 64,
            "augment": "color,translation,cutout",
            "augment_probability": 1.0,
        }

    @property
    def sees_photo_features(self) -> bool:
        return True

    def conflicts(self) -> list[str]:
        wrong = super().conflicts()
        if self.feature_side is not None and self.feature_side % STRIDE:
            nearest = max(round(self.feature_side / STRIDE), 1) * STRIDE
            wrong.append(
                f"feature_side = {self.feature_side}: must be a multiple of {STRIDE}, such as "
                f"{nearest}"
            )
        return wrong

    def check(self, space: NetworkSpace) -> None:
        super().check(space)
        if space.shape[0] not in (1, 3):
            raise RequestError(
                f"{self.name} is for grey and colour images, and these have {space.shape[0]} "
                "channels: use the recipe 'balanced'"
            )
        from equipoise.networks import pretrained

        pretrained.require(f"the recipe {self.name!r}")

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses
        from equipoise.networks.conditioning import Generator
        from equipoise.networks.fastgan import FastGenerator
        from equipoise.networks.latents import Prior
        from equipoise.networks.pretrained import installed_or_outlined
        from equipoise.networks.projected import ProjectedDiscriminator

        prior, classes = Prior(self.latent_dim, self.latent), space.classes
        # The authors' G has twice as many channels as their mixing.
        paper = self.preset == "paper"
        width = 2 * self.width if paper else self.width
        body = FastGenerator(
            prior.width + classes, space.shape, width, self.dense_units, published=paper
        )
        features = installed_or_outlined()
        discriminator = ProjectedDiscriminator(features, self.side(space), self.width, classes)
        return self.method(
            Networks(Generator(body, classes), discriminator, prior),
            Losses(losses.hinge_discriminator, lambda _, fake: losses.wasserstein_generator(fake)),
            Score(),
        )

    def side(self, space: NetworkSpace) -> int:
        """Pixels a side that the frozen network sees."""
        if self.feature_side is not None:
            return self.feature_side
        longer = max(space.shape[1:])
        wanted = max(min(max(2 * longer, MIN_SIDE), MAX_SIDE), longer)
        return _covering(wanted)


def _covering(side: int) -> int:
    """The smallest side that is not less and that the network can see."""
    return -(-side // STRIDE) * STRIDE
