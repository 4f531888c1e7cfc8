"""One adversarial step, D then G: the whole method on one page.

    D:    minimise  L_D(D(x), D(x')) + weight * penalty + A     x' = G(z) held fixed
    G:    minimise  L_G(D(x), D(x')) + A                        D held fixed
    EMA:  G_ema <- d * G_ema + (1 - d) * G                      d = 2^(-n / half-life)

x is a batch of real samples, x' as many generated ones, n the real samples of the step.
L_D, L_G, the penalty and the auxiliary term A are the recipe's: see
`recipes.method.Method`. D sees samples through the augmentation, if there is one. The
two functions of gradients hold all of the arithmetic but the optimisers'; for a long
run they are compiled (`training.speed`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from equipoise.recipes.method import AuxOutputs, CriticBatch, Rates

if TYPE_CHECKING:
    from equipoise.training.state import Gradients, State

# The EMA's half-life is at most this fraction of the samples seen, so that the start is
# soon forgotten (Karras et al. 2020).
EMA_RAMPUP = 0.1


def adversarial_step(state: State, rates: Rates) -> dict[str, Tensor]:
    """One step of both networks on fresh batches.

    Returns:
        Readings by name, on the device: losses, penalties and the like, (), and D's
        `real_logits` and `fake_logits`, (N,).
    """
    readings: dict[str, Tensor] = {}
    for _ in range(state.method.discriminator_steps):
        x, y = state.loader.next()
        readings |= discriminator_step(state, rates, x, y)
    readings |= generator_step(state, x, y)
    readings |= state.update_controllers("generator", readings)
    samples = state.samples_per_step
    half_life = ema_half_life(state, rates, samples)
    if half_life > 0:
        update_ema(state, 0.5 ** (samples / max(half_life, 1.0)))
    return readings


def discriminator_step(
    state: State, rates: Rates, x: Tensor, y: Tensor | None
) -> dict[str, Tensor]:
    """D learns to tell real samples x, (N, *shape), from what G makes of N latents."""
    # A tensor, since compiled code is made anew for every other number.
    weight = torch.tensor(rates.penalty)
    gradients, readings = state.compiled(discriminator_gradients)(
        state, weight, x, y, state.latents(len(x))
    )
    state.optimize_discriminator(gradients)
    if state.method.constraint is not None:
        state.method.constraint(state.discriminator)
    return readings | state.update_controllers("discriminator", readings)


def generator_step(state: State, x: Tensor, y: Tensor | None) -> dict[str, Tensor]:
    """G learns to be taken for real. Gradients pass through D without staying in it."""
    gradients, readings = state.compiled(generator_gradients)(state, x, y, state.latents(len(x)))
    state.optimize_generator(gradients)
    return readings


def discriminator_gradients(
    state: State, weight: Tensor, x: Tensor, y: Tensor | None, z: Tensor
) -> tuple[Gradients, dict[str, Tensor]]:
    """The gradients of D's loss.

    Args:
        weight: Of the penalty, ().
        x: Real samples, (N, *shape), as networks see them.
        y: The classes of real and generated samples alike, (N,), or None.
        z: Latents of the generated samples, (N, Z).

    Returns:
        The gradient of each of D's weights, and what was read on the way.
    """
    method = state.method
    with torch.no_grad():
        x_fake = state.generator(z, y)
    both = torch.cat([x, x_fake]).requires_grad_(
        method.penalty is not None and method.penalty_at == "samples"
    )
    if method.together:
        logits, aux = state.discriminate(both, None if y is None else torch.cat([y, y]))
        (real, fake), (aux_real, aux_fake) = logits.chunk(2), aux.chunk(2)
    else:
        (real, aux_real), (fake, aux_fake) = state.discriminate(x, y), state.discriminate(x_fake, y)
    terms = [method.discriminator_loss(real, fake)]
    readings = {"discriminator_loss": terms[0], "real_logits": real, "fake_logits": fake}
    if method.penalty is not None:
        batch = CriticBatch(
            both, logits, lambda at: state.discriminate(at, y)[0], state.randomness["penalty"]
        )
        penalties = method.penalty(batch)
        terms += [weight * term for term in penalties.values()]
        readings |= penalties
    if method.auxiliary is not None:
        term, of_term = method.auxiliary(AuxOutputs(aux_real, aux_fake, y, z))
        terms.append(term)
        readings |= of_term
    return _gradients(sum(terms[1:], terms[0]), state.weights_d, readings)


def generator_gradients(
    state: State, x: Tensor, y: Tensor | None, z: Tensor
) -> tuple[Gradients, dict[str, Tensor]]:
    """The gradients of G's loss, and what was read: as `discriminator_gradients`. Real
    samples x count only where the loss takes pairs."""
    method = state.method
    fake, aux = state.discriminate(state.generator(z, y), y)
    with torch.no_grad():
        real = state.discriminate(x, y)[0] if method.pairs else fake
    loss = total = method.generator_loss(real, fake)
    if method.auxiliary is not None:
        total = loss + method.auxiliary(AuxOutputs(None, aux, y, z))[0]
    return _gradients(total, state.weights_g, {"generator_loss": loss})


def _gradients(
    loss: Tensor, weights: list[Tensor], readings: dict[str, Tensor]
) -> tuple[Gradients, dict[str, Tensor]]:
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    # With their graphs the readings would hold the batch.
    return gradients, {name: value.detach() for name, value in readings.items()}


def ema_half_life(state: State, rates: Rates, samples: int) -> float:
    """The half-life of G's EMA, in samples, at a step of so many; 0 without an EMA.

    It is the scheduled one, or `EMA_RAMPUP` times the samples seen so far where that is
    less. After a warm start, which takes over an EMA too, it is the recipe's, and the
    samples that its weights had seen count: the schedule begins anew, the EMA does not.
    """
    seen = state.seen_before + state.samples_seen + samples
    full = state.ema_half_life if state.seen_before else rates.ema_half_life
    return min(full, EMA_RAMPUP * seen)


@torch.no_grad()
def update_ema(state: State, decay: float) -> None:
    """G_ema <- decay * G_ema + (1 - decay) * G for weights; buffers (statistics) are
    copied."""
    get_ema_multi_avg_fn(decay)(state.weights_ema, state.weights_g, 0)  # type: ignore[no-untyped-call]
    for old, new in state.statistics:
        old.copy_(new)
