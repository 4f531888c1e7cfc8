from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from equipoise.data.loading import Loader
from equipoise.data.streams import FIRST_ROWS, EndOfDataError, StreamSource
from equipoise.errors import RequestError

CPU = torch.device("cpu")


class Counting:
    """A stream that can be read again: the numbers 0, 1, ... in batches, with labels if
    asked for."""

    def __init__(self, batches: int, size: int = 100) -> None:
        self.batches, self.size = batches, size

    def __iter__(self) -> Iterator[np.ndarray]:
        for i in range(self.batches):
            yield np.arange(i * self.size, (i + 1) * self.size, dtype=np.float64)


def loader_of(source: StreamSource, batch_size: int = 64) -> Loader:
    return source.loader(batch_size, torch.Tensor.double, CPU, 0)


def numbers(loader: Loader, batches: int) -> list[int]:
    return [round(float(value)) for _ in range(batches) for value in loader.next()[0][:, 0]]


@pytest.mark.parametrize("batches", [3, 250])
def test_a_stream_trains_on_all_that_is_not_held_out_and_begins_again(batches: int) -> None:
    source = StreamSource("stream", Counting(batches))
    held = set(source.held_out(FIRST_ROWS, 0)[:, 0].long().tolist())
    assert len(held) == min(batches * 100, FIRST_ROWS) // 10
    trained = numbers(loader_of(source, 50), 2 * batches * 2)
    assert not held & set(trained)
    assert len(set(trained)) > 0.89 * 100 * batches - 50


@pytest.mark.parametrize("batches", [3, 250])
def test_a_stream_read_again_goes_on_where_it_was(batches: int) -> None:
    one, other = (loader_of(StreamSource("stream", Counting(batches))) for _ in range(2))
    numbers(one, 7)
    other.restore(one.position())
    assert numbers(one, 9) == numbers(other, 9)


def test_a_short_generator_is_kept_and_trained_on_for_ever() -> None:
    source = StreamSource("stream", iter(Counting(3)))
    assert source.training_rows == 270
    assert set(numbers(loader_of(source), 20)) <= set(range(30, 300))
    assert not source.notes


def test_a_long_generator_says_that_it_cannot_be_resumed_and_when_it_ends() -> None:
    source = StreamSource("stream", iter(Counting(150)))
    assert "one-shot" in source.notes[0]
    loader = loader_of(source, 1000)
    assert not source.repeats
    assert numbers(loader, 14) == list(range(1000, 15_000))
    with pytest.raises(EndOfDataError, match="ran out of data: give a longer one"):
        loader.next()


def test_a_stream_in_another_order_every_time_does_not_leak_what_is_held_out() -> None:
    class Shuffled(Counting):
        times = 0

        def __iter__(self) -> Iterator[np.ndarray]:
            self.times += 1
            yield from (
                np.random.default_rng(self.times)
                .permutation(1000.0 * np.arange(1, 501))
                .reshape(5, 100)
            )

    source = StreamSource("stream", Shuffled(5))
    held = set((source.held_out(999, 0)[:, 0] / 1000).round().long().tolist())
    assert not held & {round(n / 1000) for n in numbers(loader_of(source), 40)}


def test_a_long_stream_in_another_order_every_time_does_not_leak_what_is_held_out() -> None:
    class Shuffled(Counting):
        times = 0

        def __iter__(self) -> Iterator[np.ndarray]:
            self.times += 1
            yield from (
                np.random.default_rng(self.times).permutation(np.arange(12_000.0)).reshape(120, 100)
            )

    source = StreamSource("stream", Shuffled(120))
    held = set(source.held_out(9999, 0)[:, 0].long().tolist())
    assert len(held) == 1000
    seen = numbers(loader_of(source, 1000), 40)
    assert len(seen) > 3 * 11_000
    assert not held & set(seen)


def test_labels_of_a_stream_are_ignored_with_a_note() -> None:
    source = StreamSource(
        "stream", [(np.arange(50.0), np.zeros(50)), (np.arange(50.0), np.zeros(50))]
    )
    assert "labels are not used" in source.notes[0]
    assert len(source.held_out(99, 0)) == 10


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "stream is empty"),
        ([np.empty((0, 2))], "stream is empty"),
        (
            [np.ones((5, 2)), np.ones((5, 3))],
            r"first batch has samples of shape \(2,\), a later one \(3,\)",
        ),
        ([np.array([["a"]])], "has type <U1: give numbers"),
        (
            [np.ones((5, 2)), np.full((5, 2), np.nan)],
            r"10 NaN or infinite values, the first \(NaN\) at row 0",
        ),
        ([np.ones((5, 2))] * 3, "one distinct value, 1"),
        ([3.0, 4.0], "no shape"),
        ([np.ones((1, 2))], "stream has one sample"),
        ([[[1.0, 2.0], [3.0]]], "rows of different lengths"),
    ],
)
def test_streams_that_cannot_be_learned_are_refused(
    batches: list[np.ndarray], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        StreamSource("stream", batches)


def test_images_of_a_stream_are_images() -> None:
    rng = np.random.default_rng(0)
    source = StreamSource(
        "stream",
        [torch.from_numpy(rng.integers(0, 256, (20, 8, 8, 3)).astype(np.uint8)) for _ in range(3)],
    )
    assert (source.schema.shape, source.schema.container, source.limits) == (
        (3, 8, 8),
        "tensor",
        (0, 255),
    )


def test_batches_may_be_lists_of_rows_or_of_numbers() -> None:
    rows = StreamSource("stream", [[[float(i), float(j)] for j in range(8)] for i in range(30)])
    assert rows.schema.shape == (2,)
    assert rows.training_rows == 216
    assert not rows.notes
    assert StreamSource("stream", [[0.1, 0.2, 0.3], [0.4, 0.5]]).schema.shape == (1,)


def test_a_stream_of_fewer_rows_than_a_batch_goes_round_them_again_and_can_be_restored() -> None:
    def loader() -> Loader:
        return loader_of(StreamSource("stream", Counting(1)), 200)

    one, other = loader(), loader()
    first = numbers(one, 1)
    assert set(first) == set(range(10, 100))
    other.restore(one.position())
    assert numbers(one, 3) == numbers(other, 3)


def test_a_stream_that_brings_nothing_a_second_time_ends() -> None:
    class Once(Counting):
        times = 0

        def __iter__(self) -> Iterator[np.ndarray]:
            self.times += 1
            return super().__iter__() if self.times == 1 else iter(())

    loader = loader_of(StreamSource("stream", Once(150)), 20_000)
    with pytest.raises(EndOfDataError, match="ran out of data"):
        loader.next()
