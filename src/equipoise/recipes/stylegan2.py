"""stylegan2: a mapping network, and convolutions that its styles modulate.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: "Analyzing and Improving the Image
Quality of StyleGAN", CVPR 2020, eqs. 1, 3 and 4. The training choices are those of
Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: "Training Generative Adversarial
Networks with Limited Data", NeurIPS 2020 (ADA).

    L_D = mean softplus(-D(x)) + mean softplus(D(x')) + gamma / 2 mean |grad D(x)|^2
    L_G = mean softplus(-D(x')) + lambda E (|J_w^T v| - a)^2

J_w is the Jacobian of the synthesis network at a style w, v random images of standard
normal pixels divided by the root of their number, a the moving mean of the lengths. R1
is in every 16th step of D with 16 times the weight, the path length penalty in every
fourth step of G, with half of the batch (lazy regularisation, section 3.1). The
networks are the paper's (`networks.stylegan2`): equalised learning rate, modulated and
demodulated convolutions, noise inputs, skip connections in G, a residual D with
minibatch standard deviation. From ADA are Adam's learning rate 2.5e-3 and betas 0 and
.99, gamma = .0002 pixels / batch size, two mapping layers, the EMA's half-life, and for
images of up to 32 pixels a side, as for its CIFAR-10, neither path length penalty nor
style mixing. For few images its adapted augmentation is `augment=
"color,translation,cutout", augment_target=0.6`.

What differs, and why:

- networks are sized for a CPU: channels from `width` at half the image's sides, doubled
  on each coarser grid, 64 latents. The authors have up to 512 channels and 512 latents;
- modulation scales inputs and outputs of one convolution instead of the weights of one
  for each sample: the same numbers, several times faster on a CPU;
- the noise is part of the latents, so that a sample is a function of its latents;
- for grey images gamma is 4, and R1 in every fourth step. G collapses with the authors'
  values;
- penalties join the loss of their step. The authors take steps of their own for them,
  with corrected rates of Adam;
- the images of coarser grids are doubled bilinearly, which repeats the border where
  theirs reaches into zeros;
- there is no truncation, which trades variety for quality.

`preset="paper"`, for colour images, is the paper's configuration F, as `cfg=stylegan2`
of the authors' stylegan2-ada-pytorch has it: batches of 32, learning rate 2e-3, gamma
10, eight mapping layers, 512 latents, 65,536 channels divided by the side, at most 512.
For images of up to 32 pixels a side it is their `cfg=cifar`: batches of 64, learning
rate 2.5e-3, gamma .01, two mapping layers, an EMA with a half-life of 500,000 images, a
D that is not residual, groups of 32 images for the minibatch standard deviation. What
differs in those: the EMA's half-life is at most a tenth of the images seen, in `cifar`
a twentieth, in `stylegan2` without such a bound; both have adapted augmentations unless
they are told not to, here only if `augment` asks for them; and with classes their D has
no logit but the product of its features and the class, mapped by a network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Self

from equipoise.coerce import Ge, Interval, Le
from equipoise.data import ScalingKind
from equipoise.ranges import Doublings
from equipoise.recipes.base import MAX_UNITS, Recipe, register
from equipoise.recipes.method import CriticBatch, GeneratorBatch, Losses, Method, Networks, Rates
from equipoise.transforms.space import has_colors

if TYPE_CHECKING:
    from torch import Tensor

    from equipoise.transforms.space import NetworkSpace

# Gamma over the number of pixels divided by the batch size, and the steps between two
# penalties. On grey images G collapses with them: MNIST's Frechet distance is 43 after
# 25,600 samples, and 24 with these (benchmarks/EXPERIMENTS.md, "stylegan2 on MNIST").
GAMMA_RATE, INTERVAL = 0.0002, 16
GREY_GAMMA, GREY_INTERVAL = 4.0, 4
# Samples in a group of the minibatch standard deviation, at most, and the published
# number for small images.
GROUP, PUBLISHED_SMALL_GROUP = 4, 32
# Sides up to which ADA has neither path length penalty nor style mixing.
SMALL_SIDE = 32
# Their usual values beyond that.
PATH_LENGTH, MIXING = 2.0, 0.9
# The published channels: so many, divided by the image's side, in the grid of half of
# it, and at most so many in any.
PUBLISHED_CHANNELS, PUBLISHED_MOST = 65_536, 512


@register
@dataclass(frozen=True, kw_only=True)
class StyleGAN2(Recipe):
    """Styles modulate G's convolutions; R1 and path length regularisation."""

    name = "stylegan2"
    summary = "styles modulate G's convolutions; R1 and path length regularisation"
    paper = "Karras et al. 2020, Analyzing and Improving the Image Quality of StyleGAN"
    images_only = True
    published_for = "colour images"

    batch_size: int = 32
    """Samples in a batch."""
    learning_rate: float = 2.5e-3
    """Adam's learning rate at the start."""
    scaling: ScalingKind = "unit"
    """How networks see the data: standard (zero mean, unit variance) or unit (on [-1,
    1], for which gamma's rule holds)."""
    gamma: Annotated[float | None, Ge(0)] = None
    """Weight of R1: gamma / 2 times it joins D's loss. Default: 0.0002 times the pixels
    of an image, divided by the batch size; 4 for grey images."""
    penalty_interval: Annotated[int | None, Ge(1), Le(1000)] = None
    """Steps of D from one with R1 to the next, which has so many times the weight.
    Default: 16; 4 for grey images."""
    path_length: Annotated[float | None, Ge(0)] = None
    """Weight lambda of the path length penalty. Default: 2; 0 for images of up to 32
    pixels a side."""
    path_length_interval: Annotated[int, Ge(1), Le(1000)] = 4
    """As penalty_interval, for the path length penalty."""
    mixing: Annotated[float | None, Interval(0, 1)] = None
    """Probability that a training image has two styles (style mixing). Default: 0.9; 0
    for images of up to 32 pixels a side."""
    mapping_layers: Annotated[int, Ge(1), Le(1000)] = 2
    """Layers of the mapping network (paper: 8; ADA: 2)."""
    latent_dim: Annotated[int, Ge(1), Le(MAX_UNITS)] = 64
    """Dimension of the style's latent, without the noise (paper: 512)."""
    width: Annotated[int, Ge(1), Le(MAX_UNITS), Doublings(1)] = 32
    """Channels of the grid of half the image's sides; each coarser one has twice as
    many."""

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not has_colors(space.shape):
            return None
        side = max(space.shape[1:])
        common = {
            "optimizer": "adam",
            "learning_rate_end": 1.0,
            "discriminator_rate": 1.0,
            "beta1": 0.0,
            "beta2": 0.99,
            "discriminator_steps": 1,
            "penalty_interval": INTERVAL,
            "path_length_interval": 4,
            "latent_dim": 512,
            "width": PUBLISHED_CHANNELS // max(side, SMALL_SIDE),
        }
        if side <= SMALL_SIDE:
            return common | {
                "batch_size": 64,
                "learning_rate": 2.5e-3,
                "ema_half_life": 500_000,
                "gamma": 0.01,
                "path_length": 0.0,
                "mixing": 0.0,
                "mapping_layers": 2,
            }
        return common | {
            "batch_size": 32,
            "learning_rate": 2e-3,
            "ema_half_life": 10_000,
            "gamma": 10.0,
            "path_length": PATH_LENGTH,
            "mixing": MIXING,
            "mapping_layers": 8,
        }

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses, penalties
        from equipoise.networks.conditioning import Discriminator
        from equipoise.networks.latents import Prior
        from equipoise.networks.stylegan2 import (
            EqualizedLinear,
            PathLength,
            StyleGenerator,
            StyleTrunk,
        )

        classes, chosen = space.classes, self.resolved(space)
        weight, mixing = chosen.path_length or 0.0, chosen.mixing or 0.0
        paper = self.preset == "paper"
        most = PUBLISHED_MOST if paper else None
        as_cifar = paper and max(space.shape[1:]) <= SMALL_SIDE
        group = math.gcd(self.batch_size, PUBLISHED_SMALL_GROUP if as_cifar else GROUP)
        generator = StyleGenerator(
            self.latent_dim, space.shape, self.width, classes, self.mapping_layers, mixing, most
        )
        trunk = StyleTrunk(space.shape, self.width, group, most, residual=not as_cifar)
        discriminator = Discriminator(trunk, trunk.features, classes)
        discriminator.head = EqualizedLinear(trunk.features, 1)
        path_length = PathLength()

        def r1(batch: CriticBatch) -> dict[str, Tensor]:
            n = len(batch.real)
            norms = penalties.squared_gradient_norms(batch.logits[:n], batch.x)
            return {"r1": norms[:n].mean()}

        def path_lengths(batch: GeneratorBatch) -> tuple[Tensor, dict[str, Tensor]]:
            half = math.ceil(len(batch.z) / 2)
            z, y = batch.z[:half], None if batch.y is None else batch.y[:half]
            styles = generator.styles(z, y)
            term, length = path_length.penalty(
                generator.synthesize(styles, z), styles, batch.randomness, batch.gather
            )
            return weight * term, {"path_length_penalty": term, "path_length": length}

        return chosen.method(
            Networks(generator, discriminator, Prior(generator.latent_width)),
            Losses(losses.discriminator, lambda _, fake: losses.non_saturating_generator(fake)),
            penalty=r1,
            penalty_interval=chosen.penalty_interval or INTERVAL,
            generator_penalty=path_lengths if weight else None,
            generator_penalty_interval=self.path_length_interval,
            controller=path_length if weight else None,
        )

    def resolved(self, space: NetworkSpace) -> Self:
        """The recipe with the rules' values for images of this size, where none are
        given."""
        small, pixels = max(space.shape[1:]) <= SMALL_SIDE, math.prod(space.shape[1:])
        grey = not has_colors(space.shape)
        rules = {
            "gamma": GREY_GAMMA if grey else GAMMA_RATE * pixels / self.batch_size,
            "penalty_interval": GREY_INTERVAL if grey else INTERVAL,
            "path_length": 0.0 if small else PATH_LENGTH,
            "mixing": 0.0 if small else MIXING,
        }
        unset: Any = {name: value for name, value in rules.items() if getattr(self, name) is None}
        return replace(self, **unset)

    def schedule(self, progress: float, samples_seen: int = 0) -> Rates:
        return replace(super().schedule(progress, samples_seen), penalty=(self.gamma or 0.0) / 2)
