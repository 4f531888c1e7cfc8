"""Scaling there and back: networks see data of about unit size, users see their own
units."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.coerce import instance
from equipoise.data import ScalingKind
from equipoise.data.images.sums import sums_of
from equipoise.data.sources import Source
from equipoise.data.split import choose
from equipoise.errors import RequestError

SMALLEST = math.sqrt(sys.float_info.min)  # whose square is still a normal number
RANGES = (
    (0.0, 1.0),
    (-1.0, 1.0),
    (0.0, 255.0),
    (0.0, 65535.0),
)  # of images: conventions of floats, and the types of whole numbers
STATISTICS_ROWS = (
    50_000  # that a scaling is fitted to where the rest would have to be decoded or drawn
)
PART = 2**21  # values that are in float64 at once: 16 MiB


@dataclass(frozen=True)
class Scaling:
    """x_scaled = (x - shift) / scale, a shift and a scale for every column of points or
    for the whole of images.

    `low` and `high` bound what comes back from images; points are not bounded. A column
    that never varies has scale 0 and comes back as its value.
    """

    shift: tuple[float, ...]
    scale: tuple[float, ...]
    low: float | None = None
    high: float | None = None

    @classmethod
    def fit(
        cls,
        raw: Tensor,
        kind: ScalingKind,
        limits: tuple[float, float] | None,
        rows: Tensor | None = None,
    ) -> Scaling:
        """Fitted in float64 to raw data of shape (N, D) or (N, C, H, W), or to some of
        its `rows`, a part at a time.

        `kind` "standard": zero mean and unit variance; "unit": onto [-1, 1]. `limits`
        are the smallest and largest values that an image can have (0 and 255 for
        uint8); None for points. Images share one shift and scale, so that grey stays
        grey.
        """
        n, step = (
            len(raw if rows is None else rows),
            max(PART // max(math.prod(raw.shape[1:]), 1), 1),
        )
        slices = [slice(start, start + step) for start in range(0, n, step)]
        parts = (raw[part] if rows is None else raw[rows[part]] for part in slices)
        if limits is not None and raw.dtype in (torch.uint8, torch.uint16):
            sums = np.concatenate([sums_of(part.numpy()) for part in parts])
            return cls.of_sums(sums, raw[0].numel(), kind, limits)
        columns = (part.double().reshape(len(part), -1) for part in parts)
        moments = (Moments.of(part if limits is None else part.reshape(-1, 1)) for part in columns)
        return reduce(Moments.joined, moments).scaling(kind, limits)

    @classmethod
    def of_sums(
        cls, sums: NDArray[np.int64], size: int, kind: ScalingKind, limits: tuple[float, float]
    ) -> Scaling:
        """As `fit`, to images of `size` whole numbers each, given each one's sum of
        values and of their squares, (n, 2): exact but for the last rounding."""
        n, total, squares = len(sums) * size, *(sum(column) for column in sums.T.tolist())
        low, high = limits
        shift, scale = (low + high) / 2, (high - low) / 2
        if kind == "standard":
            shift, scale = total / n, math.sqrt((n * squares - total**2) / n**2)
        elif n * squares == total**2:  # all values are alike
            shift, scale = total / n, 0.0
        return cls((shift,), (scale,), low, high)

    def encode(self, raw: Tensor) -> Tensor:
        """Raw data, (N, D) or (N, C, H, W) of any type, to scaled float32 of the same
        shape."""
        if len(self.shift) == 1 and raw.dtype == torch.uint8:
            return raw.float().sub_(self.shift[0]).mul_(1 / (self.scale[0] or 1.0))
        shift, scale = self._tensors(raw.device)
        return ((raw.double() - shift) / torch.where(scale == 0, 1.0, scale)).float()

    def decode(self, x: Tensor) -> NDArray[np.float64]:
        """Scaled data back to the user's units, (N, D) or (N, C, H, W), float64."""
        shift, scale = self._tensors(x.device)
        values = torch.mul(x, scale).add_(shift)  # in float64, which scale is of, in one pass
        if self.low is not None or self.high is not None:
            values.clamp_(self.low, self.high)
        decoded: NDArray[np.float64] = values.cpu().numpy()
        return decoded

    def _tensors(self, device: torch.device) -> tuple[Tensor, Tensor]:
        return _row(self.shift, device), _row(self.scale, device)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Scaling:
        """The scaling that `to_dict` wrote, through JSON.

        Raises:
            RequestError: If it cannot be one.
        """
        found = instance(cls, stored)
        bounds = [bound for bound in (found.low, found.high) if bound is not None]
        if len(found.shift) != len(found.scale) or not all(
            map(math.isfinite, (*found.shift, *found.scale, *bounds))
        ):
            raise RequestError("its scaling cannot be")
        return found


