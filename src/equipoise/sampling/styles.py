"""The w space of a style generator: styles w = f(z) of its mapping network (Karras,
Laine, Aila 2019), in place of the latents."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from equipoise.data.loading import Stream, seeded
from equipoise.networks.stylegan2 import StyleGenerator
from equipoise.sampling.evaluation_mode import evaluating
from equipoise.sampling.sampler import Sampler

MEAN_SAMPLES = 4096  # latents whose styles a mean is of


class FromStyles(nn.Module):
    """A style generator that is given w instead of the latents that it is computed of.

    Args:
        generator: The style generator.
    """

    def __init__(self, generator: StyleGenerator) -> None:
        super().__init__()
        self.generator = generator
        self.train(generator.training)

    def forward(self, latents: Tensor, y: Tensor | None = None) -> Tensor:
        """Images, (N, C, H, W), of w and z side by side, (N, W + Z): z has the
        noise."""
        w = latents[:, : self.generator.sizes[0]]
        return from_styles(self.generator, w, latents[:, w.shape[1] :])


def from_styles(generator: StyleGenerator, w: Tensor, z: Tensor) -> Tensor:
    """Images, (N, C, H, W), of one w for all layers, (N, W), and the noise of z."""
    layers = generator.synthesis.styles
    return generator.synthesize(w[:, None].expand(-1, layers, -1), z)


def style_generator(sampler: Sampler) -> StyleGenerator | None:
    """The generator, if it has a w space."""
    return sampler.generator if isinstance(sampler.generator, StyleGenerator) else None


def with_styles(sampler: Sampler) -> Sampler:
    """A sampler of the same generator that is given w and z side by side."""
    generator = style_generator(sampler)
    assert generator is not None, "only a style generator is given styles"
    return replace(sampler, generator=FromStyles(generator))


@torch.no_grad()
def styles_of(generator: StyleGenerator, z: Tensor, y: Tensor | None) -> Tensor:
    """w, (N, W), of latents, (N, Z), and classes, on the CPU."""
    device = next(generator.parameters()).device
    with evaluating(generator):
        first = z[:, : generator.sizes[0]].to(device)
        w: Tensor = generator.mapping(first, None if y is None else y.to(device))
    return w.cpu()


def mean_styles(sampler: Sampler, generator: StyleGenerator) -> Tensor:
    """The mean w of each class, (K, W); of all samples, (1, W), where there are no
    classes, or several at once.

    StyleGAN's is the mean over all classes, which lies between them; that of a class is
    StyleGAN-XL's (Sauer, Schwarz, Geiger 2022).
    """
    randomness = seeded(0, Stream.STYLES)
    z = sampler.prior.sample(MEAN_SAMPLES, randomness)
    y = sampler.draws.classes(MEAN_SAMPLES, None, randomness, randomness)
    classes = range(generator.mapping.classes)
    if not classes or (y is not None and y.dim() > 1):
        return styles_of(generator, z, y).mean(0, keepdim=True)
    return torch.stack([styles_of(generator, z, torch.full((len(z),), k)).mean(0) for k in classes])
