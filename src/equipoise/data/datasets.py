"""A source whose rows are fetched when they are needed, since memory cannot hold all of
them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data.arrays import check_values
from equipoise.data.limits import image_limits
from equipoise.data.loading import Encode, IndexedLoader, Loader, PrefetchingLoader
from equipoise.data.schema import Schema
from equipoise.data.sources import SplitSource
from equipoise.data.split import HELD_OUT_MAX, FetchedPart, OwnSplit, Split, own_or_seeded

FIRST_ROWS = 1000  # images that are looked at for their range of values


class FetchedSource(SplitSource):
    """Rows fetched by index when they are needed: a folder, a Dataset or a table that
    is larger than memory should hold.

    Args:
        name: What messages call the data.
        schema: Its schema, with the classes.
        fingerprint: That of its content.
        fetch: The rows at these indices, raw, (m, *shape).
        labels: The positions of the classes, (n,).
        n: Rows in all.
        split_seed: Decides which rows are held out.
        sums: Each row's sum of values and of their squares, (n, 2), where known.
        in_background: Whether a thread fetches batches before they are needed.
        limits: The range of images, where it is known already.
        own_split: The split that the data comes with.
        max_drawn: The most rows that are taken for a metric or a fit at once.
    """

    def __init__(
        self,
        name: str,
        schema: Schema,
        fingerprint: str,
        fetch: Callable[[list[int]], NDArray[Any]],
        labels: NDArray[np.int64] | None,
        n: int,
        split_seed: int,
        *,
        sums: NDArray[np.int64] | None = None,
        in_background: bool = False,
        limits: tuple[float, float] | None = None,
        own_split: OwnSplit | None = None,
        max_drawn: int = HELD_OUT_MAX,
    ) -> None:
        super().__init__(name, schema, fingerprint, limits=limits)
        found = own_or_seeded(n, split_seed, own_split)
        train = found.train
        all_labels = None if labels is None else torch.from_numpy(labels)

        # The source itself is not in this closure: the thread that fetches in
        # background ends when the source is forgotten.
        def rows(indices: Tensor) -> Tensor:
            return torch.from_numpy(fetch(indices.tolist()))

        def part(indices: Tensor) -> FetchedPart:
            part_labels = None if all_labels is None else all_labels[indices]
            return FetchedPart(rows, indices, part_labels, max_drawn)

        self._rows, self._train, self._in_background = rows, train, in_background
        validation = None if found.validation is None else part(found.validation)
        self.split: Split = Split(part(train), part(found.held_out), validation)
        if sums is not None:
            self.sums: Tensor | None = torch.from_numpy(sums[train.numpy()])
        elif schema.is_image and limits is None:
            first = fetch(train[:FIRST_ROWS].tolist())
            check_values(first, f"{name}, as far as its first {len(first):,} images go,")
            self.limits: tuple[float, float] | None = image_limits(first)

    @property
    def training_rows(self) -> int:
        return len(self.split.train)

    def loader(self, batch_size: int, encode: Encode, device: torch.device, seed: int) -> Loader:
        train, rows = self._train, self._rows
        rest = len(train), self.split.train.labels, seed, batch_size, encode, device
        if self._in_background:
            return PrefetchingLoader(lambda i: rows(train[i]), *rest)
        return IndexedLoader(lambda i: encode(rows(train[i.cpu()]).to(device)), *rest)
