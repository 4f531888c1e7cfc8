"""One adversarial step, D then G: the whole method on one page.

    D: minimise  L_D(D(x), D(x')) + weight * penalty        x real, x' = G(z) held fixed
    G: minimise  L_G(D(x), D(x'))                           D held fixed
    average:     G_average <- d * G_average + (1 - d) * G   d = (1/2)^(samples of this step / half-life)

The half-life is the scheduled one, or a tenth of the samples seen so far where that is less.

What L_D, L_G and the penalty are is the recipe's: see `recipes.base.Method`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from equipoise.recipes.base import Method, Pass, Rates

if TYPE_CHECKING:
    from equipoise.training.state import State

AVERAGE_RAMP = (
    0.1  # the average's half-life is at most this share of what was seen, so that the start is soon forgotten (Karras et al. 2020)
)


def adversarial_step(method: Method, state: State, rates: Rates) -> dict[str, Tensor]:
    """One step of both players on fresh batches. Returns what it read on the way as scalars () that stay on the device."""
    readings: dict[str, Tensor] = {}
    for _ in range(method.discriminator_steps):
        x, y = state.feed.next()
        readings |= discriminator_step(method, state, rates, x, y)
    readings |= generator_step(method, state, x, y)
    if rates.average_half_life > 0:
        seen = state.samples_seen + method.discriminator_steps * len(x)
        half_life = max(min(rates.average_half_life, AVERAGE_RAMP * seen), 1.0)
        update_average(state.average, state.generator, 0.5 ** (method.discriminator_steps * len(x) / half_life))
    return readings


def discriminator_step(method: Method, state: State, rates: Rates, x: Tensor, y: Tensor | None) -> dict[str, Tensor]:
    """D learns to tell x from what G makes of as many latents."""
    with torch.no_grad():
        x_fake = state.generator(state.latents(len(x)), y)
    if method.together:
        both = torch.cat([x, x_fake]).requires_grad_(method.penalty is not None)
        logits = state.discriminator(both, None if y is None else torch.cat([y, y]))
        real, fake = logits.chunk(2)
    else:
        real, fake = state.discriminator(x, y), state.discriminator(x_fake, y)
    loss = method.discriminator_loss(real, fake)
    penalties = method.penalty(Pass(both, logits)) if method.penalty is not None else {}
    state.optimize_discriminator(torch.stack([loss, *(rates.penalty * term for term in penalties.values())]).sum())
    return {"discriminator_loss": loss, "real_logits": real, "fake_logits": fake, **penalties}


def generator_step(method: Method, state: State, x: Tensor, y: Tensor | None) -> dict[str, Tensor]:
    """G learns to be taken for real. Gradients pass through D without staying in it."""
    state.discriminator.requires_grad_(False)
    fake = state.discriminator(state.generator(state.latents(len(x)), y), y)
    with torch.no_grad():
        real = state.discriminator(x, y) if method.pairs else fake
    loss = method.generator_loss(real, fake)
    state.optimize_generator(loss)
    state.discriminator.requires_grad_(True)
    return {"generator_loss": loss}


@torch.no_grad()
def update_average(average: nn.Module, module: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * module for weights; buffers (statistics) are copied."""
    torch._foreach_lerp_(list(average.parameters()), list(module.parameters()), 1 - decay)
    for old, new in zip(average.buffers(), module.buffers(), strict=True):
        old.copy_(new)
