"""Walks through the latent space: from one latent to another, and in a loop.

Between two normal latents by spherical interpolation (Shoemake, SIGGRAPH 1985; White,
"Sampling Generative Networks", 2016): the unit vectors turn at constant speed, and the
norm goes linearly from one to the other,

    u(t) = (sin((1 - t) w) u_a + sin(t w) u_b) / sin w,    cos w = <u_a, u_b>
    z(t) = ((1 - t) |a| + t |b|) u(t)

A straight line would pass by the origin, where a generator of normal latents was hardly
trained. Uniform latents, and styles w, are interpolated linearly.

A loop is a stationary Gaussian process on the circle,

    g(t) = sum_j (a_j cos 2 pi j t + b_j sin 2 pi j t) / sqrt(J),    a_j, b_j ~ N(0, I)

so that at every moment g(t) ~ N(0, I): each frame shows samples of the generator as
`sample` draws them. Uniform latents are 2 Phi(g) - 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.loading import Stream, seeded
from equipoise.sampling.draws import Codes
from equipoise.sampling.latents import Latents, draw, styles_in
from equipoise.sampling.sampler import Sampler
from equipoise.sampling.styles import style_generator

Array = NDArray[np.float64]
HARMONICS = 2  # J of a loop: it passes by about four latents that are unlike each other
PARALLEL = 1e-6  # sine of the angle below which there is no plane to turn in


@dataclass(frozen=True)
class Part:
    """Columns of z with one distribution."""

    columns: slice
    is_normal: bool


def parts_of(sampler: Sampler) -> list[Part]:
    """The parts of z that are not codes. A style generator's are the style, and the
    rest, with the noise."""
    prior, style = sampler.prior, style_generator(sampler)
    if style is not None:
        first = style.sizes[0]
        return [Part(slice(0, first), True), Part(slice(first, prior.width), True)]
    parts = [Part(slice(0, prior.dim), prior.kind == "normal")]
    if prior.draws:
        parts.append(Part(slice(prior.width - prior.draws, prior.width), True))
    return parts


def slerp(a: Array, b: Array, t: Array) -> Array:
    """Spherical interpolation.

    Args:
        a, b: Vectors, (Z,). Where they are parallel, or one is 0, it is linear.
        t: From 0 to 1, (T,).

    Returns:
        (T, Z). The norms go linearly from |a| to |b|.
    """
    norms = np.linalg.norm(a), np.linalg.norm(b)
    t = t[:, None]
    if not all(norms):
        return lerp(a, b, t)
    unit_a, unit_b = a / norms[0], b / norms[1]
    angle = math.acos(float(np.clip(unit_a @ unit_b, -1, 1)))
    if math.sin(angle) < PARALLEL:
        return lerp(a, b, t)
    turned = np.sin((1 - t) * angle) * unit_a + np.sin(t * angle) * unit_b
    return np.asarray(((1 - t) * norms[0] + t * norms[1]) * turned / math.sin(angle))


def lerp(a: Array, b: Array, t: Array) -> Array:
    """(1 - t) a + t b."""
    return np.asarray((1 - t) * a + t * b)


def interpolate(sampler: Sampler, a: Latents, b: Latents, steps: int) -> Latents:
    """The latents from a to b, both included, with the classes and codes of a.

    Args:
        sampler: The generator.
        a, b: One latent each. In w where one of them is.
        steps: Number of latents, at least 2.
    """
    t = np.linspace(0, 1, steps)
    walked = np.repeat(a.z, steps, 0)
    for part in parts_of(sampler):
        start, end = (of.z[0, part.columns].astype(np.float64) for of in (a, b))
        between = slerp(start, end, t) if part.is_normal else lerp(start, end, t[:, None])
        between[[0, -1]] = start, end  # and not what rounding makes of them
        walked[:, part.columns] = between
    w = None
    if a.w is not None or b.w is not None:
        start, end = (styles_in(sampler, of)[0].double().numpy() for of in (a, b))
        w = lerp(start, end, t[:, None]).astype(np.float32)
    return replace(a.repeated(steps), z=walked, w=w)


def loop(
    sampler: Sampler,
    n: int,
    frames: int,
    seed: int,
    label: int | None = None,
    codes: Codes | None = None,
) -> Iterator[Latents]:
    """n latents on loops of their own, frame by frame; after the last frame comes the
    first one.

    Classes and categorical codes stay, and so does the noise of a style generator.

    Args:
        sampler: The generator.
        n: Number of latents.
        frames: Number of frames.
        seed: Of the loops.
        label: The position of the class of all; None for any.
        codes: Values of codes that stay.
    """
    base, prior = draw(sampler, n, seed, label, codes), sampler.prior
    parts = parts_of(sampler)[: 1 if style_generator(sampler) is not None else None]
    for name, columns in prior.codes.items():
        if name.startswith("u") and name not in (codes or {}):
            parts.append(Part(columns, False))
    size = (2 * HARMONICS, n, prior.width)
    waves = torch.randn(size, generator=seeded(seed, Stream.LOOPS)).numpy()
    turns = 2 * np.pi * np.arange(1, HARMONICS + 1)
    for frame in range(frames):
        phases = turns * frame / frames
        weights = np.concatenate([np.cos(phases), np.sin(phases)]) / math.sqrt(HARMONICS)
        g = np.tensordot(weights.astype(np.float32), waves, 1)
        z = base.z.copy()
        for part in parts:
            numbers = g[:, part.columns]
            z[:, part.columns] = numbers if part.is_normal else _uniform(numbers)
        yield replace(base, z=z)


def _uniform(normal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standard normal numbers as uniform ones on [-1, 1]."""
    return np.asarray(2 * torch.special.ndtr(torch.from_numpy(normal)).numpy() - 1)
