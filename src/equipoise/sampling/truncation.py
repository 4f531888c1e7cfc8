"""Truncation: samples nearer to the mean, more alike and often better.

For latents and a number psi from 0 to 1:

    z' = psi z                          any generator
    w' = mean(w) + psi (w - mean(w))    a generator with a mapping network

The second is the truncation trick of StyleGAN (Karras, Laine, Aila, CVPR 2019, appendix
B); its mapping network normalises z, so that psi z would change nothing. BigGAN (Brock,
Donahue, Simonyan, ICLR 2019, section 3.1) draws z from a truncated normal distribution
instead, which is as far from the mean as psi z on average. Here z is shrunk: the sample
of each seed stays recognisable and moves smoothly as psi does, 1 is no truncation bit
for bit, and the same holds for given latents. For uniform latents psi z is the
distribution that is truncated to [-psi, psi]. Codes (InfoGAN's) and classes keep their
values.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from equipoise.coerce import checked
from equipoise.errors import RequestError
from equipoise.networks.latents import Prior
from equipoise.networks.stylegan2 import StyleGenerator
from equipoise.sampling.sampler import Sampler
from equipoise.sampling.styles import from_styles, mean_styles, style_generator


def checked_truncation(psi: float) -> float:
    """Raises:
    RequestError: If psi is no number from 0 to 1."""
    value = float(checked("truncation", psi, float))
    if not 0 <= value <= 1:
        raise RequestError(
            f"truncation = {value:g}: must be from 0, the mean sample, to 1, no truncation"
        )
    return value


class TruncatedGenerator(nn.Module):
    """A generator whose latents are truncated.

    Args:
        generator: Latents (N, Z) and classes to samples.
        prior: Of the latents.
        psi: From 0 to 1.
        means: The mean w of each class, (K, W), of a style generator.
    """

    psi: Tensor
    codes: Tensor
    means: Tensor

    def __init__(
        self, generator: nn.Module, prior: Prior, psi: float, means: Tensor | None = None
    ) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("psi", torch.tensor(psi))
        self.register_buffer("codes", code_columns(prior))
        if means is not None:
            self.register_buffer("means", means)
        self.train(generator.training)

    def forward(self, z: Tensor, y: Tensor | None = None, psi: Tensor | None = None) -> Tensor:
        """Samples of latents, (N, Z), and classes, at another psi, (), if one is given:
        exported graphs have it as an input."""
        psi = self.psi if psi is None else psi
        if not isinstance(self.generator, StyleGenerator):
            samples: Tensor = self.generator(z * shrinking(self.codes, psi), y)
            return samples
        w = self.generator.mapping(z[:, : self.generator.sizes[0]], y)
        return from_styles(self.generator, truncated_styles(w, y, self.means, psi), z)


def code_columns(prior: Prior) -> Tensor:
    """Which columns of z are codes, (Z,)."""
    codes = torch.zeros(prior.width, dtype=torch.bool)
    for columns in prior.codes.values():
        codes[columns] = True
    return codes


def shrinking(codes: Tensor, psi: Tensor) -> Tensor:
    """What each column of z is multiplied by, (Z,): psi, (), and 1 for codes, (Z,)."""
    return torch.where(codes, 1.0, psi)


def truncated_styles(w: Tensor, y: Tensor | None, means: Tensor, psi: Tensor) -> Tensor:
    """w, (N, W), of classes, (N,), drawn towards the mean w of each class, (K, W)."""
    of_each = means[y] if y is not None and len(means) > 1 else means
    return torch.lerp(of_each.expand_as(w), w, psi)


def with_truncation(sampler: Sampler, psi: float) -> TruncatedGenerator:
    """The sampler's generator, truncated."""
    style = style_generator(sampler)
    means = None if style is None else mean_styles(sampler, style)
    return TruncatedGenerator(sampler.generator, sampler.prior, psi, means)


def truncated(sampler: Sampler, psi: float | None) -> Sampler:
    """A sampler of the same samples, truncated; the same sampler for None.

    Raises:
        RequestError: If psi is not from 0 to 1.
    """
    if psi is None:
        return sampler
    generator = with_truncation(sampler, checked_truncation(psi))
    return replace(sampler, generator=generator.to(sampler.device))
