"""Gradient penalties of the discriminator: pure functions.

All take D's `logits`, (N,), on `x`, (N, *shape), which requires gradients. A sample's
logit must not depend on other samples, so D has no BatchNorm. Norms are over all values
of a sample. The papers' weights are not included.
"""

from __future__ import annotations

import torch
from torch import Tensor


def squared_gradient_norms(logits: Tensor, x: Tensor) -> Tensor:
    """|grad_x D(x)|^2 of every sample.

    The mean over real samples is R1, over generated ones R2 (Mescheder et al. 2018, eq.
    9, with weight gamma / 2).

    Returns:
        (N,), differentiable.
    """
    return _gradients(logits, x).square().sum(1)


def r1_and_r2(logits: Tensor, x: Tensor) -> dict[str, Tensor]:
    """R1 and R2, () each, of a batch whose first half is real and second half
    generated."""
    real, fake = squared_gradient_norms(logits, x).chunk(2)
    return {"r1": real.mean(), "r2": fake.mean()}


def norm_penalties(logits: Tensor, x: Tensor, target: float = 1.0) -> Tensor:
    """(|grad_x D(x)| - target)^2 of every sample.

    Gulrajani et al. 2017, eq. 3, at points between real and generated samples; Kodali
    et al. 2017, section 2.4, around real ones; both with weight lambda.

    Returns:
        (N,), differentiable.
    """
    norms: Tensor = torch.linalg.vector_norm(_gradients(logits, x), dim=1)
    return (norms - target).square()


def between(real: Tensor, fake: Tensor, generator: torch.Generator) -> Tensor:
    """Points e x + (1 - e) x', with e uniform on [0, 1) for each pair.

    Gulrajani et al. 2017, algorithm 1.

    Args:
        real: x, (N, *shape).
        fake: x', (N, *shape).
        generator: Of e, on the device of `real`.

    Returns:
        (N, *shape), which requires gradients.
    """
    fraction = torch.rand(
        len(real),
        *(1,) * (real.dim() - 1),
        generator=generator,
        device=real.device,
        dtype=real.dtype,
    )
    return torch.lerp(fake.detach(), real.detach(), fraction).requires_grad_()


def around(
    real: Tensor, std: float, generator: torch.Generator, batch: Tensor | None = None
) -> Tensor:
    """Points x + d, with normal d of `std` times the batch's standard deviation.

    Kodali et al. 2017, section 2.4.

    Args:
        real: x, (N, *shape).
        std: The factor.
        generator: Of d, on the device of `real`.
        batch: The batch that `real` is a part of, (M, *shape); None if it is the batch.

    Returns:
        (N, *shape), which requires gradients.
    """
    spread = (real if batch is None else batch).detach().std()
    noise = torch.randn(real.shape, generator=generator, device=real.device, dtype=real.dtype)
    return (real.detach() + std * spread * noise).requires_grad_()


def _gradients(logits: Tensor, x: Tensor) -> Tensor:
    gradient: Tensor = torch.autograd.grad(logits.sum(), x, create_graph=True)[0]
    return gradient.flatten(1)
