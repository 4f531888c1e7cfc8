"""The space that networks see and fill: the data after its transforms. Recipes build
for it, and know nothing of the data's own columns and units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from equipoise.data.schema import Schema
    from equipoise.transforms.window_space import WindowSpace


TableKind = Literal["scores", "modes"]
"""How networks see a table: as normal scores and categories, under the components of a
mixture, or as modes and categories, under conditions on the categories."""
MAX_MODES = 10  # of a number
MIN_COLOR_CHANNELS = 3  # from which on images are taken for colour ones


def has_colors(shape: Sequence[int]) -> bool:
    """Whether images of a shape, (C, H, W), are taken for colour ones."""
    return shape[0] >= MIN_COLOR_CHANNELS


@dataclass(frozen=True)
class Span:
    """Neighbouring numbers of a generated sample that end in one activation: any
    numbers, the one-hot vector of a category or of a number's mode, a normal score, or
    a number from -1 to 1."""

    size: int
    activation: Literal["linear", "one_hot", "mode", "score", "tanh"] = "linear"


def table_spans(sizes: Sequence[int]) -> tuple[Span, ...]:
    """The spans of a table with these columns: of each the number of codes, and 0 for a
    number."""
    return tuple(Span(size, "one_hot") if size else Span(1, "score") for size in sizes)


def mode_spans(sizes: Sequence[int]) -> tuple[Span, ...]:
    """As `table_spans`, where a number is a mode and its place within the mode."""
    number = (Span(1, "tanh"), Span(MAX_MODES, "mode"))
    spans = ((Span(size, "one_hot"),) if size else number for size in sizes)
    return tuple(chain.from_iterable(spans))


def places_of(spans: Sequence[Span], activation: str) -> list[int]:
    """Which numbers of a sample end in this activation."""
    return [
        place
        for span, start in zip(spans, starts_of(spans), strict=True)
        if span.activation == activation
        for place in range(start, start + span.size)
    ]


def starts_of(spans: Sequence[Span]) -> list[int]:
    """Where each span begins among the numbers of a sample."""
    return [sum(span.size for span in spans[:place]) for place in range(len(spans))]


@dataclass(frozen=True)
class NetworkSpace:
    """What the networks of a method are built for.

    Args:
        shape: Of one sample as networks see it: (D,), or (C, H, W) of images.
        is_image: Whether neighbouring numbers are neighbouring pixels.
        labels: How many classes the data's labels have; None of data without labels.
        classes: How many classes both networks are conditioned on: labels, clusters, or
            pairs of them; 0 for none.
        spans: How a sample of a table is made up; empty for other data.
        windows: How a window of series lies in a sample; None for other data.
    """

    shape: tuple[int, ...]
    is_image: bool = False
    labels: int | None = None
    classes: int = 0
    spans: tuple[Span, ...] = ()
    windows: WindowSpace | None = None

    @property
    def size(self) -> int:
        """Numbers in one sample."""
        return math.prod(self.shape)

    @property
    def is_table(self) -> bool:
        """Whether samples are rows of a table, with categories."""
        return bool(self.spans)

    @property
    def is_points(self) -> bool:
        """Whether samples are points: neither images, nor rows of a table of mixed
        columns, nor windows of series."""
        return not (self.is_image or self.is_table or self.windows is not None)

    @property
    def activations(self) -> tuple[Span, ...]:
        """How G's output ends, in spans that cover a sample in its order."""
        return self.spans or (Span(self.size),)

    @classmethod
    def of(cls, schema: Schema, tables: TableKind = "scores") -> NetworkSpace:
        """The space of data of this schema: of its shape, or of a table's columns as
        `TableEncoding` or `ModeNormalization` has them."""
        labels = None if schema.classes is None else len(schema.classes)
        if schema.series is not None:
            from equipoise.transforms.window_space import WindowSpace

            return cls(schema.shape, labels=labels, windows=WindowSpace.of(schema.series))
        if schema.table is None:
            return cls(schema.shape, schema.is_image, labels)
        spans_of = table_spans if tables == "scores" else mode_spans
        spans = spans_of(schema.table.sizes)
        return cls((sum(span.size for span in spans),), labels=labels, spans=spans)
