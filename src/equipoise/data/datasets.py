"""A source whose rows are fetched as they are
needed, since all of them would not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data.arrays import check_values
from equipoise.data.loading import Encode, IndexedLoader, Loader, PrefetchingLoader
from equipoise.data.schema import Schema
from equipoise.data.sources import HELD_OUT_MAX, Source, choose, image_limits, split


class FetchedSource(Source):
    """Rows fetched by index when they are needed: a folder, or a Dataset, that is
    larger than memory should hold. `sums` are of every row; `in_background` lets a
    thread fetch batches before they are needed."""

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
    ) -> None:
        super().__init__(name, schema, fingerprint)
        self._fetch, self._labels, self._in_background = fetch, labels, in_background
        self._kept, self._out = split(n, split_seed)
        if sums is not None:
            self.sums, self.limits = (
                torch.from_numpy(sums[self._kept.numpy()]),
                image_limits(fetch([0])),
            )
        elif schema.is_image:
            first = fetch(self._kept[:1000].tolist())
            check_values(first, f"{name}, as far as its first {len(first):,} images go,")
            self.limits = image_limits(first)

    @property
    def training_rows(self) -> int:
        return len(self._kept)

    def _rows(self, indices: Tensor) -> Tensor:
        return torch.from_numpy(self._fetch(indices.tolist()))

    def held_out(self, n: int, seed: int) -> Tensor:
        return self._rows(choose(self._tested(), n, seed))

    def validation(self, n: int, seed: int) -> Tensor:
        return self._rows(choose(self._tested(validation=True), n, seed))

    def _tested(self, *, validation: bool = False) -> Tensor:
        return self._out[self._held_out_rows(len(self._out), validation=validation)]

    def seen(self, n: int, seed: int) -> Tensor:
        return self._rows(choose(self._kept, min(n, HELD_OUT_MAX), seed))

    def labelled(self, n: int, seed: int, *, held_out: bool) -> tuple[Tensor, Tensor] | None:
        if self._labels is None:
            return None
        chosen = choose(self._tested() if held_out else self._kept, min(n, HELD_OUT_MAX), seed)
        return self._rows(chosen), torch.from_numpy(self._labels)[chosen]

    def loader(self, batch_size: int, encode: Encode, device: torch.device, seed: int) -> Loader:
        labels = None if self._labels is None else torch.from_numpy(self._labels)[self._kept]
        rows, kept, fetch = self._rows, self._kept, self._fetch
        if self._in_background:
            return PrefetchingLoader(
                lambda i: torch.from_numpy(fetch(kept[i].tolist())),
                len(kept),
                labels,
                seed,
                batch_size,
                encode,
                device,
            )
        return IndexedLoader(
            lambda i: encode(rows(kept[i.cpu()]).to(device)),
            len(kept),
            labels,
            seed,
            batch_size,
            encode,
            device,
        )
