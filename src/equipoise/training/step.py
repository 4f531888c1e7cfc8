"""One adversarial step, D then G: the whole method on one page.

    D: minimise  L_D(D(x), D(x')) + weight * penalty + A      x real, x' = G(z) held fixed
    G: minimise  L_G(D(x), D(x')) + A                         D held fixed
    average:     G_average <- d * G_average + (1 - d) * G     d = (1/2)^(samples of this step / half-life)

The half-life is the scheduled one, or a tenth of the samples seen so far where that is
less. After a warm start, which takes over an average too, it is the recipe's, and the
samples that its weights had seen count.

What L_D, L_G, the penalty and the auxiliary term A are is the recipe's: see
`recipes.method.Method`. D sees all through the augmentation, if there is one. The two
functions of gradients hold all of the arithmetic but the optimisers'; for a long run
they are compiled (`training.speed`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from equipoise.recipes.method import AuxOutputs, CriticBatch, Method, Rates

if TYPE_CHECKING:
    from equipoise.training.state import Gradients, State

# The average's half-life is at most this share of what was seen, so that the start is
# soon forgotten (Karras et al. 2020).
EMA_RAMPUP = 0.1


def adversarial_step(method: Method, state: State, rates: Rates) -> dict[str, Tensor]:
    """One step of both networks on fresh batches.

    Returns what it read on the way as scalars () that stay on the device.
    """
    readings: dict[str, Tensor] = {}
    for _ in range(method.discriminator_steps):
        x, y = state.loader.next()
        readings |= discriminator_step(method, state, rates, x, y)
    readings |= generator_step(method, state, x, y)
    samples = state.samples_per_step
    half_life = ema_half_life(state, rates, samples)
    if half_life > 0:
        update_ema(state, 0.5 ** (samples / max(half_life, 1.0)))
    return readings


def ema_half_life(state: State, rates: Rates, samples: int) -> float:
    """The half-life of the generator's average, in
    samples, at a step of so many; 0 without one."""
    seen = state.seen_before + state.samples_seen + samples
    # A schedule begins anew with a warm start; the average that it took over does not.
    full = state.ema_half_life if state.seen_before else rates.ema_half_life
    return min(full, EMA_RAMPUP * seen)


def discriminator_step(
    method: Method, state: State, rates: Rates, x: Tensor, y: Tensor | None
) -> dict[str, Tensor]:
    """D learns to tell x from what G makes of as many latents."""
    weight = torch.tensor(
        rates.penalty
    )  # a tensor, since compiled code is made anew for every other number
    gradients, readings = state.compiled(discriminator_gradients)(
        method, state, weight, x, y, state.latents(len(x))
    )
    state.optimize_discriminator(gradients)
    if method.constraint is not None:
        method.constraint(state.discriminator)
    if method.augmentation is not None:
        method.augmentation.observe(readings["real_logits"], readings["fake_logits"])
        readings["augment_probability"] = method.augmentation.p.clone()
    return readings


def generator_step(method: Method, state: State, x: Tensor, y: Tensor | None) -> dict[str, Tensor]:
    """G learns to be taken for real. Gradients pass through D without staying in it."""
    gradients, readings = state.compiled(generator_gradients)(
        method, state, x, y, state.latents(len(x))
    )
    state.optimize_generator(gradients)
    return readings


def discriminator_gradients(
    method: Method, state: State, weight: Tensor, x: Tensor, y: Tensor | None, z: Tensor
) -> tuple[Gradients, dict[str, Tensor]]:
    """The gradients of D's weights at real samples x and at what G makes of z, and what
    was read on the way. `weight`, (), is the penalty's."""
    with torch.no_grad():
        x_fake = state.generator(z, y)
    both = torch.cat([x, x_fake]).requires_grad_(
        method.penalty is not None and method.penalty_at == "samples"
    )
    if method.together:
        logits, answers = state.discriminate(both, None if y is None else torch.cat([y, y]))
        real, fake = logits.chunk(2)
        answers_real, answers_fake = answers.chunk(2)
    else:
        (real, answers_real), (fake, answers_fake) = (
            state.discriminate(x, y),
            state.discriminate(x_fake, y),
        )
    terms = [method.discriminator_loss(real, fake)]
    readings = {"discriminator_loss": terms[0], "real_logits": real, "fake_logits": fake}
    if method.penalty is not None:
        penalties = method.penalty(
            CriticBatch(
                both, logits, lambda at: state.discriminate(at, y)[0], state.randomness["penalty"]
            )
        )
        terms += [weight * term for term in penalties.values()]
        readings |= penalties
    if method.auxiliary is not None:
        term, told = method.auxiliary(AuxOutputs(answers_real, answers_fake, y, z))
        terms.append(term)
        readings |= told
    return _gradients(sum(terms[1:], terms[0]), state.weights_d, readings)


def generator_gradients(
    method: Method, state: State, x: Tensor, y: Tensor | None, z: Tensor
) -> tuple[Gradients, dict[str, Tensor]]:
    """The gradients of G's weights at latents z, the loss paired with real samples x
    where it takes pairs, and what was read."""
    fake, answers = state.discriminate(state.generator(z, y), y)
    with torch.no_grad():
        real = state.discriminate(x, y)[0] if method.pairs else fake
    loss = method.generator_loss(real, fake)
    total = (
        loss
        if method.auxiliary is None
        else loss + method.auxiliary(AuxOutputs(None, answers, y, z))[0]
    )
    return _gradients(total, state.weights_g, {"generator_loss": loss})


def _gradients(
    loss: Tensor, weights: list[Tensor], readings: dict[str, Tensor]
) -> tuple[Gradients, dict[str, Tensor]]:
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return gradients, {
        name: value.detach() for name, value in readings.items()
    }  # with their graphs they would hold the batch


@torch.no_grad()
def update_ema(state: State, decay: float) -> None:
    """G_average <- decay * G_average + (1 - decay) * G for weights; buffers
    (statistics) are copied."""
    get_ema_multi_avg_fn(decay)(state.weights_ema, state.weights_g, 0)  # type: ignore[no-untyped-call]
    for old, new in state.statistics:
        old.copy_(new)
