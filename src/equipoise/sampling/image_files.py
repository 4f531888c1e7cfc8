"""Images of a generator as files, drawn while they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from equipoise.data.images.encode import ImageEncoder
from equipoise.data.schema import Schema, to_network_layout
from equipoise.sampling.archives import Archive, Tar, archive_at
from equipoise.sampling.batching import rebatch
from equipoise.sampling.rows import Rows
from equipoise.sampling.sampler import Asked, Sampler
from equipoise.utils.progress_bar import bar

MAX_BATCH, MAX_BATCH_VALUES = 1_024, 2**24
MIN_DIGITS = 6  # of a file's number
MAX_NAME = 100  # characters of a folder


@dataclass(frozen=True)
class ImageFiles:
    """Puts images into archives."""

    sampler: Sampler
    encoder: ImageEncoder

    def add(self, archive: Archive, asked: Asked, span: range, done: Callable[[int], None]) -> None:
        """Add some of the images that are asked for.

        Args:
            archive: Where they go.
            asked: All images.
            span: The numbers of those to add.
            done: Called with each number of images added.
        """
        schema = self.sampler.schema
        digits = max(len(str(max(asked.n - 1, 0))), MIN_DIGITS)
        batch = max(min(MAX_BATCH, MAX_BATCH_VALUES // schema.size), 1)
        number = span.start
        for part in rebatch(self.sampler.rows(asked, span), batch, Rows.join):
            samples = to_network_layout(np.asarray(schema.to_user(part.values)), schema.layout)
            labels: list[int | None] = [None] * len(part)
            if part.labels is not None and asked.label is None:
                labels = part.labels.tolist()
            for sample, label in zip(samples, labels, strict=True):
                self._add_one(archive, f"{number:0{digits}}", self.encoder.encode(sample), label)
                number += 1
            done(len(part))

    def _add_one(self, archive: Archive, name: str, content: bytes, label: int | None) -> None:
        is_tar = isinstance(archive, Tar)
        folder = "" if label is None or is_tar else f"{self._folders[label]}/"
        archive.add(f"{folder}{name}{self.encoder.ending}", content)
        if is_tar and label is not None:
            archive.add(f"{name}.cls", str(label).encode())

    @cached_property
    def _folders(self) -> Sequence[str]:
        return _folders(self.sampler.schema)


def write_images(path: Path, files: ImageFiles, asked: Asked) -> None:
    """Write images into a folder, a .zip or a .tar.

    Args:
        path: Where they go; its ending says what it becomes.
        files: The generator and the form of its files.
        asked: The images.

    Raises:
        RequestError: If the path is taken.
        EquipoiseError: If it cannot be written.
    """
    with bar("Writing images", asked.n) as done, archive_at(path) as archive:
        files.add(archive, asked, range(asked.n), done)


def _folders(schema: Schema) -> Sequence[str]:
    """A folder's name for each class. Labels may come from a stranger's file: nothing
    in them leads elsewhere."""
    classes = schema.classes or ()
    names = [re.sub(r"[^\w.-]+", "_", str(label))[:MAX_NAME].lstrip(".") for label in classes]
    if all(names) and len({name.lower() for name in names}) == len(names):
        return names
    return [f"class-{position}" for position in range(len(classes))]
