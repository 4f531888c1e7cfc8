"""NumPy's .npz: the array `x`, or the only one, and perhaps the labels `y`."""

from __future__ import annotations

from typing import ClassVar

from equipoise.data.readers.base import register
from equipoise.data.readers.npy import NpyReader


@register
class NpzReader(NpyReader):
    """An archive of arrays. NumPy tells it from a .npy by its content."""

    endings: ClassVar[tuple[str, ...]] = (".npz",)
    summary = "NumPy arrays: samples in x, labels in y"
