"""Regularisers of the discriminator: pure functions."""

from __future__ import annotations

import torch
from torch import Tensor


def squared_gradient_norms(logits: Tensor, x: Tensor) -> Tensor:
    """|grad_x D(x)|^2 for every sample: logits (N,) computed from x, (N, ...), which requires gradients; returns (N,), differentiable.

    The mean over real samples is R1, over generated ones R2 (Mescheder et al. 2018, eq. 9); the papers' weight gamma / 2 is not inside.
    The norm is taken over all of a sample's numbers, and samples must not see each other in D.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1)
