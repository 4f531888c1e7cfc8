"""dcgan: the original GAN with convolutional networks.

Radford, Metz, Chintala: "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", ICLR 2016.

The loss is the non-saturating one of 2014. New are the networks, see `networks.dcgan`:
strided and transposed convolutions, BatchNorm except at G's output and D's input, ReLU
in G with a tanh at the end, LeakyReLU(.2) in D, weights from N(0, .02), Adam with
learning rate 2e-4 and beta1 .5, 100 uniform latents. Real and generated batches pass D
separately, each normalised by its own statistics. By default grey images have larger
steps and a dense layer in each network (`recipes.dcgan_family`).

`preset="paper"` is section 4 (batches of 128, Adam, N(0, .02), slope .2) with figure
1's 1,024 channels on the 4 x 4 grid of 64 x 64 pixels. From the authors'
`faces/train_uncond_dcgan.py` are the 5 x 5 kernels, and BatchNorm of each number of
G's coarsest grid over the batch, not of each channel. What differs: that file also has
a weight decay of 1e-5, which the paper does not name, and no biases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, CrossEntropy
from equipoise.recipes.method import Method

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class DCGAN(CrossEntropy):
    """Convolutional networks with BatchNorm, for images."""

    name = "dcgan"
    summary = "convolutional networks with BatchNorm, for images"
    paper = "Radford et al. 2016, Unsupervised Representation Learning with Deep Convolutional GANs"
    norm = "batch"
    first_norm = "numbers"
    color_rate = 2e-4
    images_only = True
    published_for = "images"

    latent: Literal["normal", "uniform"] = "uniform"
    """Distribution of the latents: standard normal, or uniform on [-1, 1]."""

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        return PLAIN | {
            "batch_size": 128,
            "learning_rate": 2e-4,
            "latent": "uniform",
            "latent_dim": 100,
            "width": 128,
            "kernel_size": 5,
            "real_label": 1.0,
        }

    def build(self, space: NetworkSpace) -> Method:
        return self.method(self.networks(space), self.losses())
