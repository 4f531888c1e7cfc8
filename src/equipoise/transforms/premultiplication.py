"""Premultiplied alpha: networks see colours in proportion to their opacity
(`data.alpha`), so that colours under full transparency are neither learned nor
invented."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from equipoise.coerce import checked
from equipoise.data.alpha import premultiplied, straight
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.base import Transform


class Premultiplication(Transform):
    """Of images whose last channel is alpha. There is nothing to fit."""

    name = "premultiplication"

    def __init__(self, schema: Schema, limits: tuple[float, float]) -> None:
        super().__init__(schema.shape)
        self.limits = limits
        self.step: float = 1.0 if np.dtype(schema.dtype).kind in "biu" else 0.0

    def fit(self, parts: Iterable[Tensor], seed: int) -> Self:
        return self

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        return premultiplied(x, self.limits), y

    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return straight(x, self.limits, self.step)

    def config(self) -> dict[str, Any]:
        return {"limits": [*self.limits]}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        limits = checked("limits", stored["limits"], tuple[float, float])
        if not schema.alpha or not all(map(math.isfinite, limits)) or limits[0] >= limits[1]:
            raise RequestError("its premultiplication is not of its schema")
        return cls(schema, limits)
