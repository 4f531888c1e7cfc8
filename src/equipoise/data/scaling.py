"""Scaling there and back: networks see data of about unit size, users see their own units."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data import ScalingKind
from equipoise.errors import RequestError


@dataclass(frozen=True)
class Scaling:
    """x_scaled = (x - shift) / scale, a shift and a scale for every column of points or for the whole of pictures.

    `low` and `high` bound what comes back from pictures; points are not bounded. A column that never varies has scale 0 and comes back
    as its value.
    """

    shift: tuple[float, ...]
    scale: tuple[float, ...]
    low: float | None = None
    high: float | None = None

    @classmethod
    def fit(cls, raw: Tensor, kind: ScalingKind, limits: tuple[float, float] | None) -> Scaling:
        """Fitted in float64 to raw data of shape (N, D) or (N, C, H, W).

        `kind` "standard": zero mean and unit variance; "unit": onto [-1, 1]. `limits` are the smallest and largest values that a picture
        can
        have (0 and 255 for uint8); None for points. Pictures share one shift and scale, so that grey stays grey.
        """
        columns = raw.double().reshape(len(raw), -1)
        if limits is not None:
            columns = columns.reshape(-1, 1)
        if kind == "standard":
            shift, scale = columns.mean(0), columns.std(0, correction=0)
        else:
            low = columns.amin(0) if limits is None else torch.tensor([limits[0]], dtype=torch.float64)
            high = columns.amax(0) if limits is None else torch.tensor([limits[1]], dtype=torch.float64)
            shift, scale = (low + high) / 2, (high - low) / 2
        if not (shift.isfinite() & scale.isfinite()).all():
            raise RequestError("the data's variance is beyond what a float can hold: divide it by a power of ten first")
        constant = columns.amin(0) == columns.amax(0)
        shift = torch.where(constant, columns[0], shift)
        scale = torch.where(constant, 0.0, scale)
        return cls(tuple(shift.tolist()), tuple(scale.tolist()), *(limits or (None, None)))

    def encode(self, raw: Tensor) -> Tensor:
        """Raw data, (N, D) or (N, C, H, W) of any type, to scaled float32 of the same shape."""
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
        return cls(tuple(stored["shift"]), tuple(stored["scale"]), stored["low"], stored["high"])


@lru_cache(maxsize=16)
def _row(numbers: tuple[float, ...], device: torch.device) -> Tensor:
    """The numbers in float64, made once for the many parts that are scaled by them."""
    return torch.tensor(numbers, dtype=torch.float64, device=device)
