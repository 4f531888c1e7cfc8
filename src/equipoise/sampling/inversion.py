"""Inversion: the latents whose samples are nearest to given ones.

For each x the distance (`sampling.distance`) is made small by Adam,

    min_z |G(z, y) - x|^2 / D

from the nearest of many random samples, several times; the best end counts (Creswell &
Bharath, "Inverting the Generator of a Generative Adversarial Network", 2016). Latents
are not drawn back to the prior. Of a generator with a mapping network the styles are
found, one w for all layers, with the noise that the start has (Karras et al., CVPR
2020, section 5). Uniform latents stay within [-1, 1], and classes and categorical codes
are those of the start: the class is given, or that of the best end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.sampling.distance import rms_differences, scaled_rows
from equipoise.sampling.evaluation_mode import evaluating
from equipoise.sampling.latents import Latents, draw, samples_of, styles_in, values_of
from equipoise.sampling.sampler import Sampler
from equipoise.sampling.styles import from_styles, style_generator
from equipoise.transforms.clustering import Clustering

if TYPE_CHECKING:
    from equipoise.data.schema import UserData

CANDIDATES, MIN_CANDIDATES = 2048, 256  # random samples: fewer of large images
PIXELS = 1024  # of the largest images with all candidates
RATE = 0.1  # of Adam, in standard deviations of a latent; it falls to 0 along a cosine
# Up to which part of the distance to the mean sample a sample is said to be found.
FOUND, CLOSE, ALIKE = 0.1, 0.35, 0.7


@dataclass(frozen=True, eq=False)
class Inversion:
    """Latents that were found for n given samples."""

    latents: Latents
    """n."""
    samples: UserData
    """What the generator makes of them, of the user's type."""
    errors: NDArray[np.float64]
    """(n,): root mean square differences of these to the given ones."""
    nearest_errors: NDArray[np.float64]
    """(n,): the same for the nearest of `candidates` random samples."""
    mean_errors: NDArray[np.float64]
    """(n,): the same for the mean of these."""
    candidates: int
    """Random samples that were drawn to compare with, and to begin from."""

    @property
    def relative(self) -> NDArray[np.float64]:
        """(n,): errors as a part of `mean_errors`: 0 for samples that were found
        exactly, 1 for those no nearer than the mean sample. NaN where the mean is
        exact."""
        unknown = np.full(len(self.errors), np.nan)
        known = self.mean_errors > 0
        found: NDArray[np.float64] = np.divide(self.errors, self.mean_errors, unknown, where=known)
        return found

    def __str__(self) -> str:
        """How near the samples are, in words."""
        if not len(self.errors):
            return "no samples to find"
        error = float(np.median(self.relative))
        nearest = float(np.median(self.nearest_errors / np.maximum(self.mean_errors, 1e-300)))
        one = len(self.errors) == 1
        median = "" if one else " (medians)"
        return (
            f"{_judgement(error, nearest)}: the difference is {error:.0%} of that to the mean "
            f"sample, and {nearest:.0%} for the nearest of {self.candidates:,} random samples"
            f"{median}"
        )


def _judgement(error: float, nearest: float) -> str:
    """What an error and that of the nearest random sample mean."""
    if math.isnan(error):
        return "not measured, since the mean sample is the same"
    if error <= FOUND:
        return "found"
    if error <= CLOSE:
        return "close, not the same"
    if error <= ALIKE:
        return "alike, not close"
    return "not found" if error < nearest else "not found, no nearer than a random sample"


@dataclass(frozen=True)
class _Starts:
    """The random samples that are nearest to the given ones."""

    latents: Latents
    """All candidates."""
    places: Tensor
    """(n, R): of each the nearest ones among them."""
    errors: Tensor
    """(n, R)."""
    mean: Tensor
    """(1, D): the mean of all, scaled."""


