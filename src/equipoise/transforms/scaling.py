"""Scaling: networks see data of about unit size, users see their own units."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.coerce import checked
from equipoise.data import ScalingKind
from equipoise.data.alpha import as_measured
from equipoise.data.images.sums import sums_of
from equipoise.data.schema import Schema
from equipoise.data.sources import Source
from equipoise.data.split import choose
from equipoise.errors import RequestError
from equipoise.transforms.base import Transform

SMALLEST = math.sqrt(sys.float_info.min)  # whose square is still a normal number
# Ranges of images: conventions of floats, and the types of whole numbers.
RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (0.0, 65535.0))
# A scaling is fitted to so many samples where more would have to be decoded or drawn.
STATISTICS_ROWS = 50_000
PART = 2**21  # values that are in float64 at once: 16 MiB


class Scaling(Transform):
    """x_scaled = (x - shift) / scale, a shift and a scale for every column of points or
    for the whole of images.

    Images share one shift and scale, so that grey stays grey, and what comes back from
    them is clamped to `limits`; points are not bounded. A column that never varies has
    scale 0 and comes back as its value.
    """

    name = "scaling"
    shift: Tensor
    """(D,), or (1,) for images, in float64."""
    scale: Tensor
    """(D,), or (1,) for images, in float64."""
    divisor: Tensor
    """The scale, with 1 in the place of 0."""
    byte_shift: Tensor
    """The shift in float32, for bytes."""
    byte_factor: Tensor
    """1 / divisor in float32, for bytes."""

    def __init__(
        self,
        shape: tuple[int, ...],
        kind: ScalingKind = "standard",
        limits: tuple[float, float] | None = None,
    ) -> None:
        """
        Args:
            shape: Of one sample.
            kind: "standard": zero mean and unit variance; "unit": onto [-1, 1].
            limits: The smallest and largest values that an image can have (0 and 255
                for uint8); None for points.
        """
        super().__init__(shape)
        self.kind = kind
        self.limits: tuple[float, float] | None = limits
        columns = 1 if len(shape) == 3 else shape[0]
        for name, value, kept in (
            ("shift", 0.0, True),
            ("scale", 1.0, True),
            ("divisor", 1.0, False),
            ("byte_shift", 0.0, False),
            ("byte_factor", 1.0, False),
        ):
            dtype = torch.float32 if name.startswith("byte") else torch.float64
            self.register_buffer(name, torch.full((columns,), value, dtype=dtype), persistent=kept)
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]  # torch's own
            lambda link, _: link._set(link.shift, link.scale)
        )

    def _set(self, shift: Tensor, scale: Tensor) -> None:
        """Take shift and scale, and what every batch needs of them."""
        self.shift, self.scale = shift, scale
        self.divisor = torch.where(scale == 0, 1.0, scale)
        self.byte_shift, self.byte_factor = shift.float(), (1 / self.divisor).float()

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Learn shift and scale in float64 from raw data of any type, (n, D) or
        (n, C, H, W) in parts. Those of uint8 and uint16 images are exact but for the
        last rounding.

        Raises:
            RequestError: Where a float cannot hold the variance.
        """
        parts = iter(parts)
        first = next(parts)
        parts = chain((first,), parts)
        if self.limits is not None and first.dtype in (torch.uint8, torch.uint16):
            return self.fit_sums(np.concatenate([sums_of(part.numpy()) for part in parts]))
        columns = (part.double().reshape(len(part), -1) for part in parts)
        moments = (
            Moments.of(part if self.limits is None else part.reshape(-1, 1)) for part in columns
        )
        self._set(*reduce(Moments.joined, moments).shift_and_scale(self.kind, self.limits))
        return self

    def fit_sums(self, sums: NDArray[np.int64]) -> Self:
        """As `fit`, from the sum of each image's values and of their squares, (n, 2),
        of images of whole numbers."""
        assert self.limits is not None, "only images have sums"
        n, total, squares = (
            len(sums) * math.prod(self.shape),
            *(sum(column) for column in sums.T.tolist()),
        )
        low, high = self.limits
        shift, scale = (low + high) / 2, (high - low) / 2
        if self.kind == "standard":
            shift, scale = total / n, math.sqrt((n * squares - total**2) / n**2)
        elif n * squares == total**2:  # all values are alike
            shift, scale = total / n, 0.0
        self._set(*torch.tensor([[shift], [scale]], dtype=torch.float64))
        return self

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        return self.scaled(x), y

    def scaled(self, raw: Tensor) -> Tensor:
        """Raw data, (N, D) or (N, C, H, W) of any type and on any device, to scaled
        float32 of the same shape."""
        if len(self.shift) == 1 and raw.dtype == torch.uint8:
            shift, factor = self.byte_shift.to(raw.device), self.byte_factor.to(raw.device)
            return raw.float().sub_(shift).mul_(factor)
        shift, divisor = self.shift.to(raw.device), self.divisor.to(raw.device)
        return ((raw.double() - shift) / divisor).float()

    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Scaled data to the user's units, float64."""
        values = torch.mul(x, self.scale).add_(self.shift)  # float64, in one pass
        return values if self.limits is None else values.clamp_(*self.limits)

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind, "limits": None if self.limits is None else [*self.limits]}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        kind = checked("kind", stored["kind"], ScalingKind)
        limits = checked("limits", stored["limits"], tuple[float, float] | None)
        if (limits is not None) != schema.is_image or not all(map(math.isfinite, limits or ())):
            raise RequestError("its scaling is not of its schema")
        return cls(shape, kind, limits)

    def check(self) -> None:
        if not (self.shift.isfinite().all() and self.scale.isfinite().all()):
            raise RequestError("its scaling cannot be")


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
        own, others, distance = self.n / n, other.n / n, other.mean - self.mean
        return Moments(
            n,
            self.mean + others * distance,
            own * self.variance + others * other.variance + own * others * distance**2,
            self.low.minimum(other.low),
            self.high.maximum(other.high),
        )

    def shift_and_scale(
        self, kind: ScalingKind, limits: tuple[float, float] | None
    ) -> tuple[Tensor, Tensor]:
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
        return torch.where(constant, self.low, shift), torch.where(constant, 0.0, scale)


def fit_scaling(source: Source, kind: ScalingKind, seed: int) -> Scaling:
    """The scaling of a source, fitted to its training part, or to some of its rows."""
    scaling = Scaling(source.schema.shape, kind, source.limits)
    if source.sums is not None and source.limits is not None and not source.schema.alpha:
        return scaling.fit_sums(choose(source.sums, STATISTICS_ROWS, seed).numpy())
    raw, rows = source.statistics(STATISTICS_ROWS, seed)
    n, step = len(raw if rows is None else rows), max(PART // max(source.schema.size, 1), 1)
    slices = (slice(start, start + step) for start in range(0, n, step))
    return scaling.fit(
        as_measured(raw[part] if rows is None else raw[rows[part]], source.schema, source.limits)
        for part in slices
    )


def same_kind(made: tuple[float, float], given: tuple[float, float]) -> bool:
    """Whether images of the range `given` can be of the kind that images of the range
    `made` are: where both are a type's or a convention's, of the same or of a part of
    it; else, as both are just what was there, of ranges that share half of the wider.
    """
    if made in RANGES and given in RANGES:
        return made == given or (made, given) == ((-1.0, 1.0), (0.0, 1.0))
    shared = min(made[1], given[1]) - max(made[0], given[0])
    # A little less than half: 12 bit beside 11.
    return shared >= 0.49 * max(made[1] - made[0], given[1] - given[0])
