"""One adversarial step, first D, then G.

    D:    minimise  L_D(D(x), D(x')) + weight * penalty + A     x' = G(z) held fixed
    G:    minimise  L_G(D(x), D(x')) + weight * penalty + A     D held fixed
    EMA:  G_ema <- d * G_ema + (1 - d) * G                      d = 2^(-n / half-life)

x is a batch of real samples, x' one of as many generated samples, n the number of real
samples in the step. Of several processes each has an equal part of the batch, and every
optimiser step is along the mean of their gradients. The recipe defines L_D, L_G, their
penalties and the auxiliary term A, see `recipes.method.Method`. A penalty of every k-th
step has k times the weight. D sees augmented samples if the recipe has augmentations,
and packs of samples if it has packing. x' is new in G's step, unless the method reuses
the samples of D's.

`discriminator_gradients` and `generator_gradients` have all of the arithmetic except
the optimisers'. For a long run they are compiled (`training.speed`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from equipoise.recipes.method import AuxOutputs, CriticBatch, GeneratorBatch, Rates

if TYPE_CHECKING:
    from equipoise.training.state import Gradients, State

# Maximum half-life of the EMA, as a fraction of the samples seen, so that it forgets
# the initial weights early (Karras et al. 2020).
EMA_RAMPUP = 0.1


class Reused(NamedTuple):
    """What G's step takes over from D's."""

    z: Tensor
    """The latents, (N, Z)."""
    x_fake: Tensor
    """The generated samples, (N, *shape), with the graph back to G's weights."""
    real_logits: Tensor | None = None
    """D's outputs on real samples before its optimiser step, (N,)."""


def adversarial_step(state: State, rates: Rates) -> dict[str, Tensor]:
    """One step of G and the recipe's number of steps of D, on new batches.

    Args:
        state: Updated in place.
        rates: The scheduled values for this step.

    Returns:
        Readings by name, on the device: losses, penalties and other scalars, (), and
        D's `real_logits` and `fake_logits`, (N,).
    """
    method, reused = state.method, None
    readings: dict[str, Tensor] = {}
    for step in range(1, method.discriminator_steps + 1):
        x, y = state.loader.next()
        if method.reuses_samples and step == method.discriminator_steps:
            z = state.latents(len(x))
            reused = Reused(z, state.generator(z, y))
        readings |= discriminator_step(state, rates, x, y, reused)
    if reused is not None:
        reused = reused._replace(real_logits=readings["real_logits"])
    readings |= generator_step(state, rates, x, y, reused)
    readings |= state.update_controllers("generator", readings)
    samples = state.samples_per_step
    half_life = ema_half_life(state, rates, samples)
    if half_life > 0:
        update_ema(state, 0.5 ** (samples / max(half_life, 1.0)))
    return readings


def discriminator_step(
    state: State, rates: Rates, x: Tensor, y: Tensor | None, reused: Reused | None = None
) -> dict[str, Tensor]:
    """One step of D on real samples x, (N, *shape), and N generated ones, new ones
    unless they are given."""
    weight = penalty_weight(state, rates.penalty, state.method.penalty_interval)
    z = state.latents(len(x)) if reused is None else reused.z
    gradients, readings = state.compiled(discriminator_gradients)(state, weight, x, y, z, reused)
    state.optimize_discriminator(gradients)
    if state.method.constraint is not None:
        state.method.constraint(state.discriminator)
    return readings | state.update_controllers("discriminator", readings)


def generator_step(
    state: State, rates: Rates, x: Tensor, y: Tensor | None, reused: Reused | None = None
) -> dict[str, Tensor]:
    """One step of G, on new samples unless those of D's step are given. Gradients pass
    through D and are not stored in its weights."""
    method, weight = state.method, None
    if method.generator_penalty is not None:
        interval = method.generator_penalty_interval
        weight = penalty_weight(state, rates.generator_penalty, interval)
    z = state.latents(len(x)) if reused is None else reused.z
    gradients, readings = state.compiled(generator_gradients)(state, weight, x, y, z, reused)
    state.optimize_generator(gradients)
    return readings


def penalty_weight(state: State, weight: float, interval: int) -> Tensor | None:
    """The weight of a penalty in this step, (); None in a step without it.

    A tensor: for a Python number, the step would be compiled again for each value.
    """
    step = state.samples_seen // state.samples_per_step
    return None if step % interval else torch.tensor(weight * interval)


