"""Samples of a generator as a Dataset for PyTorch's loaders."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from equipoise.errors import RequestError
from equipoise.runs.generator import sampler_files, sampler_of
from equipoise.runtime.process import torch_settings
from equipoise.sampling.rows import Rows
from equipoise.sampling.sampler import Asked, Sampler

if TYPE_CHECKING:
    import pandas as pd

CACHE_BYTES = 2**28  # of samples that are kept, so that they can be asked for in any order

Sample: TypeAlias = NDArray[Any] | Tensor | dict[Hashable, Any]
"""One sample in the user's type; of a table a row by column."""
Item: TypeAlias = Sample | tuple[Sample, int]
"""With the position of its label among the classes, where it has one beside it."""


class GeneratedDataset(Dataset[Item]):
    """n samples of a generator, each drawn when it is asked for, together with those
    around it.

    Sample i is the same in whatever order samples are asked for, and by however many
    workers: it is sample i of `GAN.sample(n, seed=seed)`, up to rounding where that
    uses several threads. (Of a table with constraints each block of rows is drawn on
    its own, as `GAN.write_samples` does.)

    Samples are of the type and shape of the training data; rows of a table are dicts by
    column. By a generator that learned labels they are pairs (x, y), where y is the
    position of the label in `classes`, unless the table has a column of labels.

    On a GPU it needs `num_workers=0`, or workers that are spawned.
    """

    classes: tuple[Hashable, ...] | None
    """The labels, in order; None for a generator without labels."""

    def __init__(self, sampler: Sampler, asked: Asked) -> None:
        """
        Args:
            sampler: The generator.
            asked: The samples, without conditions.

        Raises:
            RequestError: The generator makes windows of a table of series.
        """
        schema = sampler.schema
        if schema.series is not None and schema.container == "frame":
            raise RequestError(
                "dataset: windows of a table are several rows each, which no loader can stack; "
                "train on an array (N, T, C), or use sample_batches"
            )
        self._sampler, self._asked = sampler, asked
        self.classes = schema.classes if sampler.recipe.conditional else None
        self._blocks: OrderedDict[int, list[Item]] = OrderedDict()

    def __len__(self) -> int:
        return self._asked.n

    def __getitem__(self, index: int) -> Item:
        position = operator.index(index)
        if position < 0:
            position += len(self)
        if not 0 <= position < len(self):
            raise IndexError(f"sample {index} of {len(self):,}")
        number, place = divmod(position, self._block_size)
        return self._block(number)[place]

    def __getstate__(self) -> dict[str, Any]:
        return {"files": sampler_files(self._sampler), "asked": self._asked}

    def __setstate__(self, state: dict[str, Any]) -> None:
        sampler = sampler_of(state["files"], torch.device("cpu"))
        self.__init__(sampler, state["asked"])  # type: ignore[misc]  # of this very class

    @property
    def _block_size(self) -> int:
        """Samples that are drawn together."""
        draws = self._sampler.draws
        return draws.pass_size if self._sampler.constraints() is None else draws.block

    def _block(self, number: int) -> list[Item]:
        """The samples of a block, drawn unless they are kept."""
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        first = number * self._block_size
        span = range(first, min(first + self._block_size, len(self)))
        asked = replace(self._asked, conditions=self._sampler.constraints())
        # One thread, as workers have: more of them round otherwise.
        with torch_settings(threads=1):
            rows = Rows.join([*self._sampler.rows(asked, span)])
            items = self._items(rows, first)
        kept = CACHE_BYTES // max(self._block_size * self._sampler.schema.sample_bytes, 1)
        while len(self._blocks) > kept:
            self._blocks.popitem(last=False)
        self._blocks[number] = items
        return items

    def _items(self, rows: Rows, first: int) -> list[Item]:
        """Rows in the user's type, one by one."""
        schema, labels = self._sampler.schema, rows.labels
        samples = schema.to_user(rows.values, labels, self._asked.seed, first)
        in_table = schema.container == "frame"
        split: list[Sample] = _records(samples) if in_table else list(samples)  # type: ignore[arg-type]  # a frame, in a table
        if labels is None or (in_table and schema.label_column is not None):
            return [*split]
        return [(sample, int(label)) for sample, label in zip(split, labels, strict=True)]


def _records(frame: pd.DataFrame) -> list[Sample]:
    """The rows of a table by column, each cell in its column's type."""
    columns = {name: np.asarray(frame[name]) for name in frame.columns}
    return [{name: of[row] for name, of in columns.items()} for row in range(len(frame))]
