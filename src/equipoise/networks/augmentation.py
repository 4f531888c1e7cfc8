"""Differentiable augmentation of the images that D sees, real and generated. G's
gradients pass through it.

Zhao et al.: "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS
2020: color, translation and cutout, at the paper's strengths for images on [-1, 1].
Karras et al.: "Training Generative Adversarial Networks with Limited Data", NeurIPS
2020 (ADA): each is applied to each image with probability p, and p rises while D is too
sure of the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from equipoise.networks.controller import Controller

# Maximum translation, as a fraction of a side.
MAX_SHIFT = 0.125
# Sides of the rectangle that cutout sets to zero, as a fraction of the image's.
CUTOUT_SIZE = 0.5
# Steps of D between two adjustments of p (ADA, section 3.1).
ADJUST_STEPS = 4
# Real images in which p can go from 0 to 1.
ADJUST_SAMPLES = 500_000


class Augmentation(Controller):
    """Augments images, (N, C, H, W): each of `kinds` with probability `p` per image.

    The training state sets three attributes. `generator` is the source of the random
    draws. `realness` maps D's outputs on real and on generated images, (N,) each, to
    values, (N,), that are positive where D classifies a real image as real. `images` is
    the number of real images in a batch, which may have several outputs each; None for
    as many as outputs.

    Args:
        kinds: Names of `AUGMENTATIONS`.
        target: If given, p starts at 0 and is adapted until the mean sign of
            `realness`, r_t in ADA, is `target`. Else `set_probability` sets p.
    """

    after: ClassVar[Literal["discriminator", "generator"]] = "discriminator"
    generator: torch.Generator | None = None
    images: int | None = None
    p: Tensor
    signs: Tensor
    steps: Tensor

    def __init__(
        self,
        kinds: Sequence[str],
        target: float | None = None,
    ) -> None:
        super().__init__()
        self.kinds: list[str] = list(kinds)
        self.target: float | None = target
        self.realness: Callable[[Tensor, Tensor], Tensor] = lambda real, _: real
        self.register_buffer("p", torch.tensor(1.0 if target is None else 0.0))
        self.register_buffer("signs", torch.tensor(0.0))
        self.register_buffer("steps", torch.tensor(0.0))

    def forward(self, x: Tensor) -> Tensor:
        for kind in self.kinds:
            x = torch.where(self._uniform(x) < self.p, AUGMENTATIONS[kind](x, self._uniform), x)
        return x

    def set_probability(self, p: float) -> None:
        """Set the probability; ignored where it is adapted."""
        if self.target is None:
            self.p.fill_(p)

    @torch.no_grad()
    def update(self, readings: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Adapt p every `ADJUST_STEPS` steps of D, by D's outputs in these steps."""
        if self.target is not None:
            real, fake = readings["real_logits"], readings["fake_logits"]
            self.signs += self.realness(real, fake).sign().mean()
            self.steps += 1
            due = self.steps >= ADJUST_STEPS
            size = ADJUST_STEPS * (self.images or len(real)) / ADJUST_SAMPLES
            step = (self.signs / self.steps - self.target).sign() * size
            self.p.copy_(torch.where(due, (self.p + step).clamp(0, 1), self.p))
            self.signs.mul_(~due)
            self.steps.mul_(~due)
        return {"augment_probability": self.p.clone()}

    def _uniform(self, x: Tensor) -> Tensor:
        """A number on [0, 1) for each image, (N, 1, 1, 1)."""
        return torch.rand(len(x), 1, 1, 1, generator=self.generator, device=x.device, dtype=x.dtype)


Draw = Callable[[Tensor], Tensor]


def color(x: Tensor, uniform: Draw) -> Tensor:
    """Shift brightness by up to 0.5, scale saturation by 0 to 2, then contrast by 0.5
    to 1.5."""
    x = x + uniform(x) - 0.5
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * (2 * uniform(x)) + grey
    middle = x.mean((1, 2, 3), keepdim=True)
    return (x - middle) * (uniform(x) + 0.5) + middle


def translation(x: Tensor, uniform: Draw) -> Tensor:
    """Shift each image by whole pixels, at most an eighth of each side; zeros fill the
    border."""
    height, width = x.shape[2:]
    far = [int(side * MAX_SHIFT + 0.5) for side in (height, width)]
    rows, columns = (
        torch.arange(side, device=x.device) + (uniform(x) * (2 * most + 1)).long().reshape(-1, 1)
        for side, most in zip((height, width), far, strict=True)
    )
    padded = pad(x, (far[1], far[1], far[0], far[0]))
    images = torch.arange(len(x), device=x.device)
    return padded.permute(0, 2, 3, 1)[
        images[:, None, None], rows[:, :, None], columns[:, None, :]
    ].permute(0, 3, 1, 2)


def cutout(x: Tensor, uniform: Draw) -> Tensor:
    """Set a rectangle of half the image's sides, at a random position, to zero."""
    outside = torch.ones_like(x[:, :1])
    inside = []
    for dimension in (2, 3):
        side = x.shape[dimension]
        hole = int(side * CUTOUT_SIZE + 0.5)
        start = (uniform(x) * (side + 1 - hole % 2)).floor() - hole // 2
        shape = [1, 1, 1, 1]
        shape[dimension] = side
        place = torch.arange(side, device=x.device).reshape(shape)
        inside.append((place >= start) & (place < start + hole))
    return x * outside.masked_fill(inside[0] & inside[1], 0)


AUGMENTATIONS: dict[str, Callable[[Tensor, Draw], Tensor]] = {
    "color": color,
    "translation": translation,
    "cutout": cutout,
}