def discriminator_gradients(
    state: State,
    weight: Tensor | None,
    x: Tensor,
    y: Tensor | None,
    z: Tensor,
    reused: Reused | None = None,
) -> tuple[Gradients, dict[str, Tensor]]:
    """The gradients of D's loss.

    Args:
        state: The networks; not changed.
        weight: Weight of the penalty, (); None: no penalty.
        x: Real samples, (N, *shape), as networks see them.
        y: The classes of both the real and the generated samples, (N,), or None.
        z: Latents of the generated samples, (N, Z).
        reused: The generated samples; None: they are generated here.

    Returns:
        The gradient of each of D's weights, and readings by name.
    """
    method, pack = state.method, state.method.packing
    with torch.no_grad():
        x_fake = state.generator(z, y) if reused is None else reused.x_fake.detach()
    x, x_fake, y_d = pack.join(x), pack.join(x_fake), pack.join_classes(y)
    both = torch.cat([x, x_fake]).requires_grad_(
        weight is not None and method.penalty is not None and method.penalty_at == "samples"
    )
    if method.together:
        logits, aux = state.discriminate(both, None if y_d is None else torch.cat([y_d, y_d]))
        (real, fake), (aux_real, aux_fake) = logits.chunk(2), aux.chunk(2)
    else:
        real, aux_real = state.discriminate(x, y_d)
        fake, aux_fake = state.discriminate(x_fake, y_d)
    terms = [method.discriminator_loss(real, fake)]
    readings = {"discriminator_loss": terms[0], "real_logits": real, "fake_logits": fake}
    if method.penalty is not None and weight is not None:
        batch = CriticBatch(
            both,
            logits,
            lambda at: state.discriminate(at, y_d)[0],
            state.randomness["penalty"],
            state.ranks.gather,
        )
        penalties = method.penalty(batch)
        terms += [weight * term for term in penalties.values()]
        readings |= penalties
    if method.auxiliary is not None:
        randomness, aux_view = state.randomness["penalty"], None
        if method.view is not None:
            view = method.view(pack.split(x), randomness)
            aux_view = state.discriminate(pack.join(view), y_d)[1]
        outputs = AuxOutputs(aux_real, aux_fake, y, z, randomness, aux_view, state.ranks.gather)
        term, of_term = method.auxiliary(outputs)
        terms.append(term)
        readings |= of_term
    return _gradients(sum(terms[1:], terms[0]), state.weights_d, readings)


def generator_gradients(
    state: State,
    weight: Tensor | None,
    x: Tensor,
    y: Tensor | None,
    z: Tensor,
    reused: Reused | None = None,
) -> tuple[Gradients, dict[str, Tensor]]:
    """The gradients of G's loss, with arguments and result as
    `discriminator_gradients`.

    Real samples x enter only if the loss takes pairs.
    """
    method, pack = state.method, state.method.packing
    x_fake, y_d = state.generator(z, y) if reused is None else reused.x_fake, pack.join_classes(y)
    fake, aux = state.discriminate(pack.join(x_fake), y_d)
    real = fake
    if method.pairs and reused is not None and reused.real_logits is not None:
        real = reused.real_logits
    elif method.pairs:
        with torch.no_grad():
            real = state.discriminate(pack.join(x), y_d)[0]
    loss = total = method.generator_loss(real, fake)
    if method.auxiliary is not None:
        randomness, gather = state.randomness["penalty"], state.ranks.gather
        outputs = AuxOutputs(None, aux, y, z, randomness, gather=gather)
        total = loss + method.auxiliary(outputs)[0]
    readings = {"generator_loss": loss}
    if method.generator_penalty is not None and weight is not None:
        batch = GeneratorBatch(z, y, state.randomness["penalty"], x_fake, state.ranks.gather)
        term, of_term = method.generator_penalty(batch)
        total = total + weight * term
        readings |= of_term
    return _gradients(total, state.weights_g, readings)


def _gradients(
    loss: Tensor, weights: list[Tensor], readings: dict[str, Tensor]
) -> tuple[Gradients, dict[str, Tensor]]:
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    # Detached, since their graphs would keep the batch in memory.
    return gradients, {name: value.detach() for name, value in readings.items()}


def ema_half_life(state: State, rates: Rates, samples: int) -> float:
    """The half-life of G's EMA at this step, in samples; 0 without an EMA.

    It is the scheduled one, at most `EMA_RAMPUP` times the samples seen. A warm start
    reuses an EMA: then it is the recipe's, and the samples that its weights had seen
    count.

    Args:
        state: The networks and samples seen.
        rates: The scheduled values for this step.
        samples: Real samples of this step.
    """
    seen = state.seen_before + state.samples_seen + samples
    full = state.ema_half_life if state.seen_before else rates.ema_half_life
    return min(full, EMA_RAMPUP * seen)


@torch.no_grad()
def update_ema(state: State, decay: float) -> None:
    """G_ema <- decay * G_ema + (1 - decay) * G for weights; buffers (statistics) are
    copied."""
    update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # torch's own is not typed
    update(state.weights_ema, state.weights_g, 0)
    for old, new in state.statistics:
        old.copy_(new)
