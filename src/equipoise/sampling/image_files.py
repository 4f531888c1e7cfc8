"""Images of a generator as files, drawn while they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path

import numpy as np

from equipoise.data.images.encode import ImageEncoder
from equipoise.data.schema import Schema, to_network_layout
from equipoise.errors import RequestError
from equipoise.sampling.archives import Tar, archive_at
from equipoise.sampling.sampler import Codes, Sampler
from equipoise.utils.progress_bar import bar

MAX_BATCH, MAX_BATCH_VALUES = 1_024, 2**24
MIN_DIGITS = 6  # of a file's number
MAX_NAME = 100  # characters of a folder

Arguments = tuple[int, int, int | None, Codes | None]
"""n, the seed, the label's position and codes, as `Sampler.sample` takes them."""


def write_images(
    path: Path,
    sampler: Sampler,
    arguments: Arguments,
    limits: tuple[float, float] | None,
    file_format: str | None,
) -> None:
    """Write images into a folder, a .zip or a .tar.

    Args:
        path: Where they go; its ending says what it becomes.
        sampler: The generator.
        arguments: What is drawn.
        limits: Of the data's values.
        file_format: Pillow's name of the format of the data's files, if it has any.

    Raises:
        RequestError: For points, or if the path is taken.
        EquipoiseError: If it cannot be written.
    """
    schema, (n, seed, label, codes) = sampler.schema, arguments
    if not schema.is_image:
        raise RequestError(
            f"out = {str(path)!r}: points are no images; give a file that ends in .npy, .npz or "
            ".csv"
        )
    encoder = ImageEncoder.of(schema, limits, file_format)
    drawn = None if label is not None else sampler.drawn_labels(n, seed)
    batch = max(min(MAX_BATCH, MAX_BATCH_VALUES // schema.size), 1)
    folders = _folders(schema) if drawn is not None else ()
    digits = max(len(str(max(n - 1, 0))), MIN_DIGITS)
    with bar("Writing images", n) as done, archive_at(path) as archive:
        is_tar = isinstance(archive, Tar)
        labels: Iterator[int | None] = repeat(None) if drawn is None else iter(drawn)
        number = 0
        for samples in sampler.batches(batch, n, seed, label, codes):
            for sample in to_network_layout(np.asarray(samples), schema.layout):
                position, name = next(labels), f"{number:0{digits}}"
                folder = "" if position is None or is_tar else f"{folders[position]}/"
                archive.add(f"{folder}{name}{encoder.ending}", encoder.encode(sample))
                if is_tar and position is not None:
                    archive.add(f"{name}.cls", str(position).encode())
                number += 1
            done(len(samples))


def _folders(schema: Schema) -> Sequence[str]:
    """A folder's name for each class. Labels may come from a stranger's file: nothing
    in them leads elsewhere."""
    classes = schema.classes or ()
    names = [re.sub(r"[^\w.-]+", "_", str(label))[:MAX_NAME].lstrip(".") for label in classes]
    if all(names) and len({name.lower() for name in names}) == len(names):
        return names
    return [f"class-{position}" for position in range(len(classes))]
