"""The space that networks see and fill: the data after its transforms. Recipes build
for it, and know nothing of the data's own columns and units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from equipoise.data.schema import Schema


@dataclass(frozen=True)
class Span:
    """Neighbouring numbers of a generated sample that end in one activation."""

    size: int
    activation: Literal["linear"] = "linear"


@dataclass(frozen=True)
class NetworkSpace:
    """What the networks of a method are built for.

    Args:
        shape: Of one sample as networks see it: (D,), or (C, H, W) of images.
        is_image: Whether neighbouring numbers are neighbouring pixels.
        labels: How many classes the data's labels have; None of data without labels.
        classes: How many classes both networks are conditioned on: labels, clusters, or
            pairs of them; 0 for none.
    """

    shape: tuple[int, ...]
    is_image: bool = False
    labels: int | None = None
    classes: int = 0

    @property
    def size(self) -> int:
        """Numbers in one sample."""
        return math.prod(self.shape)

    @property
    def activations(self) -> tuple[Span, ...]:
        """How G's output ends, in spans that cover a sample in its order."""
        return (Span(self.size),)

    @classmethod
    def of(cls, schema: Schema) -> NetworkSpace:
        """The space of data of this schema, whose transforms keep its shape."""
        labels = None if schema.classes is None else len(schema.classes)
        return cls(schema.shape, schema.is_image, labels)
