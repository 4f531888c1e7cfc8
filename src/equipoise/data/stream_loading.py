"""Batches of a stream, shuffled in blocks.

A block is as many rows as a buffer holds; its order is seeded by the seed, the epoch
and its number. So a position is two numbers: what is in the buffer is found again by
reading the stream from its beginning up to that block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from equipoise.data.loading import Encode, EndOfDataError, Loader, Stream, seeded
from equipoise.data.stream_parts import Part, together
from equipoise.errors import RequestError, clipped, warn

if TYPE_CHECKING:
    from equipoise.data.loading import Batch

# Rows of a block, and bytes, at most. They do not follow the memory budget: a resumed
# training must find the same blocks.
BLOCK_ROWS, BLOCK_BYTES = 10_000, 2**26


class StreamLoader(Loader):
    """The rows of a stream in batches of one size.

    Several ranks read the same stream, and take the rows of a common, larger batch in
    turn, as `batches` does.

    Args:
        parts: The stream, without the rows held out.
        again: Starts the stream anew, with the rows held out, for another epoch; None
            for a one-shot iterator.
        held_out: Rows that are left out of every epoch.
        seed: Decides the order of each block.
        batch_size: Rows of a batch.
        encode: From raw rows to what networks see.
        device: Where batches are put.
    """

    def __init__(
        self,
        parts: Iterator[Part],
        again: Callable[[], Iterator[Part]] | None,
        held_out: Tensor,
        seed: int,
        batch_size: int,
        encode: Encode,
        device: torch.device,
    ) -> None:
        super().__init__(batch_size, encode, device)
        self.again = again
        self.held_out: Tensor = held_out
        self.seed: int = seed
        self.block_rows: int = max(min(BLOCK_ROWS, BLOCK_BYTES // max(held_out[0].nbytes, 1)), 1)
        self.block: int = 0
        self.told: bool = False
        self.parts: Iterator[Part] = self._known(parts)
        self.rows: Iterator[Part] = self._shuffled()
        self.waiting: list[Part] = []
        self.rows_waiting: int = 0  # of an epoch that has given no batch yet

    def split(self, rank: int, ranks: int) -> None:
        if ranks > 1 and self.again is None:
            raise RequestError(
                f"{ranks} processes cannot share a stream that can be read only once: give an "
                "iterable that can be read again, an array or files, or train in one process"
            )
        self.rank: int = rank
        self.ranks: int = ranks
        self.restore(self.position())

    def next(self) -> Batch:
        step = self.batch_size * self.ranks
        while sum(map(len, self.waiting)) < step:
            part = next(self.rows, None)
            if part is None:
                self._begin_epoch()
            else:
                self.waiting.append(part)
        rows = together(self.waiting)
        self.waiting = [rows[step:]]
        self.cursor += step
        start = self.rank * self.batch_size
        own = rows[start : start + self.batch_size]
        y = None if own.y is None else own.y.to(self.device)
        return self.encode(own.x.to(self.device)), y

    def restore(self, position: dict[str, int]) -> None:
        super().restore(position)
        if self.again is None:
            return
        self.block, inside = divmod(self.cursor, self.block_rows)
        self.parts = _after(self._anew(self.again), self.block * self.block_rows)
        self.rows, self.waiting = _after(self._shuffled(), inside), []

    def _begin_epoch(self) -> None:
        """Start the stream anew.

        Rows that do not fill a batch are dropped. If a batch is larger than the whole
        stream, an epoch is as many passes as fill it.
        """
        waiting_rows = sum(map(len, self.waiting))
        if self.again is None or (self.cursor == 0 and waiting_rows == self.rows_waiting):
            raise EndOfDataError(
                "the stream ran out of data: give a longer one, or data that can be read again"
            )
        if self.cursor:
            self.epoch, self.cursor, self.waiting, waiting_rows = self.epoch + 1, 0, [], 0
            self.block = 0
        self.rows_waiting = waiting_rows
        self.parts = self._anew(self.again)
        self.rows = self._shuffled()

    def _anew(self, again: Callable[[], Iterator[Part]]) -> Iterator[Part]:
        return _without(self._known(again()), self.held_out)

    def _known(self, parts: Iterable[Part]) -> Iterator[Part]:
        """`parts` without samples of a class that the first ones lack, where classes
        are learned."""
        for part in parts:
            if not part.labels or not self.labelled:
                yield part
                continue
            if not self.told and self.rank == 0:
                self.told = True
                warn(
                    f"the stream has the class {clipped(repr(part.labels[0]))}, which none of its "
                    "first samples has: samples of such classes are left out"
                )
            assert part.y is not None
            yield part[part.y >= 0]

    def _shuffled(self) -> Iterator[Part]:
        """The rows of `parts`, block by block, each in its own order."""
        waiting, size = list[Part](), 0
        for part in self.parts:
            waiting.append(part)
            size += len(part)
            while size >= self.block_rows:
                rows = together(waiting)
                yield self._in_order(rows[: self.block_rows])
                waiting = [rows[self.block_rows :]]
                size -= self.block_rows
        if size:
            yield self._in_order(together(waiting))

    def _in_order(self, block: Part) -> Part:
        generator = seeded(self.seed, Stream.TRAINING, self.epoch, self.block)
        self.block += 1
        return block[torch.randperm(len(block), generator=generator)]


def _without(parts: Iterator[Part], held_out: Tensor) -> Iterator[Part]:
    """`parts` without the rows held out, which are the first ones if the order is as
    before, and may be anywhere if not."""
    first: list[Part] = []
    while sum(map(len, first)) < len(held_out) and (part := next(parts, None)) is not None:
        first.append(part)
    if not first:
        return iter(())
    start = together(first)
    if torch.equal(start.x[: len(held_out)], held_out):
        return chain([start[len(held_out) :]], parts)
    held_out_bytes = {row.numpy().tobytes() for row in held_out}

    def kept(part: Part) -> Tensor:
        return torch.tensor([row.numpy().tobytes() not in held_out_bytes for row in part.x]).bool()

    return (part[kept(part)] for part in chain([start], parts))


def _after(parts: Iterable[Part], skip: int) -> Iterator[Part]:
    """`parts` without the first `skip` samples."""
    for part in parts:
        if skip < len(part):
            yield part[skip:]
        skip = max(skip - len(part), 0)
