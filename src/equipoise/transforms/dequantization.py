"""Uniform dequantisation of columns of whole numbers, or of few levels.

A discriminator could tell real samples by their lattice alone, whatever the generator
does. So each real value gets noise as wide as the step to its neighbours on the way in,
anew for every batch, and is rounded on the way out (Theis et al. 2016, "A note on the
evaluation of generative models", section 3.1). Images are only rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from equipoise.data.schema import Schema
from equipoise.transforms.base import Transform


class Dequantization(Transform):
    """All of it follows from the schema: there is nothing to fit or to store."""

    name = "dequantization"
    whole: Tensor
    """(D,), or (1,) for images: whether a value is rounded to a whole number."""
    single: Tensor
    """(D,) or (1,): whether a value is rounded to float32. To float16 it is rounded
    where the user's array is made, from float64, as NumPy does."""
    low: Tensor
    """(D,) or (1,): the least that the type holds, or that the schema bounds."""
    high: Tensor
    """(D,) or (1,): the most."""
    columns: Tensor
    """(L,): the columns of levels."""
    levels: Tensor
    """(L, M): their levels in order, padded with the last one."""
    halfway: Tensor
    """(L, M - 1): between a level and the next one, padded with infinity."""
    half_widths: Tensor
    """(L, M): half the width of each level's noise, which is as wide as the distance to
    the nearest level."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema.shape)
        dtypes = (
            (schema.dtype,)
            if schema.is_image
            else schema.column_dtypes or (schema.dtype,) * schema.size
        )
        known = [] if schema.levels is None else [*enumerate(schema.levels)]
        by_column = {column: levels for column, levels in known if levels is not None}
        bounds = [_bounds(dtype) for dtype in dtypes]
        if schema.bounds is not None:
            seen = zip(bounds, schema.bounds, strict=True)
            bounds = [
                (low if least is None else least, high if most is None else most)
                for (low, high), (least, most) in seen
            ]
        whole = [np.dtype(dtype).kind in "biu" for dtype in dtypes]
        single = [dtype == "float32" for dtype in dtypes]
        buffers = {
            "whole": torch.tensor(whole),
            "single": torch.tensor(single),
            "low": torch.tensor([low for low, _ in bounds], dtype=torch.float64),
            "high": torch.tensor([high for _, high in bounds], dtype=torch.float64),
            "columns": torch.tensor([*by_column], dtype=torch.int64),
            **_tables([*by_column.values()]),
        }
        for name, tensor in buffers.items():
            self.register_buffer(name, tensor, persistent=False)
        self.has_whole: bool = any(whole)
        self.has_single: bool = any(single)
        self.is_bounded: bool = schema.bounds is not None or any(
            dtype != "float64" for dtype in dtypes
        )
        self._is_random = not schema.is_image and (self.has_whole or bool(by_column))

    @property
    def is_random(self) -> bool:
        return self._is_random

    def fit(self, parts: Iterable[Tensor], seed: int) -> Self:
        return self

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        if not self._is_random or generator is None:
            return x, y
        x = x.double()
        half = (self.whole.to(x) / 2).expand_as(x)
        if len(self.columns):
            half = half.index_copy(1, self.columns, self._of_nearest(self.half_widths, x))
        noise = torch.rand(x.shape, generator=generator, dtype=torch.float64, device=x.device)
        return x + (2 * noise - 1) * half, y

    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = x.double()
        finite = x.isfinite()  # what is not a number stays so, and shows
        if len(self.columns):
            x = x.index_copy(1, self.columns, self._of_nearest(self.levels, x)).where(finite, x)
        if self.has_whole:
            x = torch.where(self.whole, x.round(), x)
        if self.is_bounded:
            x = x.clamp(self.low, self.high).where(finite, x)
        if self.has_single:
            x = torch.where(self.single, x.float().double(), x)
        return x

    def _of_nearest(self, table: Tensor, x: Tensor) -> Tensor:
        """The entry of `table`, (L, M), of the level that each value of the columns of
        levels is nearest to: (N, L)."""
        values = x[:, self.columns].T.contiguous()
        return table.gather(1, torch.searchsorted(self.halfway, values)).T

    def config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        return cls(schema)


def _bounds(dtype: str) -> tuple[float, float]:
    """The least and the most that a type holds, as float64 has them."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return 0.0, 1.0
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        # float(max) of a 64-bit type rounds up and out of range, so step back to the
        # last float inside it.
        high = limits.max if limits.bits < 64 else np.nextafter(float(limits.max), 0)
        return float(limits.min), float(high)
    return float(np.finfo(kind).min), float(np.finfo(kind).max)


def _tables(columns: Sequence[tuple[float, ...]]) -> dict[str, Tensor]:
    """The buffers of levels, of as many columns. They are made by NumPy, since
    arithmetic on the meta device would import torch's compiler, for a second."""
    most = max(map(len, columns), default=1)
    levels, half_widths = np.zeros((len(columns), most)), np.zeros((len(columns), most))
    halfway = np.full((len(columns), most - 1), np.inf)
    for row, known in enumerate(columns):
        values = np.array(known)
        levels[row, : len(values)], levels[row, len(values) :] = values, values[-1]
        if len(values) > 1:
            halfway[row, : len(values) - 1] = values[:-1] / 2 + values[1:] / 2
            halves = np.diff(values / 2)  # whole steps could be beyond what a float holds
            below, above = np.append(halves[0], halves), np.append(halves, halves[-1])
            half_widths[row, : len(values)] = np.minimum(below, above)
    tables = {"levels": levels, "halfway": halfway, "half_widths": half_widths}
    return {name: torch.from_numpy(table) for name, table in tables.items()}
