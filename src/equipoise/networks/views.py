"""Views of images: the same images, seen a little otherwise. What must not depend on
such a change is trained on both.

Unlike the augmentations of `networks.augmentation` they are of real images alone, and D
is never asked whether a view is real. So samples do not have to look like views.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

# At most: radians; factor by which the image is enlarged, or reduced; fraction of half
# a side; and how far the upper edge is moved against the lower, as a fraction of the
# height (benchmarks/EXPERIMENTS.md, "InfoGAN's codes and views").
ROTATION, SCALE, TRANSLATION, SHEAR = 0.4, 1.3, 0.2, 0.4


def random_affine(x: Tensor, generator: torch.Generator) -> Tensor:
    """Each image rotated, scaled, shifted and sheared at random.

    Values between pixels are interpolated. What was outside the image has the value of
    the nearest edge.

    Args:
        x: Images, (N, C, H, W).
        generator: The source of the random draws, on the images' device.

    Returns:
        (N, C, H, W).
    """
    draws = 2 * torch.rand(len(x), 5, generator=generator, device=x.device, dtype=x.dtype) - 1
    grid = affine_grid(matrices(draws, x.shape[2] / x.shape[3]), list(x.shape), align_corners=False)
    return grid_sample(x, grid, padding_mode="border", align_corners=False)


def matrices(draws: Tensor, aspect: float) -> Tensor:
    """The affine maps from a view to its image, (N, 2, 3), where each side has length
    2, whether the image is square or not.

    Args:
        draws: Numbers on [-1, 1], (N, 5): of rotation, scale, shift to the right and
            down, and shear.
        aspect: Height over width.
    """
    angle, scale = ROTATION * draws[:, 0], SCALE ** draws[:, 1]
    right, down, shear = TRANSLATION * draws[:, 2], TRANSLATION * draws[:, 3], SHEAR * draws[:, 4]
    cos, sin = angle.cos() / scale, angle.sin() / scale
    rows = [cos, aspect * (shear * cos - sin), right, sin / aspect, shear * sin + cos, down]
    return torch.stack(rows, 1).reshape(-1, 2, 3)