@dataclass(frozen=True)
class Moments:
    """What a scaling needs to know of n rows of numbers, column by column, (D,) each in
    float64."""

    n: int
    mean: Tensor
    variance: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def of(cls, columns: Tensor) -> Moments:
        """Of columns in float64, (n, D)."""
        return cls(
            len(columns),
            columns.mean(0),
            columns.var(0, correction=0),
            columns.amin(0),
            columns.amax(0),
        )

    def joined(self, other: Moments) -> Moments:
        """Of both together (Chan, Golub, LeVeque: "Updating formulae and a pairwise
        algorithm for computing sample variances", 1979)."""
        n = self.n + other.n
        own, others, apart = self.n / n, other.n / n, other.mean - self.mean
        return Moments(
            n,
            self.mean + others * apart,
            own * self.variance + others * other.variance + own * others * apart**2,
            self.low.minimum(other.low),
            self.high.maximum(other.high),
        )

    def scaling(self, kind: ScalingKind, limits: tuple[float, float] | None) -> Scaling:
        """Raises:
        RequestError: Where a float cannot hold the variance."""
        if kind == "standard":
            shift, scale = self.mean, self.variance.sqrt()
        else:
            low, high = (
                (self.low, self.high)
                if limits is None
                else torch.tensor(limits, dtype=torch.float64)[:, None]
            )
            shift, scale = (low + high) / 2, (high - low) / 2
        if not (shift.isfinite() & scale.isfinite()).all():
            raise RequestError(
                "the data's variance is beyond what a float can hold: divide it by a power of "
                "ten first"
            )
        constant = self.low == self.high
        if (~constant & (scale < SMALLEST)).any():
            raise RequestError(
                "the data's variance is below what a float can hold: multiply it by a power "
                "of ten first"
            )
        shift, scale = torch.where(constant, self.low, shift), torch.where(constant, 0.0, scale)
        return Scaling(tuple(shift.tolist()), tuple(scale.tolist()), *(limits or (None, None)))


def fit_scaling(source: Source, kind: ScalingKind, seed: int) -> Scaling:
    """The scaling of a source, fitted to its training part, or to some of its rows."""
    if source.sums is not None and source.limits is not None:
        sums = choose(source.sums, STATISTICS_ROWS, seed).numpy()
        return Scaling.of_sums(sums, source.schema.size, kind, source.limits)
    raw, rows = source.statistics(STATISTICS_ROWS, seed)
    return Scaling.fit(raw, kind, source.limits, rows)


def same_kind(made: tuple[float, float], given: tuple[float, float]) -> bool:
    """Whether images of the range `given` can be of the kind that images of the range
    `made` are: where both are a type's or a convention's, of the same or of a part of
    it; else, as both are just what was there, of ranges that share half of the wider.
    """
    if made in RANGES and given in RANGES:
        return made == given or (made, given) == ((-1.0, 1.0), (0.0, 1.0))
    shared = min(made[1], given[1]) - max(made[0], given[0])
    return shared >= 0.5 * max(made[1] - made[0], given[1] - given[0])


@lru_cache(maxsize=16)
def _row(numbers: tuple[float, ...], device: torch.device) -> Tensor:
    """The numbers in float64, made once for the many parts that are scaled by them."""
    return torch.tensor(numbers, dtype=torch.float64, device=device)
