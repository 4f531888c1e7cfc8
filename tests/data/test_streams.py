from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from equipoise.data.loading import EndOfDataError, Loader
from equipoise.data.streams import FIRST_ROWS, StreamSource
from equipoise.errors import EquipoiseWarning, RequestError

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
    seen = numbers(loader, 14)
    assert seen != sorted(seen)
    assert sorted(seen) == list(range(1000, 15_000))
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


class Labelled(Counting):
    """The numbers with the names of their remainders by 3; from 12,000 on with
    another."""

    def __iter__(self) -> Iterator[Any]:
        for x in super().__iter__():
            names = np.array(["none", "one", "two"])[x.astype(int) % 3]
            yield x, np.where(x < 12_000, names, "late")


@pytest.mark.parametrize("batches", [3, 110])
def test_labels_of_a_stream_stay_with_their_samples(batches: int) -> None:
    source = StreamSource("stream", Labelled(batches))
    assert source.schema.classes == ("none", "one", "two")
    assert sum(source.schema.class_counts or ()) == min(batches * 100, FIRST_ROWS)
    loader = loader_of(source)
    for _ in range(200):
        x, y = loader.next()
        assert y is not None
        assert torch.equal(x[:, 0].long() % 3, y)
    held_out = source.labelled(99, 0, held_out=True)
    assert held_out is not None
    assert torch.equal(held_out[0][:, 0].long() % 3, held_out[1])


def test_a_class_that_comes_late_is_left_out_with_a_warning_where_classes_are_learned() -> None:
    learned, unused = (loader_of(StreamSource("stream", Labelled(130)), 1000) for _ in range(2))
    unused.labelled = False
    with pytest.warns(EquipoiseWarning, match="the class 'late', which none of its first samples"):
        seen = numbers(learned, 11)
    assert max(seen) < 12_000
    assert max(numbers(unused, 12)) >= 12_000
    position = learned.position()
    again = loader_of(StreamSource("stream", Labelled(130)), 1000)
    again.restore(position)
    with pytest.warns(EquipoiseWarning, match="late"):
        following = numbers(again, 5)
    assert following == numbers(learned, 5)


def test_targets_that_are_no_labels_are_not_used_and_a_note_says_so() -> None:
    for target in (np.zeros((50, 2)), np.linspace(0, 1, 50)):
        source = StreamSource("stream", [(np.arange(50.0), target)] * 2)
        assert source.schema.classes is None
        assert "is not used: it is no label for each" in source.notes[0]
    assert len(source.held_out(99, 0)) == 10


def test_a_stream_is_shuffled_anew_in_every_epoch_and_by_the_seed() -> None:
    source = StreamSource("stream", Counting(120))
    seeds = [source.loader(11_000, torch.Tensor.double, CPU, seed) for seed in (0, 0, 1)]
    first, same, other = (numbers(loader, 1) for loader in seeds)
    assert first == same
    assert sorted(first) == list(range(1000, 12_000))
    assert len({tuple(order) for order in (first, other, numbers(seeds[0], 1))}) == 3


@pytest.mark.parametrize("batches", [3, 120])
def test_ranks_share_a_stream_without_overlap_and_go_on_where_they_were(batches: int) -> None:
    def loader(size: int, rank: int = 0, ranks: int = 1) -> Loader:
        made = loader_of(StreamSource("stream", Counting(batches)), size)
        made.split(rank, ranks)
        return made

    alone, first, second = loader(60), loader(30, 0, 2), loader(30, 1, 2)
    for _ in range(230):
        assert numbers(first, 1) + numbers(second, 1) == numbers(alone, 1)
        assert first.position() == second.position() == alone.position()
    again = loader(30, 1, 2)
    again.restore(second.position())
    assert numbers(again, 5) == numbers(second, 5)


def test_the_first_look_keeps_to_a_part_of_the_memory_budget() -> None:
    source = StreamSource("stream", Counting(120), memory_budget=2**-30 * 4 * 8 * 2000)
    assert len(source.seen(FIRST_ROWS, 0)) + len(source.held_out(FIRST_ROWS, 0)) == 2000
    assert len(set(numbers(loader_of(source, 100), 118))) == 11_800


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
        (
            [(np.arange(9.0), [1] * 9), np.arange(9.0)],
            "first batch has labels, a later one has none",
        ),
        ([(np.arange(9.0), [1] * 8)], "has 9 samples and 8 labels"),
        ([(np.arange(9.0), [None] * 9)], "labels hold None"),
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
