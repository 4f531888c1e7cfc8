"""Latents with all that a sample depends on: what is walked, moved and searched in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.errors import RequestError
from equipoise.sampling.draws import Codes
from equipoise.sampling.sampler import Sampler
from equipoise.sampling.styles import mean_styles, style_generator, styles_of, with_styles
from equipoise.sampling.truncation import (
    checked_truncation,
    code_columns,
    shrinking,
    truncated_styles,
)

if TYPE_CHECKING:
    from equipoise.data.schema import UserData


@dataclass(frozen=True, eq=False)
class Latents:
    """What samples are made of: `GAN.sample(latents=...)` returns one for each.

    `latents[3]` and `latents[2:5]` are some of them.
    """

    z: NDArray[np.float32]
    """Latents, (N, Z), codes included."""
    classes: NDArray[np.int64] | None = None
    """The networks' classes, (N,): labels, clusters, or pairs of both. (N, C) with
    clusters per channel. None for networks without classes."""
    w: NDArray[np.float32] | None = None
    """Styles, (N, W), that stand for those of z in a generator with a mapping network
    (stylegan2). None: those of z."""
    seed: int = 0
    """Of what a table's samples have beside: ids."""

    def __len__(self) -> int:
        return len(self.z)

    def __getitem__(self, rows: int | slice | NDArray[Any]) -> Latents:
        if isinstance(rows, int | np.integer):
            if not -len(self) <= rows < len(self):
                raise IndexError(f"latent {rows} of {len(self)}")
            rows = np.array([rows])
        classes = None if self.classes is None else self.classes[rows]
        w = None if self.w is None else self.w[rows]
        return replace(self, z=self.z[rows], classes=classes, w=w)

    @property
    def tensors(self) -> tuple[Tensor, Tensor | None]:
        """z and classes."""
        y = None if self.classes is None else torch.from_numpy(np.ascontiguousarray(self.classes))
        return torch.from_numpy(np.ascontiguousarray(self.z)), y

    def repeated(self, times: int) -> Latents:
        """Each of them so many times, one after another."""
        return self[np.repeat(np.arange(len(self)), times)]


def draw(
    sampler: Sampler, n: int, seed: int, label: int | None = None, codes: Codes | None = None
) -> Latents:
    """The latents of the first n samples of a seed."""
    return _latents(*sampler.latents(n, seed, label, codes), seed)


def draw_one(
    sampler: Sampler, number: int, seed: int, label: int | None = None, codes: Codes | None = None
) -> Latents:
    """The latents of one sample of a seed, by its number from 0."""
    start = number - number % sampler.draws.pass_size
    z, y = next(sampler.draws.passes(number + 1, seed, label, codes, start))
    return _latents(z, y, seed)[number - start]


def _latents(z: Tensor, y: Tensor | None, seed: int) -> Latents:
    return Latents(z.numpy(), None if y is None else y.cpu().numpy(), None, seed)


def latents_of(
    sampler: Sampler,
    given: Any,
    seed: int = 0,
    label: int | None = None,
    codes: Codes | None = None,
) -> Latents:
    """Latents that a user gave, checked.

    Args:
        sampler: The generator.
        given: Latents, or an array or tensor, (N, Z) or (Z,), whose classes are drawn.
        seed: Of these classes.
        label: The position of the class that all are to have.
        codes: Values of codes that all are to have.

    Raises:
        RequestError: They are not of this generator.
    """
    if not isinstance(given, Latents):
        z = _array_of(given)
        y = None
        if z.ndim == 2:
            y = sampler.latents(len(z), seed, label)[1]
        given = Latents(z, None if y is None else y.cpu().numpy(), None, seed)
        label = None
    found: Latents = given
    _check(sampler, found)
    w = None if found.w is None else np.asarray(found.w, np.float32)
    found = replace(found, z=np.asarray(found.z, np.float32), w=w)
    if label is not None:
        y = sampler.latents(len(found), found.seed, label)[1]
        found = replace(found, classes=None if y is None else y.cpu().numpy())
    if codes:
        z = sampler.prior.with_codes(found.tensors[0], codes).numpy()
        found = replace(found, z=z)
    return found


