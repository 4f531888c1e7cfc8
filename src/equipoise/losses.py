"""Adversarial losses: pure functions of logits, each its equation, averaged over the
batch. Lower is better for the network it is named after.

`real` and `fake` are D's logits on real and on generated samples, shape (N,). Where
sigma(D) is the probability that D gives to "real", log sigma(D) = -softplus(-D), log(1
- sigma(D)) = -softplus(D).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu, softplus


def discriminator(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """Goodfellow et al. 2014, eq. 1, as a loss: -mean log sigma(D(x)) - mean log(1 -
    sigma(D(x'))); log 4 in equilibrium.

    `real_label` below 1 is one-sided label smoothing (Salimans et al. 2016): the real
    term becomes the cross-entropy to that label, -mean (s log sigma(D(x)) + (1 - s)
    log(1 - sigma(D(x)))).
    """
    return (real_label * softplus(-real) + (1 - real_label) * softplus(real)).mean() + softplus(
        fake
    ).mean()


def minimax_generator(fake: Tensor) -> Tensor:
    """Goodfellow et al. 2014, eq. 1: mean log(1 - sigma(D(x')))."""
    return -softplus(fake).mean()


def non_saturating_generator(fake: Tensor) -> Tensor:
    """Goodfellow et al. 2014, section 3: -mean log sigma(D(x')), the same fixed point
    with stronger gradients early on."""
    return softplus(-fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """RpGAN (Jolicoeur-Martineau 2018; Huang et al. 2024, eq. 2): mean softplus(-(D(x)
    - D(x'))) over pairs; at the optimum log 2."""
    return softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """RpGAN: mean softplus(-(D(x') - D(x))) over pairs."""
    return softplus(real - fake).mean()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Arjovsky et al. 2017, eq. 3, as a loss: -(mean D(x) - mean D(x')); at the optimum
    over Lipschitz-1 critics, -W1."""
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    """Arjovsky et al. 2017, theorem 3: -mean D(x')."""
    return -fake.mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Miyato et al. 2018, eq. 16: mean max(0, 1 - D(x)) + mean max(0, 1 + D(x')).

    The generator's, eq. 17, is `wasserstein_generator`.
    """
    return relu(1 - real).mean() + relu(1 + fake).mean()


def least_squares_discriminator(
    real: Tensor, fake: Tensor, a: float = 0.0, b: float = 1.0
) -> Tensor:
    """Mao et al. 2017, eq. 2: mean (D(x) - b)^2 / 2 + mean (D(x') - a)^2 / 2, with
    targets b on real and a on generated samples."""
    return ((real - b).square().mean() + (fake - a).square().mean()) / 2


def least_squares_generator(fake: Tensor, c: float = 1.0) -> Tensor:
    """Mao et al. 2017, eq. 2: mean (D(x') - c)^2 / 2.

    With b - c = 1 and b - a = 2 the game minimises Pearson's chi-squared divergence.
    """
    return (fake - c).square().mean() / 2
