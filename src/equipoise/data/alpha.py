"""Premultiplied alpha: colours in proportion to their opacity.

    a = (alpha - low) / (high - low),   c' = low + a (c - low)

What is under full transparency, whatever its colour in the file, is then all the same,
and what is nearly transparent differs as little as it can be seen to differ (Porter and
Duff 1984, "Compositing Digital Images"). Networks learn images so, and metrics compare
them so.
"""

from __future__ import annotations

import torch
from torch import Tensor

from equipoise.data.schema import Schema

Limits = tuple[float, float]


def premultiplied(x: Tensor, limits: Limits) -> Tensor:
    """Images, (N, C + 1, H, W), whose last channel is alpha, with colours
    premultiplied; floats."""
    low, high = limits
    x = x if x.is_floating_point() else x.float()
    opacity = ((x[:, -1:] - low) / (high - low)).clamp(0, 1)
    return torch.cat([low + (x[:, :-1] - low) * opacity, x[:, -1:]], 1)


def straight(x: Tensor, limits: Limits, step: float) -> Tensor:
    """The inverse of `premultiplied`. Colours under full transparency are `low`.

    Args:
        x: Premultiplied images, (N, C + 1, H, W).
        limits: The values of no and of full opacity.
        step: Between two values of alpha, 0 of floats: below half of it, alpha is
            rounded to full transparency.
    """
    low, high = limits
    alpha = x[:, -1:] - low
    visible = alpha >= step / 2 if step else alpha > 0
    opacity = torch.where(visible, alpha / (high - low), 1.0)
    colours = ((x[:, :-1] - low) / opacity).clamp(0, high - low)
    return torch.cat([low + torch.where(visible, colours, 0.0), x[:, -1:]], 1)


def as_measured(x: Tensor, schema: Schema, limits: Limits | None) -> Tensor:
    """Samples as metrics compare them: images with alpha premultiplied, all others as
    they are."""
    return premultiplied(x, limits) if schema.alpha and limits is not None else x
