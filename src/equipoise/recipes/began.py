"""began: D is an autoencoder, and G learns to make what it reconstructs well.

Berthelot, Schumm, Metz: "BEGAN: Boundary Equilibrium Generative Adversarial Networks",
2017, section 3.3.

    L_D = L(x) - k_t L(G(z_D)),     L_G = L(G(z_G)),     L(v) = mean |v - D(v)|
    k_{t+1} = k_t + lambda_k (gamma L(x) - L(G(z_G))),   k_0 = 0,   k_t on [0, 1]

L is the error of a sample's reconstruction. gamma = E L(G(z)) / E L(x) at equilibrium
sets quality against diversity: lower values give sharper and less varied samples. The
log has k_t as `k` and M_global = L(x) + |gamma L(x) - L(G(z_G))|, which falls as
training converges, as `convergence_measure`.

As in the paper the decoder has G's architecture. The networks have no normalisation
layers: convolutions for images (`networks.conv`), MLPs with ELU for points.

Two defaults differ from the paper, whose faces are all about equally hard to
reconstruct. On other data gamma < 1 lets G collapse to what is reconstructed best, such
as one point or the digit 1. Here gamma is above 1: k_t rises until G's density is
nowhere far above the data's. And both networks are conditioned on clusters. The decoder
gets the class with the code, which is short so that the class matters.

`preset="paper"` is section 4.1's for faces: batches of 16, Adam with its own betas, .9
and .999, a learning rate of 1e-4, gamma .5, lambda_k .001, 64 uniform latents and codes
of 64 numbers, 128 channels, no clusters. What differs: the rate is constant, where
theirs is halved whenever M_global stalls; channels double from grid to grid up to 512,
where theirs grow by 128 in the encoder and stay 128 in the decoder and in G; grids are
halved by means, where theirs are by strides, down to 4 to 8 cells a side, theirs to 8;
the finest grid has half the image's sides; two dense layers of 256 units come before
the convolutions of the decoder and of G; and the activation is LeakyReLU, of the code
too, where theirs is ELU, and none of the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Ge, Gt, Le
from equipoise.ranges import Around, Doublings
from equipoise.recipes.base import MAX_UNITS, Recipe, register
from equipoise.recipes.method import Losses, Method, Networks
from equipoise.recipes.output import Energy

if TYPE_CHECKING:
    from torch import Tensor, nn

    from equipoise.transforms.space import NetworkSpace

# Hidden layers of each MLP.
POINT_LAYERS = 2
# Units of each dense layer between a code and the convolutions.
MAPPING_UNITS = 256


@register
@dataclass(frozen=True, kw_only=True)
class BEGAN(Recipe):
    """An autoencoder as D, held in equilibrium with G."""

    name = "began"
    summary = "D is an autoencoder, held in equilibrium with G; its log measures convergence"
    paper = "Berthelot et al. 2017, BEGAN: Boundary Equilibrium Generative Adversarial Networks"

    published_for = "images"

    batch_size: int = 256
    """Samples in a batch (images: 32; paper: 16)."""
    learning_rate: float = 1e-3
    """Adam's learning rate at the start (paper: 1e-4)."""
    discriminator_rate: float = 2.0
    """D's learning rate divided by G's (images: 1.0, as in the paper)."""
    beta2: float = 0.999
    """Adam's second beta, or RMSProp's smoothing constant."""
    ema_half_life: float = 100_000
    """Half-life of the EMA of G's weights, in samples seen. 0: no EMA (images:
    10,000)."""
    gamma: Annotated[float, Gt(0), Around(3)] = 1.2
    """Energy of generated samples divided by that of real ones at equilibrium. Lower:
    sharper; higher: more varied samples (paper: 0.3 to 0.7)."""
    lambda_k: Annotated[float, Ge(0)] = 0.03
    """Step size of k_t (images: 0.05; paper: 0.001, for longer trainings)."""
    latent_dim: Annotated[int, Ge(1), Le(MAX_UNITS)] = 4
    """Latent dimension (images: 64)."""
    code_dim: Annotated[int, Ge(1), Le(MAX_UNITS)] = 4
    """Dimension of the autoencoder's code (images: 1; paper: 64)."""
    width: Annotated[int, Ge(1), Le(MAX_UNITS), Doublings(1)] = 128
    """Hidden units of the MLPs (images: 16, channels of the finest grid)."""

    clusters: int | None = None
    """Number of clusters that G and D are conditioned on (Gaussian mixture for points,
    latent classes for tables, k-means for images). 0: none. Default: chosen by BIC for
    points; one per 150 rows of a table or 200 images, at most 256."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        if not space.is_image:
            return {}
        return {
            "batch_size": 32,
            "ema_half_life": 10_000,
            "discriminator_rate": 1.0,
            "lambda_k": 0.05,
            "latent_dim": 64,
            "code_dim": 1,
            "width": 16,
        }

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image:
            return None
        return {
            "batch_size": 16,
            "optimizer": "adam",
            "learning_rate": 1e-4,
            "learning_rate_end": 1.0,
            "discriminator_rate": 1.0,
            "beta1": 0.9,
            "beta2": 0.999,
            "discriminator_steps": 1,
            "ema_half_life": 0,
            "scaling": "unit",
            "gamma": 0.5,
            "lambda_k": 0.001,
            "latent_dim": 64,
            "code_dim": 64,
            "width": 128,
            "clusters": 0,
        }

    def build(self, space: NetworkSpace) -> Method:
        from equipoise.networks.began import AutoencoderDiscriminator, EquilibriumControl
        from equipoise.networks.conditioning import Generator
        from equipoise.networks.conv import ConvGenerator, ConvTrunk
        from equipoise.networks.latents import Prior
        from equipoise.networks.mlp import mlp

        prior, classes = Prior(self.latent_dim, "uniform"), space.classes
        hidden, activations = [self.width] * POINT_LAYERS, ["elu"] * POINT_LAYERS

        def decoder(dim: int) -> nn.Module:
            if space.is_image:
                return ConvGenerator(dim, space.shape, self.width, MAPPING_UNITS)
            return mlp([dim, *hidden, space.size], activations)

        encoder = (
            ConvTrunk(space.shape, self.width, self.code_dim)
            if space.is_image
            else mlp([space.size, *hidden, self.code_dim], activations)
        )
        control = EquilibriumControl(self.gamma, self.lambda_k)
        return self.method(
            Networks(
                Generator(decoder(self.latent_dim + classes), classes),
                AutoencoderDiscriminator(encoder, decoder(self.code_dim + classes), classes),
                prior,
            ),
            Losses(
                lambda real, fake: discriminator_loss(real, fake, control.k),
                lambda _, fake: fake.mean(),
            ),
            Energy(),
            controller=control,
        )


def discriminator_loss(real: Tensor, fake: Tensor, k: Tensor) -> Tensor:
    """L_D = mean L(x) - k mean L(x'), (); energies (N,) each and k, ()."""
    return real.mean() - k * fake.mean()
