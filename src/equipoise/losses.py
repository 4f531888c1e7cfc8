"""Adversarial losses: pure functions of logits, each its equation, averaged over the batch. Lower is better for the player it is named
after.

`real` and `fake` are D's logits on real and on generated samples, shape (N,). sigma(D) is the probability that D gives to "real", and
log sigma(D) = -softplus(-D), log(1 - sigma(D)) = -softplus(D).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


def discriminator(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """Goodfellow et al. 2014, eq. 1, as a loss: -mean log sigma(D(x)) - mean log(1 - sigma(D(x'))); log 4 in equilibrium.

    `real_label` below 1 is one-sided label smoothing (Salimans et al. 2016): the real term becomes the cross-entropy to that label,
    -mean (s log sigma(D(x)) + (1 - s) log(1 - sigma(D(x)))).
    """
    return (real_label * softplus(-real) + (1 - real_label) * softplus(real)).mean() + softplus(fake).mean()


def minimax_generator(fake: Tensor) -> Tensor:
    """Goodfellow et al. 2014, eq. 1: mean log(1 - sigma(D(x')))."""
    return -softplus(fake).mean()


def non_saturating_generator(fake: Tensor) -> Tensor:
    """Goodfellow et al. 2014, section 3: -mean log sigma(D(x')), the same fixed point with stronger gradients early on."""
    return softplus(-fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """RpGAN (Jolicoeur-Martineau 2018; Huang et al. 2024, eq. 2): mean softplus(-(D(x) - D(x'))) over pairs; at the optimum log 2."""
    return softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """RpGAN: mean softplus(-(D(x') - D(x))) over pairs."""
    return softplus(real - fake).mean()
