"""Adversarial losses: pure functions of D's outputs, averaged over the batch.

Each function is named after the network that minimises it. `real` and `fake` are D's
logits on real and generated samples, (N,) each; a loss is (). If sigma(D(x)) is the
probability that x is real, log sigma(D) = -softplus(-D) and log(1 - sigma(D)) =
-softplus(D).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu, softplus


def discriminator(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """-mean log sigma(D(x)) - mean log(1 - sigma(D(x'))); log 4 in equilibrium.

    Goodfellow et al. 2014, eq. 1.

    Args:
        real: (N,).
        fake: (N,).
        real_label: The target s for real samples. Below 1 is one-sided label smoothing
            (Salimans et al. 2016): the real term becomes
            -mean (s log sigma(D(x)) + (1 - s) log(1 - sigma(D(x)))).
    """
    real_term = (real_label * softplus(-real) + (1 - real_label) * softplus(real)).mean()
    return real_term + softplus(fake).mean()


def minimax_generator(fake: Tensor) -> Tensor:
    """mean log(1 - sigma(D(x'))): Goodfellow et al. 2014, eq. 1."""
    return -softplus(fake).mean()


def non_saturating_generator(fake: Tensor) -> Tensor:
    """-mean log sigma(D(x')): Goodfellow et al. 2014, section 3. The same fixed point
    as `minimax_generator`, with stronger gradients early on."""
    return softplus(-fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """mean softplus(-(D(x) - D(x'))) over pairs; log 2 at the optimum.

    RpGAN: Jolicoeur-Martineau 2018; Huang et al. 2024, eq. 2.
    """
    return softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """mean softplus(-(D(x') - D(x))) over pairs: RpGAN, as above."""
    return softplus(real - fake).mean()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """mean D(x') - mean D(x); -W1 at the optimum over critics of Lipschitz constant 1.

    Arjovsky et al. 2017, eq. 3.
    """
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    """-mean D(x'): Arjovsky et al. 2017, theorem 3."""
    return -fake.mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """mean max(0, 1 - D(x)) + mean max(0, 1 + D(x')).

    Miyato et al. 2018, eq. 16. The generator's, eq. 17, is `wasserstein_generator`.
    """
    return relu(1 - real).mean() + relu(1 + fake).mean()


def least_squares_discriminator(
    real: Tensor, fake: Tensor, a: float = 0.0, b: float = 1.0
) -> Tensor:
    """mean (D(x) - b)^2 / 2 + mean (D(x') - a)^2 / 2: Mao et al. 2017, eq. 2.

    Args:
        real: (N,).
        fake: (N,).
        a: D's target for generated samples.
        b: D's target for real samples.
    """
    return ((real - b).square().mean() + (fake - a).square().mean()) / 2


def least_squares_generator(fake: Tensor, c: float = 1.0) -> Tensor:
    """mean (D(x') - c)^2 / 2: Mao et al. 2017, eq. 2.

    With b - c = 1 and b - a = 2 the game minimises Pearson's chi-squared divergence.
    """
    return (fake - c).square().mean() / 2
