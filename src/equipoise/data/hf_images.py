"""Images in the rows of a Hugging Face dataset, decoded by Equipoise's own code from
the bytes that it holds."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from equipoise.data.images.arrangement import Arrangement
from equipoise.data.images.form import Resizing
from equipoise.data.images.listing import Listing
from equipoise.data.images.place import Place
from equipoise.utils.atomic_io import read_file, refuse_size


@dataclass(frozen=True)
class StoredImage:
    """An image as `datasets` keeps it: its bytes, or the path of its file."""

    stored: dict[str, Any] | None
    name: str

    def __str__(self) -> str:
        return self.name

    def read(self, max_bytes: int) -> bytes:
        """Its bytes.

        Raises:
            OSError: There are none, or more than `max_bytes`.
        """
        content: bytes | None = None if self.stored is None else self.stored.get("bytes")
        path = None if self.stored is None else self.stored.get("path")
        if content is None and path:
            return read_file(Path(path), max_bytes)
        if content is None:
            raise OSError(errno.ENODATA, "the row has no image", self.name)
        refuse_size(len(content), max_bytes, self.name)
        return content


@dataclass(frozen=True)
class _Row:
    """A row, whose image is read when it is asked for."""

    data: Any
    column: str
    index: int

    @property
    def name(self) -> str:
        return f"row {self.index:,}"

    def __str__(self) -> str:
        return f"{self.name} of the dataset"

    def read(self, max_bytes: int) -> bytes:
        return StoredImage(self.data[self.index][self.column], self.name).read(max_bytes)


@dataclass(frozen=True, kw_only=True)
class RowListing(Listing):
    """The images of a dataset's rows."""

    data: Any = field(compare=False)
    column: str
    labels: tuple[Any, ...] | None
    name: str

    @classmethod
    def of(
        cls, data: Any, column: str, labels: Sequence[Any] | None, name: str, resizing: Resizing
    ) -> RowListing:
        """
        Args:
            data: The dataset.
            column: Its column of images.
            labels: Of each row, if there are any.
            name: What messages call it.
            resizing: How images are brought to one size.
        """
        n, digits = len(data), len(str(len(data)))
        return cls(
            root=Path(name),
            names=tuple(f"{row:0{digits}}" for row in range(n)),
            sizes=(0,) * n,
            states=(),  # a dataset has no time at which it changed
            resizing=resizing,
            data=undecoded(data.select_columns([column]), column),
            column=column,
            labels=None if labels is None else tuple(labels),
            name=name,
        )

    @property
    def title(self) -> str:
        return self.name

    def place(self, name: str) -> Place:
        return _Row(self.data, self.column, int(name))

    def arrangement(self, names: Sequence[str]) -> Arrangement:
        labels = None
        if self.labels is not None:
            labels = tuple(self.labels[int(name)] for name in names)
        return Arrangement(labels, None, (), from_file=True)


def undecoded(data: Any, column: str) -> Any:
    """The dataset with its images as bytes."""
    feature = type(data.features[column])(decode=False)
    return data.with_format(None).cast_column(column, feature)