def _array_of(given: Any) -> NDArray[np.float32]:
    try:
        tensor = given.detach().cpu() if isinstance(given, Tensor) else given
        array = np.asarray(tensor, np.float32)
    except (TypeError, ValueError):
        raise RequestError(
            f"latents = {type(given).__name__}: give what GAN.latents returns, or an array"
        ) from None
    return array[None] if array.ndim == 1 else array


def _check(sampler: Sampler, latents: Latents) -> None:
    """Raises:
    RequestError: If latents are not of this generator: all mistakes, in one line."""
    problems = [*_wrong_z(sampler, latents)]
    if latents.z.ndim == 2:
        problems += [*_wrong_classes(sampler, latents), *_wrong_styles(sampler, latents)]
    if problems:
        raise RequestError(f"latents: {'; '.join(problems)}: give what GAN.latents returns")


def _wrong_z(sampler: Sampler, latents: Latents) -> Iterator[str]:
    width = sampler.prior.width
    if latents.z.ndim != 2 or latents.z.shape[1] != width:
        yield f"z has shape {latents.z.shape}, and the generator's is (N, {width})"
    elif not np.isfinite(latents.z).all():
        yield "z holds NaN or infinity"


def _wrong_classes(sampler: Sampler, latents: Latents) -> Iterator[str]:
    example, classes, n = sampler.latents(1, 0)[1], latents.classes, len(latents)
    shape = None if example is None else (n, *example.shape[1:])
    given = None if classes is None else classes.shape
    if given != shape:
        yield f"classes have shape {given}, and the generator's {shape}"
    elif classes is not None and n:
        count = class_count(sampler)
        if classes.min() < 0 or classes.max() >= count:
            yield f"classes must be from 0 to {count - 1}"


def _wrong_styles(sampler: Sampler, latents: Latents) -> Iterator[str]:
    style = style_generator(sampler)
    if latents.w is None:
        return
    if style is None:
        yield "there is a w, and this generator has no mapping network"
    elif latents.w.shape != (len(latents), style.sizes[0]):
        yield f"w has shape {latents.w.shape}, and it is ({len(latents)}, {style.sizes[0]})"
    elif not np.isfinite(latents.w).all():
        yield "w holds NaN or infinity"


def class_count(sampler: Sampler) -> int:
    """How many classes the networks have."""
    clustering = sampler.transform.clustering
    if clustering is None:
        return len(sampler.schema.classes or ())
    rows = clustering.weights.shape[0]  # of labels, or of channels
    return rows * clustering.count


def values_of(sampler: Sampler, latents: Latents) -> NDArray[np.float64]:
    """The samples of latents in the user's units, (N, *shape)."""
    z, y = latents.tensors
    if latents.w is None:
        return sampler.decode_latents(z, y)
    both = torch.cat([torch.from_numpy(np.ascontiguousarray(latents.w)), z], 1)
    return with_styles(sampler).decode_latents(both, y)


def samples_of(sampler: Sampler, latents: Latents) -> UserData:
    """The samples of latents, of the user's type and layout."""
    labels = sampler.labels(latents.tensors[1])
    return sampler.schema.to_user(
        values_of(sampler, latents), None if labels is None else labels.numpy(), latents.seed
    )


def truncated_latents(sampler: Sampler, latents: Latents, psi: float | None) -> Latents:
    """Latents drawn towards the mean, see `sampling.truncation`; the same for None."""
    if psi is None:
        return latents
    value, style = torch.tensor(checked_truncation(psi)), style_generator(sampler)
    if style is None:
        factors = shrinking(code_columns(sampler.prior), value)
        return replace(latents, z=latents.z * factors.numpy())
    y = latents.tensors[1]
    w = truncated_styles(styles_in(sampler, latents), y, mean_styles(sampler, style).cpu(), value)
    return replace(latents, w=w.numpy())


def styles_in(sampler: Sampler, latents: Latents) -> Tensor:
    """w of latents of a style generator, (N, W)."""
    if latents.w is not None:
        return torch.from_numpy(np.ascontiguousarray(latents.w))
    style = style_generator(sampler)
    assert style is not None, "only a style generator has styles"
    return styles_of(style, *latents.tensors)
