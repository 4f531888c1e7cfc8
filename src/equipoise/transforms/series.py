"""Windows of series as networks see them: each channel on its own scale, the normal
score of the length first where lengths differ, and 0 after the end.

Values are multiplied by the mask of their window both ways, so that what a network
makes after the end of a window is never seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any, Self

import torch
from torch import Tensor

from equipoise.coerce import checked
from equipoise.data import ScalingKind
from equipoise.data.schema import Schema
from equipoise.data.series.windows import Series
from equipoise.errors import RequestError
from equipoise.transforms.base import Transform
from equipoise.transforms.scaling import Moments
from equipoise.transforms.window_space import WindowSpace

MAX_OFF = 1e-9  # of a step, by which a part of 1 may miss it


class SeriesScaling(Transform):
    """x_scaled = (x - shift) / scale, with a shift and a scale for every channel.

    Values with a step, such as whole numbers, get uniform noise as wide as the step on
    the way in, anew for every batch, and are rounded on the way out (see
    `dequantization`). All are clamped to their channel's bounds.
    """

    name = "series_scaling"
    shift: Tensor
    """(C,), in float64."""
    scale: Tensor
    """(C,), in float64; 0 for a channel that never varies."""

    def __init__(self, series: Series, dtype: str, kind: ScalingKind = "standard") -> None:
        """
        Args:
            series: The form of the windows.
            dtype: NumPy's name of the user's type.
            kind: "standard": zero mean and unit variance; "unit": onto [-1, 1].
        """
        super().__init__((series.size,))
        self.series: Series = series
        self.kind = kind
        self.single: bool = dtype == "float32"
        self.windows: WindowSpace = WindowSpace.of(series)
        count = len(series.channels)
        self.register_buffer("shift", torch.zeros(count, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(count, dtype=torch.float64))
        for name, values in (
            ("steps", [channel.step or 0.0 for channel in series.channels]),
            ("low", [_or(channel.low, -torch.inf) for channel in series.channels]),
            ("high", [_or(channel.high, torch.inf) for channel in series.channels]),
        ):
            tensor = torch.tensor(values, dtype=torch.float64)
            self.register_buffer(name, tensor, persistent=False)
        self._has_steps = any(channel.step for channel in series.channels)

    @property
    def is_random(self) -> bool:
        return self._has_steps or self.series.has_lengths

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Learn each channel's scale from rows, (n, D) in parts, up to the end of every
        window.

        Raises:
            RequestError: Where a float cannot hold the variance.
        """
        moments = []
        for part in parts:
            values = self.windows.values(part.double())
            moments.append(Moments.of(values[self.windows.present(part)]))
        self.shift, self.scale = reduce(Moments.joined, moments).shift_and_scale(self.kind, None)
        return self

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        x = x.double()
        present, values = self.windows.present(x), self.windows.values(x)
        if generator is not None and self._has_steps:
            noise = torch.rand(values.shape, generator=generator, dtype=x.dtype, device=x.device)
            values = values + (noise - 0.5) * self.get_buffer("steps")
        scaled = (values - self.shift) / torch.where(self.scale == 0, 1.0, self.scale)
        scaled = torch.where(present[:, :, None], scaled, 0.0).flatten(1)
        if self.series.has_lengths:
            scores = self.windows.scores(x[:, 0], generator)
            scaled = torch.cat([scores[:, None], scaled], 1)
        return scaled.float(), y

    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Rows in the user's units, float64, with 0 after the end."""
        x = x.double()
        values = self.windows.values(x) * self.scale + self.shift
        values = self._rounded(values)
        if self.single:
            values = values.float().double()
        finite = values.isfinite()  # what is not a number stays so, and shows
        bounded = values.clamp(self.get_buffer("low"), self.get_buffer("high"))
        values = torch.where(finite, bounded, values).flatten(1)
        if not self.series.has_lengths:
            return values
        length = self.windows.lengths(x[:, 0]).to(values)
        mask = self.windows.mask(length)[:, 1:] > 0
        return torch.cat([length[:, None], torch.where(mask, values, 0.0)], 1)

    def _rounded(self, values: Tensor) -> Tensor:
        """Values, (N, T, C), as whole multiples of their channel's step."""
        steps = self.get_buffer("steps")
        unit = torch.where(steps > 0, steps, 1.0)
        # .3 is nearest to 3 / 10, and 3 * .1 is not.
        parts = (1 / unit).round()
        decimal = (steps > 0) & (steps < 1) & ((parts * unit - 1).abs() < MAX_OFF)
        whole = torch.where(
            decimal, (values * parts).round() / parts, (values / unit).round() * unit
        )
        return torch.where(steps > 0, whole, values)

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if schema.series is None:
            raise RequestError("its scaling is of series, and its schema of other data")
        return cls(schema.series, schema.dtype, checked("kind", stored["kind"], ScalingKind))

    def check(self) -> None:
        if not (self.shift.isfinite().all() and self.scale.isfinite().all()):
            raise RequestError("its scaling of series cannot be")


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
