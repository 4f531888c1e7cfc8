"""The kinds of data that the page tells apart."""

from __future__ import annotations

from equipoise.data.schema import Schema


def kind_of(schema: Schema) -> str:
    """What the page calls the kind of data, or of samples."""
    if schema.is_image:
        return "images"
    if schema.series is not None:
        return "series"
    return "table" if schema.container == "frame" else "points"
