"""wgan: the critic estimates a distance between the distributions, and G reduces it.

Arjovsky, Chintala, Bottou: "Wasserstein Generative Adversarial Networks", ICML 2017,
eq. 3 and algorithm 1.

    min_G max_{w in W}  E f_w(x) - E f_w(G(z))

Weights are clipped to [-c, c] after every step of the critic, which keeps it Lipschitz
with an unknown constant: the log has mean f(x) - mean f(x') as
`w1_times_unknown_factor`. BatchNorm's gains have a bound of their own (`norm_clip`).
Five steps of the critic for one of G, RMSProp, since momentum made training unstable.
Clipping makes critics simple: expect less than from `wgan-gp` or `balanced`.

`preset="paper"` is algorithm 1's, with the DCGAN of the authors' `main.py` and
`models/dcgan.py` (64 channels, 4 x 4 kernels, 100 normal latents). What differs: they
train the critic for 100 steps in each of the first 25 steps of G, and in every 500th,
and their convolutions have no biases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Gt
from equipoise.errors import RequestError
from equipoise.ranges import Around
from equipoise.recipes.base import Optimizer, register
from equipoise.recipes.dcgan_family import PLAIN, Standard
from equipoise.recipes.method import Losses, Method
from equipoise.recipes.output import Critic

if TYPE_CHECKING:
    from torch import nn

    from equipoise.transforms.space import NetworkSpace

# Bound of BatchNorm's gains and offsets.
NORM_CLIP = 1.0


@register
@dataclass(frozen=True, kw_only=True)
class WGAN(Standard):
    """Wasserstein critic by weight clipping."""

    name = "wgan"
    summary = "Wasserstein critic by weight clipping; its estimate falls as samples improve"
    paper = "Arjovsky et al. 2017, Wasserstein Generative Adversarial Networks"
    norm = "batch"
    published_for = "images"

    learning_rate: float = 1e-3
    """RMSProp's learning rate at the start (paper: 5e-5, too slow for minutes on a
    CPU)."""
    learning_rate_end: float = 0.01
    """Fraction of the learning rate left at the end of a cosine decay. 1: constant
    (images: 1, as in the paper: slower steps bring the critic nearer to its optimum, so
    that its estimate rises although samples do not get worse)."""
    optimizer: Optimizer = "rmsprop"
    """adam (Kingma & Ba 2015) or rmsprop (Tieleman & Hinton 2012)."""
    beta2: float = 0.99
    """RMSProp's smoothing constant, or Adam's second beta."""
    discriminator_steps: int = 5
    """Steps of the critic for every step of G (n_critic)."""
    clip: Annotated[float, Gt(0), Around(10)] = 0.01
    """The critic's weights are clipped to [-clip, clip], but for BatchNorm's."""
    norm_clip: Annotated[float, Gt(0)] = NORM_CLIP
    """BatchNorm's gains and offsets in the critic are clipped to [-norm_clip,
    norm_clip], for images (authors' code: 0.01, as all weights; the estimate then falls
    to 0 while samples are still poor)."""

    def check(self, space: NetworkSpace) -> None:
        super().check(space)
        if self.norm_clip != NORM_CLIP and not space.is_image:
            raise RequestError(
                f"norm_clip = {self.norm_clip}: is of BatchNorm, which only critics of images "
                "have: leave it out"
            )

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        images = {"learning_rate": 1e-3, "learning_rate_end": 1.0} if space.is_image else {}
        return super().defaults(space) | images

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image:
            return None
        return PLAIN | {
            "batch_size": 64,
            "optimizer": "rmsprop",
            "learning_rate": 5e-5,
            "beta2": 0.99,
            "discriminator_steps": 5,
            "latent": "normal",
            "latent_dim": 100,
            "width": 64,
            "kernel_size": 4,
            "clip": 0.01,
            "norm_clip": 0.01,
        }

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses
        from equipoise.networks.batchnorm import is_batch_norm

        def clip(critic: nn.Module) -> None:
            for layer in critic.modules():
                most = self.norm_clip if is_batch_norm(layer) else self.clip
                for weight in layer.parameters(recurse=False):
                    weight.data.clamp_(-most, most)

        return self.method(
            self.networks(space),
            Losses(losses.wasserstein_critic, lambda _, fake: losses.wasserstein_generator(fake)),
            Critic(),
            constraint=clip,
        )