def invert(
    sampler: Sampler,
    samples: NDArray[np.generic],
    label: int | None,
    *,
    steps: int,
    restarts: int,
    seed: int,
    progress: Callable[[int], object] = lambda _: None,
) -> Inversion:
    """Find latents.

    Args:
        sampler: The generator.
        samples: In the user's units, (n, *shape).
        label: The position of the class of all; None for the best.
        steps: Of Adam, from each start.
        restarts: Starts of each sample.
        seed: Of the random samples.
        progress: Is told of each sample that was found, as their number.
    """
    x = scaled_rows(sampler, samples)
    pixels = int(np.prod(sampler.schema.shape[1:]))
    count = max(min(CANDIDATES * PIXELS // max(pixels, 1), CANDIDATES), MIN_CANDIDATES)
    starts = _starts(sampler, x, draw(sampler, count, seed, label), restarts)
    at_once = max(sampler.draws.pass_size // starts.places.shape[1], 1)
    parts: list[Latents] = []
    for first in range(0, len(x), at_once):
        rows = slice(first, first + at_once)
        parts.append(_descended(sampler, x[rows], starts, starts.places[rows], steps))
        progress(len(parts[-1]))
    found = _joined(parts) if parts else starts.latents[:0]
    errors = _errors(sampler, found, x)
    worse = errors > starts.errors[:, 0]  # rounding of the samples can undo what is gained
    if worse.any():
        found = _replaced(sampler, found, worse, starts.latents[starts.places[:, 0].numpy()])
        errors = torch.where(worse, starts.errors[:, 0], errors)
    return Inversion(
        found,
        samples_of(sampler, found),
        errors.numpy(),
        starts.errors[:, 0].numpy(),
        rms_differences(x, starts.mean)[:, 0].numpy(),
        count,
    )


def _starts(sampler: Sampler, x: Tensor, latents: Latents, restarts: int) -> _Starts:
    """The nearest of random samples to rows x, (n, D)."""
    restarts = min(restarts, len(latents))
    errors = torch.full((len(x), 0), torch.inf, dtype=torch.float64)
    places = torch.zeros(len(x), 0, dtype=torch.int64)
    total, step = torch.zeros(1, x.shape[1], dtype=torch.float64), sampler.draws.pass_size
    for first in range(0, len(latents), step):
        part = scaled_rows(sampler, values_of(sampler, latents[first : first + step]))
        total += part.double().sum(0, keepdim=True)
        numbers = torch.arange(first, first + len(part)).expand(len(x), -1)
        both = torch.cat([errors, rms_differences(x, part)], 1)
        errors, at = both.topk(min(restarts, both.shape[1]), largest=False)
        places = torch.cat([places, numbers], 1).gather(1, at)
    return _Starts(latents, places, errors, total / len(latents))


def _descended(sampler: Sampler, x: Tensor, starts: _Starts, places: Tensor, steps: int) -> Latents:
    """The best latents of rows x, (n, D), from the starts with numbers `places`, (n,
    R)."""
    restarts, device = places.shape[1], sampler.device
    begun = starts.latents[places.flatten().numpy()]
    z, y = (None if part is None else part.to(device) for part in begun.tensors)
    assert z is not None
    target = x.repeat_interleave(restarts, 0).to(device)
    style, spread = style_generator(sampler), 1.0
    if style is not None:
        moving = styles_in(sampler, begun).to(device)
        spread = float(styles_in(sampler, starts.latents[:1000]).std(0).mean())
    else:
        moving = z.clone()
    best, least = moving.clone(), torch.full((len(z),), torch.inf, device=device)
    fixed, bounded = _columns(sampler)
    moving.requires_grad_()
    optimizer = torch.optim.Adam([moving], lr=RATE * spread)
    with evaluating(sampler.generator), torch.enable_grad():
        for step in range(steps + 1):
            if style is not None:
                out = from_styles(style, moving, z)
            else:
                out = sampler.generator(moving, y)
            errors = (_unwhitened(sampler, out, y).flatten(1) - target).square().mean(1)
            with torch.no_grad():
                better = errors < least
                best[better], least[better] = moving[better], errors[better]
            if step == steps:
                break
            (slopes,) = torch.autograd.grad(errors.sum(), moving)
            if style is None:
                slopes[:, fixed] = 0
            moving.grad = slopes
            optimizer.param_groups[0]["lr"] = (
                RATE * spread * (1 + math.cos(math.pi * step / steps)) / 2
            )
            optimizer.step()
            if style is None and len(bounded):
                with torch.no_grad():
                    moving[:, bounded] = moving[:, bounded].clamp(-1, 1)
    chosen = least.reshape(-1, restarts).argmin(1).cpu()
    rows = (torch.arange(len(x)) * restarts + chosen).numpy()
    found = best.detach().cpu().numpy()[rows]
    return replace(begun[rows], **({"z": found} if style is None else {"w": found}))


def _columns(sampler: Sampler) -> tuple[Tensor, Tensor]:
    """The columns of z that stay, which are categorical codes, and those that are
    uniform on [-1, 1]."""
    prior = sampler.prior
    fixed = torch.zeros(prior.width, dtype=torch.bool)
    bounded = torch.zeros(prior.width, dtype=torch.bool)
    bounded[: prior.dim] = prior.kind == "uniform"
    for name, columns in prior.codes.items():
        (fixed if name.startswith("c") else bounded)[columns] = True
    return fixed.nonzero().flatten(), bounded.nonzero().flatten()


def _unwhitened(sampler: Sampler, x: Tensor, y: Tensor | None) -> Tensor:
    """What G makes, as `Chain.scaled` has samples."""
    for link in reversed(sampler.transform.links):
        if isinstance(link, Clustering):
            x = link.decode(x, y)
    return x


def _errors(sampler: Sampler, latents: Latents, x: Tensor) -> Tensor:
    """The distance of each latent's sample, as the user gets it, from its row of x:
    (n,)."""
    if not len(latents):
        return torch.zeros(0, dtype=torch.float64)
    made = scaled_rows(sampler, values_of(sampler, latents))
    found: Tensor = (made.double() - x.double()).square().mean(1).sqrt()
    return found


def _joined(parts: list[Latents]) -> Latents:
    """Latents one after another."""

    def all_of(name: str) -> Any:
        arrays = [getattr(part, name) for part in parts]
        return None if arrays[0] is None else np.concatenate(arrays)

    return Latents(all_of("z"), all_of("classes"), all_of("w"), parts[0].seed)


def _replaced(sampler: Sampler, found: Latents, rows: Tensor, by: Latents) -> Latents:
    """Latents with others in some rows, (n,)."""
    at = rows.numpy()[:, None]
    z, w, classes = np.where(at, by.z, found.z), found.w, found.classes
    if w is not None:
        w = np.where(at, styles_in(sampler, by).numpy(), w)
    if classes is not None and by.classes is not None:
        wide = at if classes.ndim > 1 else at[:, 0]
        classes = np.where(wide, by.classes, classes)
    return Latents(z, classes, w, found.seed)
